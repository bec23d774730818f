import assert from "node:assert/strict";
import { ceilingOf, floorOf, planRolling } from "../../state-machines/rolling.js";
import { RollingCluster, totals } from "./rolling-cluster.js";

const limits = (desiredCount: number, maximumPercent: number, minimumHealthyPercent: number) => ({
  desiredCount,
  maximumPercent,
  minimumHealthyPercent,
});

describe("rolling update: the bounds (spec/06 §11)", () => {
  const rows: [
    desired: number,
    max: number,
    min: number,
    ceiling: number,
    floor: number,
    start: number,
    stop: number,
  ][] = [
    [4, 200, 100, 8, 4, 4, 0],
    [4, 100, 50, 4, 2, 0, 2],
    [4, 150, 75, 6, 3, 2, 1],
    [3, 150, 50, 4, 2, 1, 1],
    [5, 130, 70, 6, 4, 1, 1],
    [10, 125, 75, 12, 8, 2, 2],
    [1, 200, 100, 2, 1, 1, 0],
    [1, 100, 0, 1, 0, 0, 1],
    [6, 100, 0, 6, 0, 0, 6],
    [5, 100, 50, 5, 3, 0, 2],
    [0, 200, 100, 0, 0, 0, 0],
  ];
  for (const [desired, max, min, ceiling, floor, start, stop] of rows)
    it(`D=${desired} ${max}/${min}: at most ${ceiling}, healthy at least ${floor}; first start ${start}, stop ${stop}`, () => {
      const plan = new RollingCluster(limits(desired, max, min)).add("old", "healthy", desired).plan();
      assert.deepEqual({ ceiling: plan.ceiling, floor: plan.floor, ...totals(plan) }, { ceiling, floor, start, stop });
      assert.equal(plan.outcome, desired === 0 ? "steady" : "progressing");
    });

  for (const [desired, max, min, ceiling, floor] of [
    [1, 150, 50, 1, 1],
    [7, 110, 90, 7, 7],
    [1, 100, 100, 1, 1],
    [12, 100, 100, 12, 12],
  ] as const)
    it(`D=${desired} ${max}/${min} cannot progress, and says so with ${floor} and ${ceiling}`, () => {
      const plan = new RollingCluster(limits(desired, max, min)).add("old", "healthy", desired).plan();
      assert.deepEqual(totals(plan), { start: 0, stop: 0 });
      assert.deepEqual([plan.outcome, plan.floor, plan.ceiling], ["stuck", floor, ceiling]);
    });

  it("multiplies before it divides", () => {
    assert.equal(floorOf(25, 28), 7);
    assert.equal(ceilingOf(25, 116), 29);
  });

  it("[06-45] D=3 at 150/50 has the limits 4 and 2; D=10 at 125/75 has 12 and 8", () => {
    const three = new RollingCluster(limits(3, 150, 50)).plan();
    const ten = new RollingCluster(limits(10, 125, 75)).plan();
    assert.deepEqual([three.ceiling, three.floor, ten.ceiling, ten.floor], [4, 2, 12, 8]);
  });
});

/** Goes on until nothing moves: stopped tasks go, then started ones become healthy, then the next plan. */
function trace(cluster: RollingCluster): string[] {
  const seen = [`${cluster}`];
  for (let step = 0; step < 50; step++) {
    const plan = cluster.plan();
    for (const set of plan.sets) for (const name of set.stop) cluster.set(name, "stopping");
    note(seen, cluster);
    for (const set of plan.sets) cluster.add(set.name, "starting", set.start);
    note(seen, cluster);
    assert.ok(cluster.tasks.size <= plan.ceiling || totals(plan).start === 0, `${cluster} is above ${plan.ceiling}`);
    assert.ok(cluster.count("healthy") >= plan.floor, `${cluster} is below ${plan.floor}`);
    if (plan.outcome === "steady") return seen;
    if (cluster.count("stopping") > 0) cluster.settle("stopping", "gone");
    else cluster.settle("starting", "healthy");
    note(seen, cluster);
  }
  throw new Error(`not steady after ${seen.join(" → ")}`);
}
const note = (seen: string[], cluster: RollingCluster): void => {
  if (seen.at(-1) !== `${cluster}`) seen.push(`${cluster}`);
};

