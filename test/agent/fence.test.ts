// A machine that comes back: what is no longer its own goes before anything new comes.
import assert from "node:assert/strict";
import { RuntimeError } from "../../agent/runtimes/runtime.js";
import type { SimulatedRuntime } from "../../agent/runtimes/simulated/simulated.js";
import { eventually } from "../support/wait.js";
import { assignment, container, hex, recordingLog, revision } from "./support/builders.js";
import { type Bench, bench } from "./support/machine.js";

/** Notes what is asked of a runtime, and lets a stop hang until it is let go. */
function watched() {
  const calls: string[] = [];
  const nameOf = (runtime: SimulatedRuntime, id: string) => runtime.containers.get(id)?.labels["davit.dev/task-name"];
  const gate = { hangs: false, let: () => {} };
  const wrap = (plain: SimulatedRuntime): SimulatedRuntime => {
    const note = (what: string, id: string) => void calls.push(`${what} ${nameOf(plain, id)}`);
    return {
      ...plain,
      async start(id) {
        note("start", id);
        await plain.start(id);
      },
      async stop(id, graceMs) {
        if (gate.hangs)
          await new Promise<void>((resolve) => {
            gate.let = resolve;
          });
        await plain.stop(id, graceMs);
        note("stopped", id);
      },
      async remove(id) {
        note("remove", id);
        await plain.remove(id);
      },
    };
  };
  return { calls, wrap, gate };
}

/** As the Engine: a static host port belongs to one running container. */
const withPorts = (plain: SimulatedRuntime): SimulatedRuntime => ({
  ...plain,
  async start(id) {
    const others = [...plain.containers.values()].filter((one) => one.id !== id && one.lastStatus === "RUNNING");
    if (others.some(({ networkBindings }) => networkBindings.some(({ hostPort }) => hostPort === 8080)))
      throw new RuntimeError("CannotStartContainerError", "API error (500): port is already allocated");
    await plain.start(id);
  },
});

