// Machines that fall silent, and come back: what becomes of their tasks under each policy. Live copies are counted on
// the machines.
import assert from "node:assert/strict";
import { getCondition } from "../../api/conditions.js";
import type { LostInstances, Task } from "../../api/types.gen.js";
import { isSetAside } from "../../controllers/task/view.js";
import { eventually } from "../support/wait.js";
import { type House, type Machine, openHouse } from "./support/house.js";
import { type Observer, observe } from "./support/observer.js";

/** The shortest that can be asked for. */
const AFTER_S = 1;
const GRACE_MS = 600;

describe("machines that fall silent", () => {
  let house: House;
  let observer: Observer;
  let first: Machine;
  let second: Machine;
  beforeEach(async () => {
    house = await openHouse({ graceMs: GRACE_MS, selfStopMarginMs: 200 });
    observer = observe(house.store);
    await house.define("app", { stopTimeout: 2 });
    first = await house.machine("m1");
  });
  afterEach(async () => {
    await observer.stop();
    await house.close();
    assert.deepEqual(observer.breaches, []);
  });

  const ref = ({ id }: Machine) => ({ namespace: "default", name: id });
  const status = async (machine: Machine) => (await house.client.get("ContainerInstance", ref(machine)))?.status;
  const ready = async (machine: Machine) => getCondition((await status(machine))?.conditions, "Ready");
  const liveIds = ({ runtime }: Machine): string[] =>
    [...runtime().containers.values()].filter(({ lastStatus }) => lastStatus === "RUNNING").map(({ task }) => task);
  const on = async (machine: Machine): Promise<Task[]> =>
    (await house.tasks()).filter(({ spec }) => spec.containerInstance === machine.id);
  const states = async (machine: Machine) => (await on(machine)).map((task) => task.status?.lastStatus);
  const confirmed = (task: Task) => getCondition(task.status?.conditions, "ContainersConfirmedGone")?.status;
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const isAway = (machine: Machine) =>
    eventually("disconnected", async () => (await status(machine))?.agentConnected === false);
  const isBack = (machine: Machine) =>
    eventually("connected", async () => (await status(machine))?.agentConnected === true);
  /** Two tasks, both on the first machine; then there is a second one. */
  const serveTwo = async (lostInstances?: LostInstances): Promise<string[]> => {
    await house.serve("web", { desiredCount: 2, ...(lostInstances && { lostInstances }) });
    await house.steady("web");
    second = await house.machine("m2");
    return liveIds(first).sort();
  };
  const runsOnSecond = (count: number) => eventually("others run", () => liveIds(second).length === count);
  const setPolicy = (name: "default", lostInstances: LostInstances) =>
    house.client.patch("Cluster", { namespace: "default", name }, { spec: { lostInstances } });

  it("are noticed within the grace, with the time at which they were last heard of", async () => {
    const cutMs = Date.now();
    house.bus.cut(first.id, true);
    await isAway(first);
    assert.ok(Date.now() - cutMs < GRACE_MS + 100, `after ${Date.now() - cutMs} ms`);
    const { disconnectedAt = "" } = (await status(first)) ?? {};
    assert.ok(
      Math.abs(Date.parse(disconnectedAt) - cutMs) < 150,
      `${disconnectedAt} after ${new Date(cutMs).toISOString()}`,
    );
    assert.match((await ready(first))?.message ?? "", new RegExp(`last heard of at ${disconnectedAt}`));
    house.bus.heal(first.id);
    await isBack(first);
    assert.equal((await status(first))?.disconnectedAt, undefined);
  });

  it("[04-17] REPLACE, REPLACEMENT (cr#2040, hn#17424): others start at the deadline; on return the old ones go first", async () => {
    const old = await serveTwo({ action: "REPLACE", afterSeconds: AFTER_S });
    house.bus.cut(first.id);
    const cutMs = Date.now();
    await eventually("STOPPED", async () => (await states(first)).every((state) => state === "STOPPED"));
    assert.ok(Date.now() - cutMs >= AFTER_S * 1_000 - 150, "not before its time");
    for (const task of await on(first)) {
      assert.equal(task.status?.stoppedReason, "Host EC2 (instance m1) stopped/terminated");
      assert.deepEqual([task.status?.stopCode, confirmed(task)], ["InfrastructureHealth", "False"]);
    }
    await runsOnSecond(2);
    assert.deepEqual(liveIds(first).sort(), old, "nobody could tell the lost ones to stop");
    assert.deepEqual([(await status(first))?.status, (await status(first))?.agentConnected], ["ACTIVE", false]);
    house.bus.heal(first.id);
    await eventually("old ones gone", () => liveIds(first).length === 0);
    await eventually("confirmed", async () => (await on(first)).every((task) => confirmed(task) === "True"));
    assert.equal(liveIds(second).length, 2);
  });

  it("a machine that is back in time keeps its tasks", async () => {
    const old = await serveTwo({ afterSeconds: 3 });
    house.bus.cut(first.id);
    await isAway(first);
    await eventually("out of reach", async () =>
      (await on(first)).every((task) => task.status?.connectivity === "DISCONNECTED"),
    );
    house.bus.heal(first.id);
    await isBack(first);
    await eventually("in reach", async () =>
      (await on(first)).every((task) => task.status?.connectivity === "CONNECTED"),
    );
    await pause(1_500);
    assert.deepEqual([liveIds(first).sort(), liveIds(second)], [old, []]);
    assert.equal((await house.tasks()).length, 2);
  });

  it("REPLACE, ORIGINAL: others start and the old ones count no more; on return these go on, and the others stop", async () => {
    const old = await serveTwo({ afterSeconds: AFTER_S, onReturn: "ORIGINAL" });
    house.bus.cut(first.id);
    await runsOnSecond(2);
    assert.ok((await on(first)).every((task) => isSetAside(task) && task.status?.lastStatus === "RUNNING"));
    await house.steady("web");
    // A control plane that begins anew knows it still.
    await house.restartControllers();
    await pause(GRACE_MS);
    assert.equal(liveIds(second).length, 2);
    house.bus.heal(first.id);
    await eventually("the others stopped", () => liveIds(second).length === 0);
    assert.deepEqual(liveIds(first).sort(), old);
    assert.ok((await on(first)).every((task) => !isSetAside(task)));
    await house.steady("web");
  });

  it("REPLACE, ORIGINAL: what a newer deployment does not want back is stopped (hn#14925, hn#12680, hn#19729)", async () => {
    await serveTwo({ afterSeconds: AFTER_S, onReturn: "ORIGINAL" });
    house.bus.cut(first.id);
    await runsOnSecond(2);
    await house.define("app", { image: "busybox:2", stopTimeout: 2 });
    await eventually("STOPPED", async () => (await states(first)).every((state) => state === "STOPPED"));
    await house.steady("web");
    house.bus.heal(first.id);
    await eventually("old ones gone", () => liveIds(first).length === 0);
    await pause(300);
    const running = await house.running();
    assert.deepEqual(new Set(running.map((task) => task.status?.taskDefinition)), new Set(["app:2"]));
    assert.equal(running.length, 2);
  });

  it("STOP: the agent stops its tasks by itself; only when that must be over others start", async () => {
    await serveTwo({ action: "STOP", afterSeconds: AFTER_S });
    house.bus.cut(first.id);
    await eventually("stopped by its agent", () => liveIds(first).length === 0, 10_000);
    assert.deepEqual(await states(first), ["RUNNING", "RUNNING"], "nobody knows of it yet");
    assert.deepEqual(liveIds(second), []);
    await runsOnSecond(2);
    house.bus.heal(first.id);
    await eventually("confirmed", async () => (await on(first)).every((task) => confirmed(task) === "True"));
  });

  it("STOP that is wished later reaches tasks that run already", async () => {
    await serveTwo({ action: "KEEP" });
    await house.client.patch(
      "Service",
      { namespace: "default", name: "web" },
      { spec: { lostInstances: { action: "STOP", afterSeconds: AFTER_S } } },
    );
    // Sent with the next turn of the bus, as every push.
    await pause(200);
    house.bus.cut(first.id);
    await eventually("stopped by its agent", () => liveIds(first).length === 0, 10_000);
  });

  it("KEEP: nothing is replaced, however long it takes", async () => {
    const old = await serveTwo({ action: "KEEP", afterSeconds: AFTER_S });
    house.bus.cut(first.id);
    await isAway(first);
    await pause(2_500);
    assert.deepEqual([liveIds(second), await states(first)], [[], ["RUNNING", "RUNNING"]]);
    house.bus.heal(first.id);
    await isBack(first);
    assert.deepEqual(liveIds(first).sort(), old);
  });

  it("a policy that is changed while they are away counts from then on", async () => {
    await serveTwo({ action: "KEEP" });
    house.bus.cut(first.id);
    await isAway(first);
    await pause(1_000);
    await house.client.patch(
      "Service",
      { namespace: "default", name: "web" },
      { spec: { lostInstances: { action: "REPLACE", afterSeconds: AFTER_S } } },
    );
    await runsOnSecond(2);
  });

  it("standalone tasks follow the cluster's policy", async () => {
    await setPolicy("default", { afterSeconds: AFTER_S });
    await house.client.create("Task", {
      apiVersion: "davit.dev/v1",
      kind: "Task",
      metadata: { namespace: "default", name: "job" },
      spec: { taskDefinition: "app", cluster: "default" },
    });
    await eventually("it runs", () => liveIds(first).length === 1);
    second = await house.machine("m2");
    house.bus.cut(first.id);
    await eventually("STOPPED", async () => String(await states(first)) === "STOPPED");
    assert.deepEqual(liveIds(second), []);
  });

  it("a PENDING task on one is replaced, too", async () => {
    await first.stop("leave");
    const slow = await house.machine("slow", { simulated: { startMs: [60_000, 60_000] } });
    await house.serve("web", { desiredCount: 1, lostInstances: { afterSeconds: AFTER_S } });
    await eventually("PENDING", async () => String(await states(slow)) === "PENDING");
    second = await house.machine("m2");
    house.bus.cut(slow.id);
    await runsOnSecond(1);
  });

  it("a PENDING task goes on when its machine is back in time (hn#19805, hn#24955)", async () => {
    await first.stop("leave");
    const slow = await house.machine("slow", { simulated: { startMs: [800, 800] } });
    await house.serve("web", { desiredCount: 1 });
    await eventually("PENDING", async () => String(await states(slow)) === "PENDING");
    house.bus.cut(slow.id);
    await isAway(slow);
    house.bus.heal(slow.id);
    await eventually("RUNNING", async () => String(await states(slow)) === "RUNNING");
    assert.equal((await house.tasks()).length, 1);
  });

  it("nothing is replaced while no machine of the cluster is heard, and the machine says so; then it is", async () => {
    await serveTwo({ afterSeconds: AFTER_S });
    house.bus.cut(first.id);
    house.bus.cut(second.id);
    await eventually("it says so", async () => (await ready(first))?.reason === "NobodyHeard", 5_000);
    assert.match((await ready(first))?.message ?? "", /No machine of cluster default is heard/);
    await pause(1_500);
    assert.deepEqual(await states(first), ["RUNNING", "RUNNING"]);
    house.bus.heal(second.id);
    const healedMs = Date.now();
    await runsOnSecond(2);
    assert.ok(Date.now() - healedMs >= GRACE_MS, "the first one had no chance to be heard");
    assert.equal((await ready(first))?.reason, "AgentDisconnected");
  });

  it("a lost bus, however long, and a restarted control plane shorten nothing", async () => {
    const old = await serveTwo({ afterSeconds: AFTER_S });
    house.bus.setConnected(false);
    await pause(2_000);
    house.bus.setConnected(true);
    await isBack(first);
    house.bus.setConnected(false);
    await house.stopControllers();
    await pause(1_500);
    await house.startControllers();
    house.bus.setConnected(true);
    await pause(2 * GRACE_MS);
    assert.deepEqual([liveIds(first).sort(), (await house.tasks()).length], [old, 2]);
    // One that was lost before and is due has still to be given its chance.
    house.bus.cut(first.id);
    await isAway(first);
    await house.stopControllers();
    await pause(1_500);
    const startedMs = Date.now();
    await house.startControllers();
    await eventually("STOPPED", async () => (await states(first)).every((state) => state === "STOPPED"));
    assert.ok(Date.now() - startedMs >= GRACE_MS - 50, `after ${Date.now() - startedMs} ms`);
  });

  it("a process that stood still has heard nobody meanwhile: nobody is lost by that", async () => {
    await observer.stop();
    await house.close();
    let skipMs = 0;
    house = await openHouse({ graceMs: GRACE_MS, now: () => Date.now() + skipMs });
    observer = observe(house.store);
    await house.define("app");
    first = await house.machine("m1");
    await serveTwo({ afterSeconds: AFTER_S });
    skipMs = 3_600_000;
    await pause(2_000);
    assert.deepEqual([(await status(first))?.agentConnected, liveIds(second)], [true, []]);
  });

  it("what a lost machine said in an old session does not count when it is back", async () => {
    await serveTwo({ afterSeconds: AFTER_S });
    const { epoch = 0 } = (await status(first)) ?? {};
    house.bus.cut(first.id, true);
    await runsOnSecond(2);
    await first.kill();
    house.bus.heal(first.id);
    const [task] = await on(first);
    const late = {
      task: task?.metadata.uid.replaceAll("-", "") ?? "",
      namespace: "default",
      name: task?.metadata.name ?? "",
    };
    const answer = await house.bus.agent(first.id).report(
      {
        type: "davit.v1.ReportBatch",
        instance: first.id,
        epoch,
        reports: [{ ...late, seq: 99, state: "RUNNING", containers: [], observedAtMs: 0 }],
      },
      1_000,
    );
    assert.deepEqual([answer.ok, answer.superseded], [false, true]);
  });

  it("a machine that was DRAINING by itself when the control plane ended is ACTIVE again (mulgadc/spinifex#430)", async () => {
    // Whatever wrote it: the state follows the wish, over any restart.
    await house.stopControllers();
    const object = await house.client.get("ContainerInstance", ref(first));
    assert.ok(object);
    const version = (object.status?.version ?? 0) + 1;
    const drained = { ...object, status: { ...object.status, status: "DRAINING" as const, version } };
    await house.client.updateStatus("ContainerInstance", drained);
    await house.startControllers();
    await eventually("ACTIVE", async () => (await status(first))?.status === "ACTIVE");
  });
});
