import assert from "node:assert/strict";
import { type Limits, RollingCluster, totals } from "./rolling-cluster.js";

const limits = (desiredCount: number, maximumPercent: number, minimumHealthyPercent: number): Limits => ({
  desiredCount,
  maximumPercent,
  minimumHealthyPercent,
});
/** A service at rest on machine `m`, which begins to drain; what starts from now on comes to another. */
const drained = (bounds: Limits): RollingCluster => {
  const cluster = new RollingCluster(bounds, ["web"], () => "other").add("web", "healthy", bounds.desiredCount, "m");
  cluster.draining.add("m");
  return cluster;
};
const moves = (cluster: RollingCluster): { start: number; stop: number } => totals(cluster.plan());
/** How many of the machine's tasks are not even asked to stop. */
const left = (cluster: RollingCluster, machine = "m"): number =>
  cluster.counted.filter((task) => task.machine === machine && task.state !== "stopping").length;
const step = (cluster: RollingCluster): { start: number; stop: number } => {
  const plan = cluster.plan();
  cluster.apply(plan);
  return totals(plan);
};
/** Goes on as far as it goes. @returns the fewest healthy and the most of all that were seen at any instant */
function run(cluster: RollingCluster): { fewest: number; most: number; outcome: string } {
  let fewest = cluster.count("healthy");
  let most = cluster.counted.length;
  const look = (): void => {
    fewest = Math.min(fewest, cluster.count("healthy"));
    most = Math.max(most, cluster.counted.length);
  };
  for (let n = 0; n < 50; n++) {
    const plan = cluster.plan();
    cluster.apply(plan);
    look();
    if (plan.outcome !== "progressing") return { fewest, most, outcome: plan.outcome };
    if (cluster.count("stopping") > 0) cluster.settle("stopping", "gone");
    else cluster.settle("starting", "healthy");
    look();
  }
  throw new Error(`not at rest: ${cluster}`);
}

describe("draining: pace (spec/04 §9)", () => {
  it("[04-27] desired 4, minimum 50 %: two stop before two replacements start, and never more", () => {
    const cluster = drained(limits(4, 100, 50));
    assert.deepEqual(step(cluster), { start: 0, stop: 2 });
    assert.deepEqual(step(cluster), { start: 0, stop: 0 });
    cluster.settle("stopping", "gone");
    assert.deepEqual(step(cluster), { start: 2, stop: 0 });
    assert.deepEqual(run(cluster), { fewest: 2, most: 4, outcome: "steady" });
    assert.equal(left(cluster), 0);
  });

  it("[04-28] minimum 100 %: none stops before its replacement is healthy", () => {
    const cluster = drained(limits(4, 150, 100));
    assert.deepEqual(step(cluster), { start: 2, stop: 0 });
    cluster.settle("starting", "waiting");
    assert.deepEqual(step(cluster), { start: 0, stop: 0 });
    cluster.settle("waiting", "healthy");
    assert.deepEqual(step(cluster), { start: 0, stop: 2 });
    assert.deepEqual(run(cluster), { fewest: 4, most: 6, outcome: "steady" });
    assert.equal(left(cluster), 0);
  });

  it("[04-29] desired 4, maximum 200 %: four replacements start before the four stop", () => {
    const cluster = drained(limits(4, 200, 100));
    assert.deepEqual(step(cluster), { start: 4, stop: 0 });
    cluster.settle("starting", "healthy");
    assert.deepEqual(step(cluster), { start: 0, stop: 4 });
    assert.equal(left(cluster), 0);
  });

  it("[04-30] maximum 100 %: a replacement starts only after a draining task is gone, not while it still stops", () => {
    const cluster = drained(limits(4, 100, 75));
    assert.deepEqual(step(cluster), { start: 0, stop: 1 });
    assert.deepEqual(moves(cluster), { start: 0, stop: 0 });
    cluster.settle("stopping", "gone");
    assert.deepEqual(moves(cluster), { start: 1, stop: 0 });
  });

  it("only those on the machine go: the others of the service are neither stopped nor replaced", () => {
    const cluster = drained(limits(2, 200, 100)).add("web", "healthy", 4, "other");
    cluster.limits.desiredCount = 6;
    assert.deepEqual(run(cluster), { fewest: 6, most: 8, outcome: "steady" });
    assert.equal(left(cluster), 0);
    assert.deepEqual([...cluster.tasks.keys()].slice(0, 4), ["web-3", "web-4", "web-5", "web-6"]);
  });

  it("those that do not run yet stop at once, whatever the bounds, and unhealthy ones with them", () => {
    const cluster = new RollingCluster(limits(4, 100, 100), ["web"], () => "other").add("web", "healthy", 2, "other");
    cluster.add("web", "starting", 1, "m").add("web", "unhealthy", 1, "m").draining.add("m");
    assert.deepEqual(cluster.plan().sets[0]?.stop, ["web-3", "web-4"]);
  });

  it("two machines at once have the same floor and ceiling between them", () => {
    const cluster = drained(limits(6, 150, 50)).add("web", "healthy", 3, "n");
    for (const name of ["web-1", "web-2", "web-3"]) cluster.tasks.delete(name);
    cluster.draining.add("n");
    assert.deepEqual(run(cluster), { fewest: 3, most: 9, outcome: "steady" });
    assert.equal(left(cluster) + left(cluster, "n"), 0);
  });

  for (const [desired, max, min, number] of [
    [4, 100, 100, 4],
    [1, 150, 50, 1],
    [7, 110, 90, 7],
  ] as const)
    it(`D=${desired} ${max}/${min} leaves no move: stuck, with ${number} as floor and ceiling, and nothing is given up`, () => {
      const cluster = drained(limits(desired, max, min));
      const plan = cluster.plan();
      assert.deepEqual([plan.outcome, plan.floor, plan.ceiling], ["stuck", number, number]);
      assert.deepEqual(totals(plan), { start: 0, stop: 0 });
    });
});

