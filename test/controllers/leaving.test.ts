// How machines go: for a moment, for a night, for good; by themselves and by somebody's word.
import assert from "node:assert/strict";
import { getCondition } from "../../api/conditions.js";
import type { Task } from "../../api/types.gen.js";
import { instanceIdOf } from "../../controllers/enrolment/identity.js";
import { eventually } from "../support/wait.js";
import { type House, type Machine, openHouse } from "./support/house.js";
import { syncOf } from "./support/objects.js";

describe("machines that go", () => {
  let house: House;
  let first: Machine;
  let second: Machine;
  beforeEach(async () => {
    house = await openHouse();
    await house.define("app");
    first = await house.machine("m1");
  });
  afterEach(async () => {
    await house.close();
  });

  const ref = ({ id }: Machine) => ({ namespace: "default", name: id });
  const object = (machine: Machine) => house.client.get("ContainerInstance", ref(machine));
  const status = async (machine: Machine) => (await object(machine))?.status;
  const state = async (machine: Machine) => (await status(machine))?.status;
  const live = ({ runtime }: Machine) =>
    [...runtime().containers.values()].filter(({ lastStatus }) => lastStatus === "RUNNING").length;
  const wish = (machine: Machine, spec: object) => house.client.patch("ContainerInstance", ref(machine), { spec });
  const confirmed = (task: Task | undefined) =>
    getCondition(task?.status?.conditions, "ContainersConfirmedGone")?.status;
  const on = async (machine: Machine): Promise<Task[]> =>
    (await house.tasks()).filter(({ spec }) => spec.containerInstance === machine.id);
  /** Two tasks on the first machine; then there is a second one. */
  const serveTwo = async (): Promise<void> => {
    await house.serve("web", { desiredCount: 2 });
    await house.steady("web");
    second = await house.machine("m2");
  };
  const isThere = async (machine: Machine, tasks: number) =>
    eventually(`${tasks} tasks there`, async () => {
      const running = (await on(machine)).filter(({ status }) => status?.lastStatus === "RUNNING");
      return running.length === tasks && live(machine) === tasks;
    });
  const standalone = async (name: string) =>
    house.client.create("Task", {
      apiVersion: "davit.dev/v1",
      kind: "Task",
      metadata: { namespace: "default", name },
      spec: { taskDefinition: "app", cluster: "default" },
    });

  describe("with a goodbye", () => {
    it("restart: only its agent is away; tasks and containers stay", async () => {
      await serveTwo();
      await first.stop("restart");
      await eventually("disconnected", async () => (await status(first))?.agentConnected === false, 900);
      assert.ok((await status(first))?.disconnectedAt);
      assert.deepEqual(
        (await on(first)).map((task) => task.status?.lastStatus),
        ["RUNNING", "RUNNING"],
      );
      await first.start();
      await eventually("connected", async () => (await status(first))?.agentConnected === true);
      assert.deepEqual([(await status(first))?.disconnectedAt, live(first)], [undefined, 2]);
    });

    it("[04-5] [04-6] [09-32] stop: it stays ACTIVE, its tasks are STOPPED in ECS's words, at once, and run elsewhere", async () => {
      await serveTwo();
      await first.stop("stop");
      const before = await eventually("STOPPED", async () => {
        const tasks = await on(first);
        return tasks.every((task) => task.status?.lastStatus === "STOPPED") && tasks;
      });
      for (const task of before) {
        assert.equal(task.status?.stoppedReason, "Host EC2 (instance m1) stopped/terminated");
        assert.deepEqual([task.status?.stopCode, confirmed(task)], ["TerminationNotice", "False"]);
      }
      assert.deepEqual([await state(first), (await status(first))?.agentConnected], ["ACTIVE", false]);
      await isThere(second, 2);
    });

    it("[04-7] a machine that starts again is the same instance, its former tasks are gone from it, and it gets others", async () => {
      await serveTwo();
      await first.stop("stop");
      await isThere(second, 2);
      assert.equal(live(first), 2, "the machine did not really stop: its containers live");
      await first.start();
      await eventually("removed before anything else", () => live(first) === 0);
      const old = await on(first);
      await eventually("known to be gone", async () => (await on(first)).every((task) => confirmed(task) === "True"));
      assert.equal(old.length, 2);
      assert.deepEqual(
        [await state(first), (await house.client.list("ContainerInstance")).items.length],
        ["ACTIVE", 2],
      );
      await house.client.patch("Service", { namespace: "default", name: "web" }, { spec: { desiredCount: 4 } });
      await isThere(first, 2);
    });

    it("[04-12] [04-16] leave: it is DEREGISTERING while its tasks stop, then INACTIVE; others take their place", async () => {
      const slow = await house.machine("slow", { simulated: { stopMs: [300, 300] } });
      await first.stop("leave");
      await house.serve("web", { desiredCount: 2 });
      await house.steady("web");
      second = await house.machine("m2");
      const states: string[] = [];
      const leaving = slow.stop("leave");
      await eventually("INACTIVE", async () => {
        const now = (await state(slow)) ?? "";
        if (states.at(-1) !== now) states.push(now);
        return now === "INACTIVE";
      });
      await leaving;
      assert.deepEqual(
        states.filter((each) => each !== "ACTIVE"),
        ["DEREGISTERING", "INACTIVE"],
      );
      assert.equal(live(slow), 0);
      await isThere(second, 2);
      for (const task of await on(slow)) {
        assert.equal(task.status?.stoppedReason, "Host EC2 (instance slow) stopped/terminated");
        assert.equal(confirmed(task), undefined, "its agent has seen its end");
      }
    });

    it("a machine that wanted to leave and falls silent over it is let go all the same", async () => {
      await first.stop("leave");
      const slow = await house.machine("slow", { simulated: { stopMs: [5_000, 5_000] } });
      await house.serve("web", { desiredCount: 2 });
      await isThere(slow, 2);
      second = await house.machine("m2");
      const leaving = slow.stop("leave");
      await eventually("DEREGISTERING", async () => (await state(slow)) === "DEREGISTERING");
      await slow.kill();
      await leaving;
      await eventually("INACTIVE", async () => (await state(slow)) === "INACTIVE", 3_000);
      for (const task of await on(slow))
        assert.deepEqual([task.status?.lastStatus, confirmed(task)], ["STOPPED", "False"]);
      await isThere(second, 2);
    });
  });

  describe("deregistered", () => {
    it("[04-13] [04-21] [04-22] without tasks: INACTIVE at once, with nothing placed on it; machine and agent run on", async () => {
      await wish(first, { deregister: "IfEmpty" });
      await eventually("INACTIVE", async () => (await state(first)) === "INACTIVE", 1_000);
      await house.serve("web", { desiredCount: 1 });
      await eventually("it waits", async () => (await house.tasks())[0]?.status?.lastStatus === "PROVISIONING");
      assert.deepEqual([first.isUp(), (await status(first))?.agentConnected], [true, false]);
      const [cluster] = (await house.client.list("Cluster")).items;
      assert.equal(cluster?.status?.registeredContainerInstancesCount, 0);
      second = await house.machine("m2");
      await isThere(second, 1);
    });

    it("deleting one without tasks deregisters it: it is gone, and its agent is not let in again", async () => {
      const id = instanceIdOf("default", "machine-7");
      const name = { namespace: "default", name: id };
      await house.client.create("ContainerInstance", {
        apiVersion: "davit.dev/v1",
        kind: "ContainerInstance",
        metadata: name,
        spec: {},
      });
      const sync = () => house.bus.agent(id).sync(syncOf(id, { machineId: "machine-7", agentVersion: "0.1.0" }), 1_000);
      assert.equal((await sync()).refused, undefined);
      await house.client.delete("ContainerInstance", name);
      await eventually("gone", async () => (await house.client.get("ContainerInstance", name)) === undefined);
      assert.equal((await sync()).refused?.reason, "Deregistered");
    });

    it("cannot be taken back, and a machine cannot be moved by a word: the API says so", async () => {
      await standalone("job");
      await isThere(first, 1);
      const say = (spec: object) => house.api.client.patch("ContainerInstance", ref(first), { spec });
      await say({ deregister: "IfEmpty" });
      await eventually("DEREGISTERING", async () => (await state(first)) === "DEREGISTERING");
      await assert.rejects(say({ deregister: null }), /spec\.deregister: .*cannot be taken back/s);
      await assert.rejects(say({ cluster: "other" }), /spec\.cluster: .*never moves to another cluster/s);
      await say({ deregister: "Force" });
      await eventually("INACTIVE", async () => (await state(first)) === "INACTIVE");
      await say({ deregister: null });
    });

    it("[07-59] deleting one while tasks run on it is refused, with their number; nothing is changed", async () => {
      await serveTwo();
      await assert.rejects(
        house.client.delete("ContainerInstance", ref(first)),
        (error: Error & { code?: number }) => error.code === 409 && /2 tasks/.test(error.message),
      );
      assert.deepEqual([await state(first), live(first)], ["ACTIVE", 2]);
    });

    it("IfEmpty, with tasks that came at the last moment: takes no others, and waits for them to end", async () => {
      await standalone("job");
      await isThere(first, 1);
      await wish(first, { deregister: "IfEmpty" });
      await eventually("DEREGISTERING", async () => (await state(first)) === "DEREGISTERING");
      await standalone("other");
      await eventually("it waits", async () =>
        (await house.tasks()).some(({ status }) => status?.lastStatus === "PROVISIONING"),
      );
      assert.equal(live(first), 1);
      await house.client.delete("Task", { namespace: "default", name: "job" });
      await eventually("INACTIVE", async () => (await state(first)) === "INACTIVE");
    });

    it("[01-25] [07-59] [09-33] by force: its agent stops all its tasks, in ECS's words, and services start others", async () => {
      await serveTwo();
      await standalone("job");
      await wish(first, { deregister: "Force" });
      await eventually("INACTIVE", async () => (await state(first)) === "INACTIVE");
      assert.equal(live(first), 0);
      for (const task of await on(first)) {
        assert.equal(task.status?.stoppedReason, "Container instance deregistration forced by user");
        assert.deepEqual([task.status?.stopCode, confirmed(task)], ["UserInitiated", undefined]);
      }
      await eventually("two elsewhere", async () => (await on(second)).length >= 2);
    });

    it("by force, out of reach: fenced first, then STOPPED; what lives there goes when the agent is back", async () => {
      await serveTwo();
      house.bus.cut(first.id);
      await eventually("disconnected", async () => (await status(first))?.agentConnected === false);
      const { epoch = 0 } = (await status(first)) ?? {};
      await wish(first, { deregister: "Force" });
      await eventually("INACTIVE", async () => (await state(first)) === "INACTIVE");
      assert.ok(((await status(first))?.epoch ?? 0) > epoch);
      for (const task of await on(first))
        assert.deepEqual(
          [task.status?.lastStatus, task.status?.stoppedReason, confirmed(task)],
          ["STOPPED", "Container instance deregistration forced by user", "False"],
        );
      await isThere(second, 2);
      assert.equal(live(first), 2);
      house.bus.heal(first.id);
      await eventually("cleaned up", () => live(first) === 0);
      await eventually("confirmed", async () => (await on(first)).every((task) => confirmed(task) === "True"));
      assert.equal((await state(first)) ?? "INACTIVE", "INACTIVE");
    });

    it("[04-18] [04-19] as orphans: its containers run on and are nobody's; services start others", async () => {
      await serveTwo();
      const containers = [...first.runtime().containers.keys()];
      await wish(first, { deregister: "Orphan" });
      await eventually("INACTIVE", async () => (await state(first)) === "INACTIVE");
      await isThere(second, 2);
      for (const task of await on(first))
        assert.deepEqual([task.status?.lastStatus, confirmed(task)], ["STOPPED", "False"]);
      // A restarted agent leaves them alone, too.
      await first.kill();
      void first.start();
      await eventually("refused", async () =>
        (await status(first))?.conditions?.some(({ type, reason }) => type === "Refused" && reason === "Deregistered"),
      );
      assert.deepEqual([...first.runtime().containers.keys()], containers);
      assert.equal(live(first), 2);
    });

    it("as orphans, out of reach: the agent is told so when it is back", async () => {
      await serveTwo();
      house.bus.cut(first.id);
      await eventually("disconnected", async () => (await status(first))?.agentConnected === false);
      await wish(first, { deregister: "Orphan" });
      await eventually("INACTIVE", async () => (await state(first)) === "INACTIVE");
      await isThere(second, 2);
      house.bus.heal(first.id);
      await eventually("let go", () =>
        [...first.runtime().containers.values()].every(({ runtimeName = "" }) =>
          runtimeName.startsWith("davit-orphaned-"),
        ),
      );
      assert.equal(live(first), 2);
    });

    it("[04-9] a duplicate that is disconnected goes without harm to the live one", async () => {
      const twin = await house.machine("twin", { agent: { hostname: "m1" } });
      await serveTwo();
      await twin.kill();
      await eventually("disconnected", async () => (await status(twin))?.agentConnected === false);
      const before = await status(first);
      await wish(twin, { deregister: "Force" });
      await eventually("INACTIVE", async () => (await state(twin)) === "INACTIVE");
      const after = await status(first);
      assert.deepEqual([after?.status, after?.epoch, after?.agentConnected], ["ACTIVE", before?.epoch, true]);
    });

    it("one that was deregistered stays out until it joins anew", async () => {
      await wish(first, { deregister: "Force" });
      await eventually("INACTIVE", async () => (await state(first)) === "INACTIVE");
      await first.kill();
      void first.start();
      await eventually("refused", async () =>
        (await status(first))?.conditions?.some(({ type, reason }) => type === "Refused" && reason === "Deregistered"),
      );
      await wish(first, { deregister: null });
      await eventually("ACTIVE", async () => (await state(first)) === "ACTIVE");
    });
  });

  describe("and whose objects are kept for a short while", () => {
    beforeEach(async () => {
      await house.close();
      house = await openHouse({ keepInactiveMs: 1_500 });
      await house.define("app");
      first = await house.machine("m1");
    });

    it("[04-14] [04-15] it can be looked at for a while (an hour by default), and then is gone", async () => {
      await wish(first, { deregister: "IfEmpty" });
      const gone = await eventually("INACTIVE", async () => {
        const found = await object(first);
        return found?.status?.status === "INACTIVE" && found;
      });
      const sinceMs = Date.parse(gone.status?.deregisteredAt ?? "");
      await eventually("not found", async () => (await object(first)) === undefined);
      assert.ok(Date.now() >= sinceMs + 1_500, "it went too early");
    });

    it("one that has left by itself begins anew in the same object when it comes again", async () => {
      const { registeredAt } = (await status(first)) ?? {};
      await first.stop("leave");
      await eventually("INACTIVE", async () => (await state(first)) === "INACTIVE");
      const uid = (await object(first))?.metadata.uid;
      await first.start();
      const again = await status(first);
      assert.deepEqual(
        [again?.status, again?.deregisteredAt, again?.statusReason, (await object(first))?.metadata.uid],
        ["ACTIVE", undefined, undefined, uid],
      );
      assert.notEqual(again?.registeredAt, registeredAt);
      // The end of the former life's hour is no matter any more.
      await new Promise((resolve) => setTimeout(resolve, 1_700));
      assert.equal(await state(first), "ACTIVE");
    });
  });
});
