// What a service makes of tasks whose machine is lost.
import assert from "node:assert/strict";
import type { Task } from "../../api/types.gen.js";
import { isSetAside, isStopped } from "../../controllers/task/view.js";
import { eventually } from "../support/wait.js";
import { type House, type Machine, openHouse } from "./support/house.js";
import { type Observer, observe } from "./support/observer.js";

describe("a service whose machine is lost", () => {
  let house: House;
  let observer: Observer;
  beforeEach(async () => {
    house = await openHouse({ graceMs: 500 });
    observer = observe(house.store);
  });
  afterEach(async () => {
    await observer.stop();
    await house.close();
    assert.deepEqual(observer.breaches, []);
  });
  const on = async ({ id }: Machine): Promise<Task[]> =>
    (await house.tasks()).filter((task) => task.spec.containerInstance === id && !isStopped(task));
  const names = (tasks: readonly Task[]): string[] => tasks.map(({ metadata }) => metadata.name).sort();
  const count = async (machine: Machine, wanted: number): Promise<Task[]> =>
    eventually(`${wanted} tasks`, async () => {
      const tasks = (await on(machine)).filter(({ spec }) => spec.desiredStatus !== "STOPPED");
      return tasks.length === wanted && tasks.every(({ status }) => status?.lastStatus === "RUNNING") && tasks;
    });

  it("ORIGINAL: others stand in, though its percents leave no room; when it is back its own count again and the others stop", async () => {
    const m1 = await house.machine("m1");
    const m2 = await house.machine("m2");
    await house.define("app");
    await house.serve("web", {
      desiredCount: 4,
      deploymentConfiguration: { minimumHealthyPercent: 100, maximumPercent: 100 },
      lostInstances: { action: "REPLACE", afterSeconds: 1, onReturn: "ORIGINAL" },
    });
    await house.steady("web");
    const [originals, others] = [await on(m1), await on(m2)];
    assert.deepEqual([originals.length, others.length], [2, 2]);
    await m1.kill();
    const there = await count(m2, 4);
    const standIns = there.filter(({ metadata }) => !names(others).includes(metadata.name));
    assert.deepEqual(
      standIns.map(({ metadata }) => metadata.annotations?.["davit.dev/stands-in-for"]).sort(),
      names(originals),
    );
    const { status } = await house.steady("web");
    assert.deepEqual([status?.runningCount, status?.healthyCount], [4, 4]);
    assert.ok((await on(m1)).every(isSetAside), "nothing was asked of those that are lost");

    await m1.start();
    await eventually("the stand-ins stop", async () => (await on(m2)).length === 2);
    assert.deepEqual(names(await on(m1)), names(originals));
    assert.deepEqual(names(await on(m2)), names(others));
    await house.steady("web");
    assert.equal(m1.runtime().containers.size, 2);
  });

  it("REPLACEMENT: others are started at once, without a pause for what had not yet run, and nobody speaks of failed starts", async () => {
    const m1 = await house.machine("m1", { simulated: { pullMs: 60_000 } });
    await house.define("app");
    await house.serve("web", { desiredCount: 3, lostInstances: { action: "REPLACE", afterSeconds: 1 } });
    await eventually("PENDING", async () => (await on(m1)).length === 3);
    const m2 = await house.machine("m2");
    await m1.kill();
    const there = await count(m2, 3);
    assert.deepEqual(
      there.map(({ metadata }) => metadata.annotations?.["davit.dev/attempt"]),
      [undefined, undefined, undefined],
    );
    const lost = (await house.tasks()).filter(({ spec }) => spec.containerInstance === m1.id);
    assert.deepEqual(
      lost.map(({ status }) => [status?.lastStatus, status?.stopCode]),
      lost.map(() => ["STOPPED", "InfrastructureHealth"]),
    );
    const gaps = there.map(({ metadata }) => Date.parse(metadata.creationTimestamp) - Math.min(...lost.map(stoppedMs)));
    // Creation is told in whole seconds.
    assert.ok(Math.max(...gaps) <= 1_000, `${gaps}`);
    const { status } = await house.steady("web");
    assert.equal(status?.deployments?.[0]?.failedTasks, 0);
    assert.equal(
      status?.events?.some(({ message }) => message.includes("unable to consistently")),
      false,
    );
  });

  it("while nobody hears of it, no other is stopped as if its tasks were known to be well", async () => {
    const m1 = await house.machine("m1");
    const m2 = await house.machine("m2", { simulated: { startMs: [0, 50] } });
    await house.define("app");
    await house.serve("web", {
      desiredCount: 4,
      deploymentConfiguration: { minimumHealthyPercent: 50, maximumPercent: 100 },
      lostInstances: { action: "KEEP" },
    });
    await house.steady("web");
    await m1.kill();
    await eventually("not heard", async () =>
      (await on(m1)).every(({ status }) => status?.connectivity === "DISCONNECTED"),
    );
    const fewest = { healthy: Number.POSITIVE_INFINITY };
    const watching = setInterval(() => {
      const live = [...m2.runtime().containers.values()].filter(({ lastStatus }) => lastStatus === "RUNNING").length;
      fewest.healthy = Math.min(fewest.healthy, live);
    }, 5);
    await house.define("app", { image: "busybox:2" });
    await eventually("those out of sight are to go first", async () =>
      (await on(m1)).every(({ spec }) => spec.desiredStatus === "STOPPED"),
    );
    // As long as those are not gone there is no room for the new ones: it rests here.
    await new Promise((resolve) => setTimeout(resolve, 300));
    clearInterval(watching);
    assert.equal(fewest.healthy, 2);
    await m1.start();
    await house.steady("web");
  });
});

const stoppedMs = ({ status }: Task): number => Date.parse(status?.stoppedAt ?? "");