describe("draining: together with others", () => {
  it("a rolling update goes on meanwhile, under one floor and one ceiling, and those on the machine go first", () => {
    const cluster = new RollingCluster(limits(4, 125, 75), ["old", "new"], () => "other");
    cluster.add("old", "healthy", 2, "other").add("old", "healthy", 1, "m").add("new", "healthy", 1, "m");
    cluster.draining.add("m");
    const plan = cluster.plan();
    assert.equal(totals(plan).stop, 1);
    assert.ok(["old-3", "new-4"].includes(plan.sets.flatMap(({ stop }) => stop)[0] ?? ""));
    assert.deepEqual(run(cluster), { fewest: 3, most: 5, outcome: "steady" });
    assert.deepEqual([cluster.count("healthy", "new"), left(cluster)], [4, 0]);
  });

  it("where nothing may be started, nothing healthy is given up, of the present deployment or an older one", () => {
    const cluster = drained(limits(4, 200, 0)).add("web", "starting", 1, "m");
    const plan = cluster.plan({ startsBlocked: true });
    assert.deepEqual([plan.sets[0]?.stop, plan.outcome], [["web-5"], "progressing"]);
    cluster.sets.push("newer");
    assert.equal(totals(cluster.plan({ startsBlocked: true })).stop, 1);
  });

  it("where nothing may be started and nothing is missing either, the machine is left all the same", () => {
    const cluster = drained(limits(2, 200, 100)).add("web", "healthy", 2, "other");
    assert.equal(totals(cluster.plan({ startsBlocked: true })).stop, 2);
  });

  it("an uncordon in the middle: what was not asked to stop stays, and what was started for it and serves nobody yet goes", () => {
    const cluster = drained(limits(4, 200, 100));
    step(cluster);
    cluster.draining.delete("m");
    assert.deepEqual(cluster.plan().sets[0]?.stop, ["web-5", "web-6", "web-7", "web-8"]);
    assert.deepEqual(run(cluster), { fewest: 4, most: 8, outcome: "steady" });
    assert.equal(left(cluster), 4);
  });

  it("an uncordon after half of it: no task more than the surplus stops", () => {
    const cluster = drained(limits(4, 100, 50));
    step(cluster);
    cluster.settle("stopping", "gone");
    step(cluster);
    cluster.draining.delete("m");
    assert.deepEqual(moves(cluster), { start: 0, stop: 0 });
    cluster.settle("starting", "healthy");
    assert.deepEqual(cluster.plan().outcome, "steady");
  });
});

describe("tasks of lost machines that are set aside", () => {
  const lost = (bounds: Limits): RollingCluster => {
    const cluster = drained(bounds);
    cluster.draining.clear();
    cluster.add("web", "healthy", 2, "other").limits.desiredCount += 2;
    cluster.lost.add("m");
    return cluster;
  };

  it("count nowhere: others are started as if they were not, also where the maximum is 100 %", () => {
    const cluster = lost(limits(2, 100, 100));
    assert.deepEqual(step(cluster), { start: 2, stop: 0 });
    cluster.settle("starting", "healthy");
    assert.equal(cluster.plan().outcome, "steady");
  });

  it("are no reason to stop one that is healthy: the floor is kept by those that are heard", () => {
    const cluster = lost(limits(2, 100, 50));
    cluster.sets.push("newer");
    assert.equal(totals(cluster.plan()).stop, 2, "those that are set aside, and nothing else");
    assert.equal(cluster.plan().sets[0]?.stop.join(), "web-1,web-2");
  });

  it("count again when the machine is back, and those started in their place go first, however healthy they are", () => {
    const cluster = lost(limits(2, 200, 100));
    step(cluster);
    cluster.settle("starting", "healthy");
    cluster.lost.clear();
    assert.deepEqual(cluster.plan().sets[0]?.stop, ["web-5", "web-6"]);
  });

  it("are not stopped instead of their stand-ins while the floor still needs those", () => {
    const cluster = lost(limits(2, 200, 100));
    step(cluster);
    cluster.settle("starting", "healthy");
    cluster.lost.clear();
    for (const name of ["web-1", "web-2"]) cluster.set(name, "waiting");
    assert.deepEqual(moves(cluster), { start: 0, stop: 0 });
    cluster.settle("waiting", "healthy");
    assert.deepEqual(cluster.plan().sets[0]?.stop, ["web-5", "web-6"]);
  });

  it("are asked to stop when they are more than are wanted at all, and when their machine drains", () => {
    const cluster = lost(limits(2, 200, 100));
    cluster.limits.desiredCount = 1;
    assert.equal(cluster.plan().sets[0]?.stop.includes("web-1"), true);
    cluster.limits.desiredCount = 4;
    assert.equal(totals(cluster.plan()).stop, 0);
    cluster.draining.add("m");
    assert.deepEqual(cluster.plan().sets[0]?.stop, ["web-1", "web-2"]);
  });
});
