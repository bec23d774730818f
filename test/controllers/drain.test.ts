import assert from "node:assert/strict";
import { getCondition } from "../../api/conditions.js";
import type { ContainerInstance, DeploymentConfiguration, Task } from "../../api/types.gen.js";
import { isStopped } from "../../controllers/task/view.js";
import { eventually } from "../support/wait.js";
import { type House, type Machine, openHouse } from "./support/house.js";
import { type Observer, observe } from "./support/observer.js";

const within = (maximumPercent: number, minimumHealthyPercent: number): DeploymentConfiguration => ({
  maximumPercent,
  minimumHealthyPercent,
});

describe("draining a machine", () => {
  let house: House;
  let observer: Observer;
  beforeEach(async () => {
    house = await openHouse();
    observer = observe(house.store);
  });
  afterEach(async () => {
    await observer.stop();
    await house.close();
    assert.deepEqual(observer.breaches, []);
  });

  const refOf = ({ id }: Machine) => ({ namespace: "default", name: id });
  const wish = (machine: Machine, status: "ACTIVE" | "DRAINING") =>
    house.client.patch("ContainerInstance", refOf(machine), { spec: { status } });
  const instance = async (machine: Machine): Promise<ContainerInstance> => {
    const found = await house.client.get("ContainerInstance", refOf(machine));
    if (found === undefined) throw new Error("the machine's object is gone");
    return found;
  };
  const drained = async (machine: Machine) => getCondition((await instance(machine)).status?.conditions, "Drained");
  const says = (machine: Machine, reason: string) =>
    eventually(`Drained says ${reason}`, async () => {
      const condition = await drained(machine);
      if (condition?.reason !== reason) throw new Error(`${condition?.reason}: ${condition?.message}`);
      return condition;
    });
  const on = async ({ id }: Machine): Promise<readonly Task[]> =>
    (await house.tasks()).filter((task) => task.spec.containerInstance === id && !isStopped(task));
  const run = (name: string, more: object = {}) =>
    house.client.create("Task", {
      apiVersion: "davit.dev/v1",
      kind: "Task",
      metadata: { namespace: "default", name },
      spec: { taskDefinition: "app", cluster: "default", ...more },
    });

  it("[04-33] [04-34] ends empty with status DRAINING; set to ACTIVE it takes tasks again, and the condition goes", async () => {
    const m1 = await house.machine("m1");
    await house.machine("m2");
    await house.define("app");
    await house.serve("web", { desiredCount: 4, deploymentConfiguration: within(200, 100) });
    await house.steady("web");
    assert.equal((await on(m1)).length, 2);
    await wish(m1, "DRAINING");
    const condition = await says(m1, "Empty");
    assert.equal(condition.status, "True");
    assert.deepEqual(await on(m1), []);
    assert.equal((await instance(m1)).status?.status, "DRAINING");
    const gone = (await house.tasks()).filter((task) => task.spec.containerInstance === m1.id);
    assert.deepEqual(
      gone.map(({ status }) => [status?.stopCode, status?.stoppedReason]),
      gone.map(() => ["ServiceSchedulerInitiated", `Container instance (instance ${m1.id}) is draining`]),
    );
    await wish(m1, "ACTIVE");
    await eventually("no condition", async () => (await drained(m1)) === undefined);
    await house.client.patch("Service", { namespace: "default", name: "web" }, { spec: { desiredCount: 8 } });
    await house.steady("web");
    assert.equal((await on(m1)).length, 4);
  });

  it("[04-23] gets no task of a service or of its own, from the moment it is wished", async () => {
    const m1 = await house.machine("m1");
    const m2 = await house.machine("m2");
    await house.define("app");
    await wish(m1, "DRAINING");
    await house.serve("web", { desiredCount: 6 });
    await run("job");
    await house.steady("web");
    await eventually("the job runs", async () => (await on(m2)).length === 7);
    assert.deepEqual(
      (await house.tasks()).filter((task) => task.spec.containerInstance === m1.id),
      [],
    );
  });

  it("[04-24] a PENDING task of a service stops at once and runs elsewhere, though its percents leave no move", async () => {
    const m1 = await house.machine("m1", { simulated: { pullMs: 60_000 } });
    await house.define("app");
    await house.serve("web", { desiredCount: 1, deploymentConfiguration: within(100, 100) });
    await eventually("PENDING on m1", async () => (await on(m1))[0]?.status?.lastStatus === "PENDING");
    await house.machine("m2");
    await wish(m1, "DRAINING");
    await house.steady("web");
    await says(m1, "Empty");
  });

  it("[04-25] [04-26] standalone tasks, RUNNING or PENDING, are left alone", async () => {
    const m1 = await house.machine("m1");
    const slow = await house.machine("slow", { simulated: { startMs: 60_000 } });
    await house.define("app");
    await run("runs", { containerInstance: m1.id });
    await run("starts", { containerInstance: slow.id });
    await eventually("both are there", async () => {
      const states = [...(await on(m1)), ...(await on(slow))].map(({ status }) => status?.lastStatus);
      return String(states) === "RUNNING,PENDING";
    });
    await wish(m1, "DRAINING");
    await wish(slow, "DRAINING");
    assert.equal(
      (await says(m1, "StandaloneTasks")).message,
      "1 standalone task, left alone until it ends or is stopped: runs.",
    );
    await says(slow, "StandaloneTasks");
    for (const [machine, state] of [
      [m1, "RUNNING"],
      [slow, "PENDING"],
    ] as const) {
      const [task] = await on(machine);
      assert.deepEqual([task?.status?.lastStatus, task?.spec.desiredStatus ?? "RUNNING"], [state, "RUNNING"]);
    }
    await house.client.patch("Task", { namespace: "default", name: "runs" }, { spec: { desiredStatus: "STOPPED" } });
    await says(m1, "Empty");
  });

  it("[04-31] without a load balancer a replacement counts once it runs: then the old one goes", async () => {
    const m1 = await house.machine("m1");
    await house.define("app");
    await house.serve("web", { desiredCount: 2, deploymentConfiguration: within(200, 100) });
    await house.steady("web");
    const m2 = await house.machine("m2", { simulated: { startMs: 300 } });
    await wish(m1, "DRAINING");
    await eventually("replacements start", async () => (await on(m2)).length === 2);
    assert.equal((await on(m1)).filter(({ status }) => status?.lastStatus === "RUNNING").length, 2);
    await says(m1, "Empty");
    assert.deepEqual(
      (await on(m2)).map(({ status }) => status?.lastStatus),
      ["RUNNING", "RUNNING"],
    );
  });

  it("says which service its percents keep here, with both numbers, in the condition and in the service's events; and goes on when they change", async () => {
    const m1 = await house.machine("m1");
    await house.define("app");
    await house.serve("web", { desiredCount: 2, deploymentConfiguration: within(100, 100) });
    await house.steady("web");
    await house.machine("m2");
    await wish(m1, "DRAINING");
    const why = "minimumHealthyPercent 100 and maximumPercent 100 leave no move: floor 2, ceiling 2";
    assert.equal((await says(m1, "Blocked")).message, `service web (2 tasks): ${why}.`);
    await eventually("the event", async () =>
      (await house.service("web"))?.status?.events?.some(
        ({ message }) =>
          message === `(service web) was unable to leave (instance ${m1.id}), which is draining: ${why}.`,
      ),
    );
    assert.equal((await on(m1)).length, 2);
    const deploymentConfiguration = within(150, 100);
    await house.client.patch("Service", { namespace: "default", name: "web" }, { spec: { deploymentConfiguration } });
    await says(m1, "Empty");
    const events = (await house.service("web"))?.status?.events ?? [];
    assert.equal(events.filter(({ message }) => message.includes("was unable to leave")).length, 1);
  });

  it("says that there is no room, keeps the floor, and goes on when a machine joins", async () => {
    const m1 = await house.machine("m1");
    await house.define("app");
    await house.serve("web", { desiredCount: 4, deploymentConfiguration: within(100, 50) });
    await house.steady("web");
    await wish(m1, "DRAINING");
    const { message } = await says(m1, "Blocked");
    assert.match(message, /^service web \(2 tasks\): no room for 2 replacements \(floor 2, ceiling 4\): .*DRAINING/);
    await house.machine("m2");
    await says(m1, "Empty");
  });

  it("an uncordon in the middle takes it back: what is left stays, and the percents hold all along", async () => {
    const m1 = await house.machine("m1");
    await house.machine("m2", { simulated: { startMs: 60_000 } });
    await house.define("app");
    await wish(m1, "ACTIVE");
    await house.serve("web", { desiredCount: 3, taskDefinition: "app" });
    await eventually("some run", async () => (await house.running()).length >= 1);
    const before = (await house.running()).map(({ metadata }) => metadata.name).sort();
    await wish(m1, "DRAINING");
    await says(m1, "Draining");
    await wish(m1, "ACTIVE");
    await eventually("no condition", async () => (await drained(m1)) === undefined);
    assert.deepEqual((await house.running()).map(({ metadata }) => metadata.name).sort(), before);
  });

  it("a blocked drain can be taken back, and nothing was harmed by it", async () => {
    const m1 = await house.machine("m1");
    await house.define("app");
    await house.serve("web", { desiredCount: 2, deploymentConfiguration: within(100, 100) });
    await house.steady("web");
    await house.machine("m2");
    const before = (await on(m1)).map(({ metadata }) => metadata.name).sort();
    await wish(m1, "DRAINING");
    await says(m1, "Blocked");
    await wish(m1, "ACTIVE");
    await eventually("no condition", async () => (await drained(m1)) === undefined);
    assert.deepEqual((await on(m1)).map(({ metadata }) => metadata.name).sort(), before);
  });

  it("a newer revision that cannot run is no reason to stay: the present one leaves the machine", async () => {
    const m1 = await house.machine("m1");
    await house.machine("m2");
    await house.define("app");
    await house.serve("web", { desiredCount: 4, deploymentConfiguration: within(200, 100) });
    await house.steady("web");
    await house.define("app", { secrets: [{ name: "KEY", valueFrom: "key" }] });
    await eventually("it cannot run", async () =>
      (await house.service("web"))?.status?.conditions?.some(({ reason }) => reason === "NotImplemented"),
    );
    await wish(m1, "DRAINING");
    await says(m1, "Empty");
    const running = await house.running();
    assert.deepEqual(
      running.map(({ status }) => status?.taskDefinition),
      ["app:1", "app:1", "app:1", "app:1"],
    );
  });

  it("where replacements do not start, nothing healthy is given up above the floor, and the drain says so", async () => {
    const m1 = await house.machine("m1");
    await house.define("app");
    await house.serve("web", { desiredCount: 2, deploymentConfiguration: within(200, 100) });
    await house.steady("web");
    await house.machine("m2", { simulated: { startFailureRate: 1 } });
    await wish(m1, "DRAINING");
    await eventually("it says so", async () =>
      /replacements fail to start \(\d+ in a row\)/.test((await drained(m1))?.message ?? ""),
    );
    assert.equal((await on(m1)).filter(({ spec }) => spec.desiredStatus !== "STOPPED").length, 2);
  });

  it("what a task holds of a machine is held until it is gone: the drain is not over before, and nothing takes its place", async () => {
    const m1 = await house.machine("m1", { simulated: { stopMs: 1_500 } });
    const m2 = await house.machine("m2", { simulated: { stopMs: 1_500, memoryMiB: 32 } });
    await house.define("app");
    await house.define("big", { memory: 32 });
    await run("job", { taskDefinition: "big", containerInstance: m2.id });
    await eventually("the job runs", async () => (await house.running()).length === 1);
    await house.serve("web", { desiredCount: 1, deploymentConfiguration: within(200, 100) });
    await house.steady("web");
    const left = async (machine: Machine) =>
      (await instance(machine)).status?.remainingResources?.find(({ name }) => name === "MEMORY")?.integerValue;
    await wish(m1, "DRAINING");
    await says(m1, "Blocked");
    // Now there will be room on m2: but not before the job is really down.
    await house.client.patch("Task", { namespace: "default", name: "job" }, { spec: { desiredStatus: "STOPPED" } });
    const placedAt = await eventually(
      "web is placed on m2",
      async () => (await on(m2)).some(({ metadata }) => metadata.labels?.["davit.dev/service"] === "web") && Date.now(),
    );
    const job = (await house.tasks()).find(({ metadata }) => metadata.name === "job");
    assert.equal(job?.status?.lastStatus, "STOPPED");
    assert.ok(Date.parse(job.status.stoppedAt ?? "") <= placedAt);
    await eventually("the old one stops", async () => (await on(m1))[0]?.spec.desiredStatus === "STOPPED");
    await eventually("it says so", async () => (await drained(m1))?.message === "service web (1 task): stopping.");
    assert.equal(await left(m1), 16_384 - 16);
    await says(m1, "Empty");
    await eventually("all of it is free", async () => (await left(m1)) === 16_384);
  });

  it("two machines at once, in the middle of a rolling update, with the control plane restarted", async () => {
    const machines: Machine[] = [];
    for (const name of ["m1", "m2", "m3"])
      machines.push(await house.machine(name, { simulated: { startMs: [0, 30], stopMs: [0, 30] } }));
    const [m1, m2] = machines as [Machine, Machine];
    await house.define("app");
    await house.serve("web", { desiredCount: 9, deploymentConfiguration: within(150, 50) });
    await house.steady("web");
    await wish(m1, "DRAINING");
    await house.define("app", { image: "busybox:2" });
    await wish(m2, "DRAINING");
    await house.restartControllers();
    await says(m1, "Empty");
    await says(m2, "Empty");
    await house.steady("web");
  });

  it("drainAt: drains when the time comes, also if the control plane was down then, and not before", async () => {
    const m1 = await house.machine("m1");
    const m2 = await house.machine("m2");
    await house.define("app");
    await house.serve("web", { desiredCount: 2 });
    await house.steady("web");
    const at = (ms: number) => ({ spec: { drainAt: new Date(Date.now() + ms).toISOString() } });
    const soon = await house.client.patch("ContainerInstance", refOf(m1), at(1_000));
    await house.client.patch("ContainerInstance", refOf(m2), at(3_600_000));
    await says(m1, "Empty");
    assert.ok(Date.now() >= Date.parse(soon.spec.drainAt ?? ""));
    assert.equal((await instance(m2)).status?.status, "ACTIVE");
    await house.stopControllers();
    await house.client.patch("ContainerInstance", refOf(m2), at(-1_000));
    await house.client.patch("ContainerInstance", refOf(m1), { spec: { drainAt: null, status: "ACTIVE" } });
    await house.startControllers();
    await says(m2, "Empty");
    assert.equal((await instance(m1)).status?.status, "ACTIVE");
  });

  it("is written at most once a second, each time with the next version", async () => {
    const m1 = await house.machine("m1");
    await house.machine("m2", { simulated: { startMs: [100, 2_000] } });
    await house.define("app");
    await house.serve("web", { desiredCount: 12, deploymentConfiguration: within(125, 75) });
    await eventually("all on m1 run", async () => {
      const states = (await on(m1)).map(({ status }) => status?.lastStatus);
      return states.length === 6 && states.every((state) => state === "RUNNING");
    });
    const seen: { atMs: number; message: string; version: number }[] = [];
    const watching = new AbortController();
    const { resourceVersion } = await house.client.list("ContainerInstance");
    const watch = (async () => {
      for await (const { events } of house.client.watch("ContainerInstance", {
        resourceVersion,
        signal: watching.signal,
      }))
        for (const { object } of events) {
          const message = getCondition(object.status?.conditions, "Drained")?.message;
          if (object.metadata.name === m1.id && message !== undefined && message !== seen.at(-1)?.message)
            seen.push({ atMs: Date.now(), message, version: object.status?.version ?? 0 });
        }
    })();
    await wish(m1, "DRAINING");
    await says(m1, "Empty");
    watching.abort();
    await watch;
    assert.ok(seen.length >= 2, JSON.stringify(seen));
    const gaps = seen.slice(1).map(({ atMs }, at) => atMs - (seen[at]?.atMs ?? 0));
    assert.ok(Math.min(...gaps) > 900, `${gaps}`);
    assert.deepEqual(
      seen.map(({ version }) => version),
      [...seen.map(({ version }) => version)].sort((a, b) => a - b),
    );
  });
});