describe("agent that returns to a control plane that has moved on", () => {
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
  /** Its task is given away while the agent is not there, or cannot be reached. */
  const giveAway = ({ control }: Bench, ...names: string[]) => {
    for (const name of names) control.drop(hex(name));
  };
  const liveOf = ({ runtime }: Bench, name: string) =>
    [...runtime().containers.values()].filter(({ task, lastStatus }) => task === hex(name) && lastStatus === "RUNNING");

  it("hn#20116: a ghost that holds a static port after a restart is gone before its successor starts", async () => {
    const { calls, wrap } = watched();
    const machine = await started({ simulated: { stopMs: 30 }, wrap: (plain) => wrap(withPorts(plain)) });
    const { control } = machine;
    control.revisions = {
      "default/shop:1": revision([container({ portMappings: [{ containerPort: 80, hostPort: 8080 }] })]),
    };
    await running(machine, "ghost");
    await machine.kill();
    giveAway(machine, "ghost");
    control.assign(assignment("successor"));
    calls.length = 0;
    await machine.start();
    await eventually("the successor runs", () => control.state(hex("successor")) === "RUNNING");
    assert.deepEqual(calls, ["stopped ghost", "remove ghost", "start successor"]);
  });

  it("says nothing of the rest before what is no longer its own is gone", async () => {
    const machine = await started({ simulated: { stopMs: 60 } });
    const { control } = machine;
    await running(machine, "kept", "ghost");
    control.setConnected(false);
    giveAway(machine, "ghost");
    control.setConnected(true);
    await eventually("synced", () => machine.agent().status().synced);
    control.batches.length = 0;
    const [kept] = liveOf(machine, "kept");
    machine.runtime().setHealth(kept?.id ?? "", "HEALTHY");
    await eventually("told", () => {
      if (control.batches.length === 0) return false;
      assert.equal(machine.runtime().containers.size, 1, "the ghost is gone when the first report comes");
      return control.tasks.get(hex("kept"))?.report?.containers[0]?.health === "HEALTHY";
    });
  });

  it("removes what has ended by itself and is not its own, too, before it starts anything", async () => {
    const { calls, wrap } = watched();
    const machine = await started({ wrap });
    await running(machine, "ghost");
    await machine.kill();
    const [ghost] = liveOf(machine, "ghost");
    machine.runtime().crash(ghost?.id ?? "", 1);
    giveAway(machine, "ghost");
    machine.control.assign(assignment("new"));
    calls.length = 0;
    await machine.start();
    await eventually("the new one runs", () => machine.control.state(hex("new")) === "RUNNING");
    assert.deepEqual(calls, ["remove ghost", "start new"]);
  });

  it("a stop that hangs holds starts back, says so, and lets reports out", async () => {
    const log = recordingLog();
    const { wrap, gate } = watched();
    const machine = await started({ log, wrap, options: { stopTimeoutMs: 5, hangingMs: 30 } });
    const { control } = machine;
    await running(machine, "kept", "ghost");
    control.setConnected(false);
    giveAway(machine, "ghost");
    gate.hangs = true;
    control.setConnected(true);
    control.assign(assignment("new"));
    await eventually("a word in the log", () => log.lines.some((line) => line.includes("do not stop")));
    const { problems } = await machine.handlers().probe();
    assert.match(
      problems.join("\n"),
      /ecs-shop-1-web-\S+ of task \w+ is not this machine's any more and does not stop/,
    );
    const [kept] = liveOf(machine, "kept");
    machine.runtime().setHealth(kept?.id ?? "", "HEALTHY");
    await eventually(
      "a report gets through",
      () => control.tasks.get(hex("kept"))?.report?.containers[0]?.health === "HEALTHY",
    );
    assert.equal([...machine.runtime().containers.values()].filter(({ task }) => task === hex("new")).length, 0);
    gate.let();
    await eventually("the new one runs", () => control.state(hex("new")) === "RUNNING");
    assert.deepEqual((await machine.handlers().probe()).problems, []);
    assert.ok(log.lines.some((line) => line.includes("tasks start again")));
  });

  it("hn#19805, hn#24955: a launch that is held back is not pending for ever", async () => {
    const { wrap, gate } = watched();
    const machine = await started({ wrap, options: { stopTimeoutMs: 5, hangingMs: 10, startTimeoutMs: 60 } });
    const { control } = machine;
    await running(machine, "ghost");
    control.setConnected(false);
    giveAway(machine, "ghost");
    gate.hangs = true;
    control.setConnected(true);
    control.assign(assignment("new"));
    await eventually("given up", () => control.state(hex("new")) === "STOPPED");
    const report = control.tasks.get(hex("new"))?.report;
    assert.equal(report?.stopCode, "TaskFailedToStart");
    assert.match(report?.containers[0]?.reason ?? "", /^DockerTimeoutError: .*does not stop/);
    gate.let();
  });

  it("a dead container whose removal fails is in nobody's way", async () => {
    let fails = true;
    const machine = await started({
      wrap: (plain) => ({
        ...plain,
        remove: (id) => (fails ? Promise.reject(new Error("device or resource busy")) : plain.remove(id)),
      }),
      options: { hangingMs: 1 },
    });
    const { control } = machine;
    await running(machine, "ghost");
    control.setConnected(false);
    giveAway(machine, "ghost");
    control.setConnected(true);
    control.assign(assignment("new"));
    await eventually("the new one runs", () => control.state(hex("new")) === "RUNNING");
    await eventually("the failing removal is told", async () =>
      (await machine.handlers().probe()).problems.some((text) =>
        /cannot be removed: .*device or resource busy/.test(text),
      ),
    );
    fails = false;
    await eventually("removed", () => machine.runtime().containers.size === 1);
  });

  it("hn#17424: a task that was given away while its image was pulled is never started", async () => {
    const { calls, wrap } = watched();
    let finish = (): void => {};
    const machine = await started({
      wrap: (plain) =>
        wrap({
          ...plain,
          async pull(image, signal) {
            await new Promise<void>((resolve) => {
              finish = resolve;
              signal.addEventListener("abort", () => resolve(), { once: true });
            });
            await plain.pull(image, signal);
          },
        }),
    });
    const { control } = machine;
    control.assign(assignment("lost"));
    await eventually("known", () => machine.agent().status().liveTasks === 1);
    control.setConnected(false);
    giveAway(machine, "lost");
    control.setConnected(true);
    await eventually("let go", () => machine.agent().status().liveTasks === 0);
    finish();
    control.revisions = { "default/shop:1": revision([container({ image: "other:1" })]) };
    control.assign(assignment("new"));
    await eventually("its image is pulled", () => machine.agent().status().liveTasks === 1);
    await eventually("the new one runs", () => {
      finish();
      return control.state(hex("new")) === "RUNNING";
    });
    assert.deepEqual(calls, ["start new"]);
  });

  it("hn#14925, hn#12680, hn#19729: the old version does not live beside the new one, and the new one wins", async () => {
    const machine = await started({ simulated: { stopMs: 20, startMs: 5 } });
    const { control } = machine;
    await running(machine, "old");
    control.setConnected(false);
    giveAway(machine, "old");
    control.revisions = { "default/shop:2": revision([container({ image: "web:2" })], { revision: 2 }) };
    control.assign(assignment("new", { revision: "shop:2" }));
    control.setConnected(true);
    await eventually("the new one runs, alone", () => {
      assert.ok(liveOf(machine, "old").length + liveOf(machine, "new").length <= 1, "two versions live at once");
      return control.state(hex("new")) === "RUNNING" && machine.runtime().containers.size === 1;
    });
    assert.equal(liveOf(machine, "new")[0]?.image, "web:2");
  });

  it("ea#2874, ea#731, ea#1294: a stop that never answers leaves the task STOPPING, and the probe tells of it", async () => {
    const { wrap, gate } = watched();
    const machine = await started({ wrap, options: { slowStopMs: 0, stopTimeoutMs: 5, hangingMs: 10 } });
    const { control } = machine;
    await running(machine, "one");
    gate.hangs = true;
    control.stop(hex("one"));
    await eventually("told of", async () => {
      const { problems } = await machine.handlers().probe();
      assert.notEqual(control.state(hex("one")), "STOPPED");
      return problems.some((text) => /ecs-shop-1-web-\S+ of task \w+ does not stop, for \d+ s/.test(text));
    });
    assert.equal(control.state(hex("one")), "STOPPING");
    gate.let();
    await eventually("STOPPED", () => control.state(hex("one")) === "STOPPED");
  });

  it("ea#208, ea#417: what the control plane has lost of a report it is told again with the next session", async () => {
    const machine = await started();
    const { control } = machine;
    await running(machine, "one");
    const stored = control.tasks.get(hex("one"));
    delete stored?.report;
    control.setConnected(false);
    control.setConnected(true);
    await eventually("told again", () => control.state(hex("one")) === "RUNNING");
    assert.equal(machine.runtime().containers.size, 1);
  });

  it("ea#939: a creation whose answer was lost with the agent is found again, not done twice", async () => {
    let lose = true;
    const machine = await started({
      wrap: (plain) => ({
        ...plain,
        async create(spec) {
          const id = await plain.create(spec);
          // Neither this process nor any answer outlives this moment.
          if (lose) await new Promise(() => {});
          return id;
        },
      }),
    });
    const { control } = machine;
    control.assign(assignment("one"));
    await eventually("created", () => machine.runtime().containers.size === 1);
    lose = false;
    await machine.kill();
    const [id] = machine.runtime().containers.keys();
    await machine.start();
    await eventually("RUNNING", () => control.state(hex("one")) === "RUNNING");
    assert.deepEqual([...machine.runtime().containers.keys()], [id]);
  });
});
