import assert from "node:assert/strict";
import { eventually } from "../support/wait.js";
import { assignment, hex, recordingLog } from "./support/builders.js";
import { type Bench, bench } from "./support/machine.js";

describe("agent that goes", () => {
  let here: Bench | undefined;
  afterEach(async () => {
    await here?.close();
    here = undefined;
  });
  const started = async (setup: Parameters<typeof bench>[0] = {}): Promise<Bench> => {
    here = bench(setup);
    await here.start();
    return here;
  };
  const running = async ({ control }: Bench, ...names: string[]) => {
    control.assign(...names.map((name) => assignment(name)));
    for (const name of names) await eventually(`${name} runs`, () => control.state(hex(name)) === "RUNNING");
  };
  const kinds = ({ control }: Bench) => control.goodbyes.map(({ kind }) => kind);
  const live = ({ runtime }: Bench) =>
    [...runtime().containers.values()].filter(({ lastStatus }) => lastStatus === "RUNNING").length;

  for (const kind of ["restart", "stop"] as const)
    it(`${kind}: says so and lets go at once, containers run on`, async () => {
      const machine = await started();
      await running(machine, "one");
      const left = await machine.agent().stop({ kind });
      assert.deepEqual(left, [{ task: hex("one"), namespace: "default", name: "one" }]);
      assert.deepEqual(kinds(machine), [kind]);
      assert.equal(live(machine), 1);
    });

  it("leave: stays until its tasks are down, told and removed, then is gone", async () => {
    const machine = await started({ simulated: { stopMs: 20 }, options: { cleanupWaitMs: 60_000 } });
    const { control } = machine;
    await running(machine, "one", "two");
    const leaving = machine.agent().stop({ kind: "leave" });
    assert.deepEqual(kinds(machine), ["leave"]);
    control.stop(hex("one"));
    await eventually("one is down", () => control.state(hex("one")) === "STOPPED");
    assert.equal(machine.agent().status().synced, true, "it follows pushes");
    control.stop(hex("two"));
    assert.deepEqual(await leaving, []);
    assert.equal(control.state(hex("two")), "STOPPED");
    assert.equal(machine.runtime().containers.size, 0, "nothing is left, also of logs");
    const { heartbeats } = control.counts;
    await new Promise((resolve) => setTimeout(resolve, 120));
    assert.equal(control.counts.heartbeats, heartbeats);
  });

  it("leave: says it again in a new session, for the control plane may not have heard it", async () => {
    const machine = await started();
    await running(machine, "one");
    const leaving = machine.agent().stop({ kind: "leave" });
    machine.control.setConnected(false);
    machine.control.setConnected(true);
    await eventually("said again", () => kinds(machine).length === 2);
    assert.deepEqual(kinds(machine), ["leave", "leave"]);
    machine.control.stop(hex("one"));
    assert.deepEqual(await leaving, []);
  });

  it("leave: waits so long and no longer, and says what is left", async () => {
    const machine = await started({ options: { leaveTimeoutMs: 60 } });
    await running(machine, "one");
    assert.deepEqual(await machine.agent().stop({ kind: "leave" }), [
      { task: hex("one"), namespace: "default", name: "one" },
    ]);
    assert.equal(live(machine), 1);
  });

  it("leave: a second call ends the wait", async () => {
    const machine = await started();
    await running(machine, "one");
    const leaving = machine.agent().stop({ kind: "leave" });
    await machine.agent().stop();
    assert.equal((await leaving).length, 1);
  });

  it("leave: is over once the control plane has let it go", async () => {
    const machine = await started();
    await running(machine, "one");
    const leaving = machine.agent().stop({ kind: "leave" });
    machine.control.refusal = { reason: "Deregistered", message: "it has left", retryMs: 5 };
    machine.control.supersede(machine.control.epoch + 1);
    assert.equal((await leaving).length, 1);
  });
});

describe("agent whose machine is orphaned", () => {
  let here: Bench | undefined;
  afterEach(async () => {
    await here?.close();
    here = undefined;
  });

  it("[04-18] lets go of what runs, for good: renamed, never stopped, also after a restart and in a new session", async () => {
    const log = recordingLog();
    const machine = bench({ log });
    here = machine;
    await machine.start();
    const { control } = machine;
    control.assign(assignment("one"), assignment("two"));
    await eventually("RUNNING", () => ["one", "two"].every((name) => control.state(hex(name)) === "RUNNING"));
    const ids = [...machine.runtime().containers.keys()];
    control.orphan();
    const renamed = () =>
      [...machine.runtime().containers.values()].every(({ runtimeName }) =>
        /^davit-orphaned-ecs-shop-1-web-/.test(runtimeName),
      );
    await eventually("renamed", renamed);
    await eventually("let go", () => machine.agent().status().liveTasks === 0);
    const { orphans } = await machine.handlers().probe();
    assert.deepEqual(
      orphans.map(({ id, deliberate }) => [id, deliberate]),
      ids.map((id) => [id, true]),
    );
    const alive = () => {
      assert.deepEqual(
        [...machine.runtime().containers.values()].map(({ id, lastStatus }) => [id, lastStatus]),
        ids.map((id) => [id, "RUNNING"]),
      );
    };
    control.setConnected(false);
    control.setConnected(true);
    await eventually("a session that names nothing", () => machine.agent().status().synced);
    alive();
    await machine.kill();
    await machine.start();
    assert.deepEqual(control.syncs.at(-1)?.tasks, []);
    alive();
  });

  it("hears of it also by a refusal, where the push was lost with a former process", async () => {
    const machine = bench();
    here = machine;
    await machine.start();
    const { control } = machine;
    control.assign(assignment("one"));
    await eventually("RUNNING", () => control.state(hex("one")) === "RUNNING");
    await machine.kill();
    control.refusal = { reason: "Deregistered", message: "it left by --orphan", retryMs: 5, orphan: true };
    void machine.start();
    await eventually("renamed", () =>
      [...machine.runtime().containers.values()].every(({ runtimeName, lastStatus }) => {
        assert.equal(lastStatus, "RUNNING");
        return runtimeName.startsWith("davit-orphaned-");
      }),
    );
    await eventually("let go", () => machine.agent().status().liveTasks === 0);
  });

  it("what is not alive is removed, and a rename that fails is tried again", async () => {
    let failures = 3;
    const machine = bench({
      wrap: (plain) => ({
        ...plain,
        rename: (id, name) => (failures-- > 0 ? Promise.reject(new Error("dockerd hangs")) : plain.rename(id, name)),
      }),
      simulated: { pullMs: 50 },
    });
    here = machine;
    await machine.start();
    const { control } = machine;
    control.assign(assignment("one"));
    await eventually("RUNNING", () => control.state(hex("one")) === "RUNNING");
    control.assign(assignment("ended"));
    await eventually("RUNNING", () => control.state(hex("ended")) === "RUNNING");
    const ended = [...machine.runtime().containers.values()].find(({ task }) => task === hex("ended"));
    control.faults.loss = 1;
    machine.runtime().crash(ended?.id ?? "", 0);
    await eventually("seen", () => machine.agent().status().liveTasks === 1);
    control.faults.loss = 0;
    control.orphan();
    await eventually("let go", () => machine.agent().status().liveTasks === 0 && failures < 0);
    await eventually("one is left", () => machine.runtime().containers.size === 1);
    const [left] = machine.runtime().containers.values();
    assert.deepEqual([left?.task, left?.lastStatus], [hex("one"), "RUNNING"]);
  });
});