describe("rolling update: whole deployments (spec/06 §11)", () => {
  it("[06-43] D=4 at 200/100 starts four, then stops four: never above 8, never below 4 healthy", () => {
    const seen = trace(new RollingCluster(limits(4, 200, 100)).add("old", "healthy", 4));
    assert.deepEqual(seen, ["4/0", "4/4p", "4/4", "0/4"]);
  });

  it("[06-44] D=4 at 100/50 stops two old before it starts two new", () => {
    const seen = trace(new RollingCluster(limits(4, 100, 50)).add("old", "healthy", 4));
    assert.deepEqual(seen, ["4/0", "2/0", "2/2p", "2/2", "0/2", "0/2+2p", "0/4"]);
  });

  it("D=3 at 150/50 ends with three new", () => {
    const seen = trace(new RollingCluster(limits(3, 150, 50)).add("old", "healthy", 3));
    assert.equal(seen.at(-1), "0/3");
  });

  it("at a maximum of 100 % a replacement starts only after a stopping task is gone", () => {
    const cluster = new RollingCluster(limits(2, 100, 50)).add("old", "healthy", 2);
    cluster.apply(cluster.plan());
    assert.deepEqual(totals(cluster.plan()), { start: 0, stop: 0 });
    cluster.settle("stopping", "gone");
    assert.deepEqual(totals(cluster.plan()), { start: 1, stop: 0 });
  });

  it("starts the first tasks of a service at once, and is steady only when they are healthy", () => {
    const cluster = new RollingCluster(limits(3, 200, 100), ["new"]);
    cluster.apply(cluster.plan());
    assert.equal(`${cluster}`, "3p");
    for (const [from, to] of [
      ["starting", "waiting"],
      ["waiting", "healthy"],
    ] as const) {
      assert.equal(cluster.plan().outcome, "progressing");
      cluster.settle(from, to);
    }
    assert.equal(cluster.plan().outcome, "steady");
  });

  it("keeps an older task that only waits to be counted, until the new ones are healthy", () => {
    const cluster = new RollingCluster(limits(2, 200, 100)).add("old", "waiting", 2);
    cluster.apply(cluster.plan());
    assert.equal(cluster.count("waiting", "old"), 2);
    cluster.settle("starting", "healthy");
    cluster.apply(cluster.plan());
    assert.equal(cluster.count("waiting", "old"), 0);
  });

  it("stops pending and unhealthy tasks of an older deployment first, without counting them", () => {
    const cluster = new RollingCluster(limits(4, 100, 100)).add("old", "healthy", 2).add("old", "unhealthy", 1);
    cluster.add("old", "starting", 1);
    const plan = cluster.plan();
    assert.deepEqual(plan.sets[0]?.stop, ["old-3", "old-4"]);
  });

  it("gives up no healthy task for a deployment that may start nothing", () => {
    const cluster = new RollingCluster(limits(4, 200, 0)).add("old", "healthy", 4);
    const plan = cluster.plan({ startsBlocked: true });
    assert.deepEqual([totals(plan), plan.outcome], [{ start: 0, stop: 0 }, "progressing"]);
  });

  it("asks the given order which of several healthy tasks stop", () => {
    const task = (name: string) => ({ name, state: "healthy" as const });
    const plan = planRolling({
      ...limits(1, 200, 100),
      sets: [{ name: "web", primary: true, tasks: ["a", "b", "c"].map(task) }],
      stopOrder: (names) => [...names].reverse(),
    });
    assert.deepEqual(new Set(plan.sets[0]?.stop), new Set(["c", "b"]));
  });

  it("asks for an order only where some stop, and for so many: over thousands of tasks it is dear", () => {
    const asked: [names: number, most: number][] = [];
    const task = (_: unknown, n: number) => ({ name: `${n}`, state: "healthy" as const });
    const plan = (desiredCount: number) =>
      planRolling({
        ...limits(desiredCount, 200, 100),
        sets: [{ name: "web", primary: true, tasks: Array.from({ length: 5 }, task) }],
        stopOrder: (names, most) => {
          asked.push([names.length, most]);
          return names;
        },
      });
    plan(5);
    plan(7);
    assert.deepEqual(asked, []);
    plan(3);
    assert.deepEqual(asked, [[5, 2]]);
  });
});

describe("rolling update: scaling and healing", () => {
  it("stops the surplus when the count is lowered: those not yet running first", () => {
    const cluster = new RollingCluster(limits(2, 200, 100), ["web"]).add("web", "healthy", 3).add("web", "starting", 1);
    const plan = cluster.plan();
    assert.equal(plan.sets[0]?.stop.length, 2);
    assert.ok(plan.sets[0]?.stop.includes("web-4"));
  });

  it("stops everything, unhealthy or not, when the count is 0", () => {
    const cluster = new RollingCluster(limits(0, 200, 100), ["web"])
      .add("web", "healthy", 2)
      .add("web", "unhealthy", 1);
    cluster.add("web", "starting", 1).add("web", "waiting", 1);
    assert.equal(totals(cluster.plan()).stop, 5);
  });

  it("replaces an unhealthy task first and stops it when its replacement is healthy (decision C8)", () => {
    const cluster = new RollingCluster(limits(3, 200, 100), ["web"])
      .add("web", "healthy", 2)
      .add("web", "unhealthy", 1);
    const first = cluster.plan();
    assert.deepEqual(totals(first), { start: 1, stop: 0 });
    cluster.apply(first);
    assert.deepEqual(totals(cluster.plan()), { start: 0, stop: 0 });
    cluster.settle("starting", "healthy");
    assert.deepEqual(cluster.plan().sets[0]?.stop, ["web-3"]);
  });

  it("stops one of both when the replacement turns out unhealthy too, and tries again", () => {
    const cluster = new RollingCluster(limits(1, 200, 100), ["web"]).add("web", "unhealthy", 2);
    const plan = cluster.plan();
    assert.deepEqual(totals(plan), { start: 0, stop: 1 });
    cluster.apply(plan);
    cluster.settle("stopping", "gone");
    assert.deepEqual(totals(cluster.plan()), { start: 1, stop: 0 });
  });

  it("without room for a replacement stops unhealthy tasks one by one", () => {
    const cluster = new RollingCluster(limits(3, 100, 50), ["web"]).add("web", "healthy", 1).add("web", "unhealthy", 2);
    for (const left of [1, 0]) {
      cluster.apply(cluster.plan());
      assert.equal(cluster.count("unhealthy"), left);
      assert.deepEqual(totals(cluster.plan()), { start: 0, stop: 0 });
      cluster.settle("stopping", "gone");
      cluster.apply(cluster.plan());
      assert.deepEqual(totals(cluster.plan()), { start: 0, stop: 0 }, "the next one waits for the successor");
      cluster.settle("starting", "healthy");
    }
    assert.equal(cluster.plan().outcome, "steady");
  });
});
