import assert from "node:assert/strict";
import { eventually } from "../support/wait.js";
import { assignment, container, hex, revision } from "./support/builders.js";
import { type Bench, bench } from "./support/machine.js";

describe("agent on a simulated machine", () => {
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
  const one = hex("one");

  it("runs what is assigned, with one report", async () => {
    const { control, runtime } = await started();
    control.assign(assignment("one"));
    await eventually("RUNNING", () => control.state(one) === "RUNNING");
    assert.deepEqual(control.tasks.get(one)?.history, ["RUNNING"]);
    assert.equal(control.counts.reports, 1);
    const [running] = runtime().containers.values();
    assert.equal(running?.labels["davit.dev/task"], one);
    assert.equal(running?.labels["com.amazonaws.ecs.task-definition-family"], "shop");
    assert.equal(control.tasks.get(one)?.report?.containers[0]?.runtimeId, running?.id);
  });

  it("stops what is to stop, passes the reason on, and cleans up once told to forget", async () => {
    const { control, runtime } = await started();
    control.assign(assignment("one"));
    await eventually("RUNNING", () => control.state(one) === "RUNNING");
    control.stop(one, "ServiceSchedulerInitiated", "Scaling activity initiated by (deployment ecs-svc/1)");
    await eventually("STOPPED", () => control.state(one) === "STOPPED");
    const report = control.tasks.get(one)?.report;
    assert.equal(report?.stopCode, "ServiceSchedulerInitiated");
    assert.equal(report?.stoppedReason, "Scaling activity initiated by (deployment ecs-svc/1)");
    assert.deepEqual(control.tasks.get(one)?.history, ["RUNNING", "STOPPED"]);
    await eventually("removed", () => runtime().containers.size === 0);
  });

  it("an essential container's exit stops the others, with ECS's words", async () => {
    const { control, runtime } = await started();
    control.revisions = { "default/shop:1": revision([container(), container({ name: "side" })]) };
    control.assign(assignment("one"));
    await eventually("RUNNING", () => control.state(one) === "RUNNING");
    const side = [...runtime().containers.values()].find(({ name }) => name === "side");
    runtime().crash(side?.id ?? "", 0);
    await eventually("STOPPED", () => control.state(one) === "STOPPED");
    const report = control.tasks.get(one)?.report;
    assert.equal(report?.stopCode, "EssentialContainerExited");
    assert.equal(report?.stoppedReason, "Essential container in task exited");
    assert.deepEqual(
      report?.containers.map(({ lastStatus }) => lastStatus),
      ["STOPPED", "STOPPED"],
    );
  });

  it("a non-essential container's failure leaves the others running", async () => {
    const { control, runtime } = await started();
    control.revisions = { "default/shop:1": revision([container(), container({ name: "side", essential: false })]) };
    control.assign(assignment("one"));
    await eventually("RUNNING", () => control.state(one) === "RUNNING");
    const side = [...runtime().containers.values()].find(({ name }) => name === "side");
    runtime().crash(side?.id ?? "", 3);
    await eventually("reported", () => control.tasks.get(one)?.report?.containers[1]?.exitCode === 3);
    assert.equal(control.state(one), "RUNNING");
    assert.equal(control.tasks.get(one)?.report?.containers[0]?.lastStatus, "RUNNING");
  });

  it("an image that cannot be pulled fails the task before anything of it runs", async () => {
    const { control, runtime } = await started({ simulated: { pullFailureRate: 1 } });
    control.assign(assignment("one"));
    await eventually("STOPPED", () => control.state(one) === "STOPPED");
    const report = control.tasks.get(one)?.report;
    assert.equal(report?.stopCode, "TaskFailedToStart");
    assert.equal(report?.stoppedReason, "Task failed to start");
    assert.match(report?.containers[0]?.reason ?? "", /^CannotPullContainerError: /);
    assert.equal(runtime().containers.size, 0);
  });

  it("refuses what does not fit what it registered", async () => {
    const { control } = await started({ simulated: { cpuUnits: 1024, memoryMiB: 100 } });
    control.revisions = {
      "default/shop:1": revision([
        container({ cpu: 800, memory: 40, portMappings: [{ containerPort: 80, hostPort: 8080 }] }),
      ]),
      "default/shop:2": revision([container({ cpu: 300, memory: 1 })], { revision: 2 }),
      "default/shop:3": revision([container({ memory: 61 })], { revision: 3 }),
      "default/shop:4": revision([container({ memory: 1, portMappings: [{ containerPort: 1, hostPort: 8080 }] })], {
        revision: 4,
      }),
      "default/shop:5": revision([container({ memory: 1, portMappings: [{ containerPort: 1, hostPort: 22 }] })], {
        revision: 5,
      }),
    };
    control.assign(assignment("one"));
    await eventually("RUNNING", () => control.state(one) === "RUNNING");
    for (const [number, reason] of [
      [2, "RESOURCE:CPU"],
      [3, "RESOURCE:MEMORY"],
      [4, "RESOURCE:PORTS"],
      [5, "RESOURCE:PORTS"],
    ] as const) {
      const task = hex(`no ${number}`);
      control.assign(assignment(`no ${number}`, { revision: `shop:${number}` }));
      await eventually(`refused: ${reason}`, () => control.state(task) === "STOPPED");
      assert.equal(control.tasks.get(task)?.report?.stoppedReason, reason);
      assert.equal(control.tasks.get(task)?.report?.stopCode, "TaskFailedToStart");
    }
    assert.equal(control.state(one), "RUNNING");
  });

  it("ea#125, ea#782: adopts what runs after kill -9: same containers, nothing started", async () => {
    const machine = await started();
    const { control, runtime } = machine;
    control.assign(assignment("one"), assignment("two"));
    await eventually("RUNNING", () => control.state(one) === "RUNNING" && control.state(hex("two")) === "RUNNING");
    const before = [...runtime().containers.keys()];
    await machine.kill();
    await machine.start();
    assert.deepEqual(
      control.syncs.at(-1)?.tasks.map(({ state, name }) => [name, state]),
      [
        ["one", "RUNNING"],
        ["two", "RUNNING"],
      ],
    );
    assert.deepEqual([...runtime().containers.keys()], before);
  });

  it("reports what ended while it was away", async () => {
    const machine = await started();
    const { control } = machine;
    control.assign(assignment("one"));
    await eventually("RUNNING", () => control.state(one) === "RUNNING");
    const runtime = machine.runtime();
    await machine.kill();
    const [id] = runtime.containers.keys();
    runtime.crash(id ?? "", 7);
    await machine.start();
    await eventually("STOPPED", () => control.state(one) === "STOPPED");
    assert.equal(control.tasks.get(one)?.report?.containers[0]?.exitCode, 7);
    assert.equal(control.tasks.get(one)?.report?.stopCode, "EssentialContainerExited");
  });

  it("ea#364: a running task whose container was removed by hand is STOPPED, also after a restart, and not started again", async () => {
    const machine = await started();
    const { control } = machine;
    control.assign(assignment("one"), assignment("two"));
    await eventually("RUNNING", () => control.state(one) === "RUNNING" && control.state(hex("two")) === "RUNNING");
    const idOf = (task: string) => [...machine.runtime().containers.values()].find((c) => c.task === task)?.id ?? "";
    machine.runtime().vanish(idOf(one));
    await eventually("one STOPPED", () => control.state(one) === "STOPPED");
    assert.match(control.tasks.get(one)?.report?.containers[0]?.reason ?? "", /^CannotInspectContainerError: /);
    const gone = idOf(hex("two"));
    await machine.kill();
    machine.runtime().vanish(gone);
    await machine.start();
    await eventually("two STOPPED", () => control.state(hex("two")) === "STOPPED");
    assert.equal(machine.runtime().containers.size, 0);
  });

  it("stops and removes what a sync answer does not name, and only then", async () => {
    const machine = await started({ simulated: { stopMs: 5 } });
    const { control } = machine;
    control.assign(assignment("one"));
    await eventually("RUNNING", () => control.state(one) === "RUNNING");
    await machine.kill();
    control.drop(one);
    control.setConnected(false);
    const starting = machine.start();
    await eventually("adopted", () => machine.agent().status().liveTasks === 1);
    assert.equal([...machine.runtime().containers.values()][0]?.lastStatus, "RUNNING");
    control.setConnected(true);
    await starting;
    await eventually("removed", () => machine.runtime().containers.size === 0);
  });

  it("ea#2874: never says STOPPED while the container may live: a stop that fails is tried again", async () => {
    let failures = 5;
    const { control, runtime } = await started({
      options: { slowStopMs: 0 },
      wrap: (plain) => ({
        ...plain,
        stop: (id, graceMs) => {
          if (failures-- > 0) return Promise.reject(new Error("dockerd hangs"));
          assert.equal(control.state(one), "STOPPING");
          return plain.stop(id, graceMs);
        },
      }),
    });
    control.assign(assignment("one"));
    await eventually("RUNNING", () => control.state(one) === "RUNNING");
    control.stop(one);
    await eventually("STOPPED", () => control.state(one) === "STOPPED");
    assert.deepEqual(control.tasks.get(one)?.history, ["RUNNING", "STOPPING", "STOPPED"]);
    assert.equal([...runtime().containers.values()].filter(({ lastStatus }) => lastStatus === "RUNNING").length, 0);
  });

  it("a start that was not answered is looked at, not repeated blindly", async () => {
    let starts = 0;
    const { control } = await started({
      wrap: (plain) => ({
        ...plain,
        async start(id) {
          starts += 1;
          await plain.start(id);
          throw new Error("socket hang up");
        },
      }),
    });
    control.assign(assignment("one"));
    await eventually("RUNNING", () => control.state(one) === "RUNNING");
    assert.equal(starts, 1);
  });

  it("keeps stopped containers for their logs as long as asked", async () => {
    const { control, runtime } = await started({ options: { cleanupWaitMs: 150 } });
    control.assign(assignment("one"));
    await eventually("RUNNING", () => control.state(one) === "RUNNING");
    control.stop(one);
    await eventually("forgotten", () => control.state(one) === "STOPPED" && control.counts.pushes >= 3);
    assert.equal(runtime().containers.size, 1);
    await eventually("removed", () => runtime().containers.size === 0);
  });

  it("tells of a launch that takes long, while it goes on", async () => {
    const { control } = await started({ simulated: { startMs: 80 }, options: { slowLaunchMs: 20 } });
    control.assign(assignment("one"));
    await eventually("RUNNING", () => control.state(one) === "RUNNING");
    assert.deepEqual(control.tasks.get(one)?.history, ["PENDING", "RUNNING"]);
  });

  it("reports a change of health", async () => {
    const { control } = await started({ simulated: { healthyAfterMs: 30 } });
    control.revisions = { "default/shop:1": revision([container({ healthCheck: { command: ["CMD", "true"] } })]) };
    control.assign(assignment("one"));
    await eventually("HEALTHY", () => control.tasks.get(one)?.report?.containers[0]?.health === "HEALTHY");
    assert.deepEqual(control.tasks.get(one)?.history, ["RUNNING"]);
  });

  it("a stop that overtakes the launch leaves nothing running", async () => {
    const { control, runtime } = await started({ simulated: { startMs: 20 } });
    control.assign(assignment("one"));
    await eventually("created", () => runtime().containers.size === 1);
    control.stop(one);
    await eventually("STOPPED", () => control.state(one) === "STOPPED");
    await eventually("removed", () => runtime().containers.size === 0);
  });

  it("ea#1044, mm#35107, hn#159: removes a container of its own that nobody asked for", async () => {
    const { control, runtime } = await started();
    control.assign(assignment("one"));
    await eventually("RUNNING", () => control.state(one) === "RUNNING");
    const [mine] = runtime().containers.values();
    const stray = await runtime().create({
      task: hex("stray"),
      definition: container(),
      networkMode: "bridge",
      labels: { ...mine?.labels, "davit.dev/task": hex("stray") },
      runtimeName: "stray",
    });
    await runtime().start(stray);
    await eventually("removed", () => !runtime().containers.has(stray));
    assert.equal(control.state(one), "RUNNING");
  });

  it("mm#24971, docker/for-linux#761: finds what it missed while the Engine restarted", async () => {
    let breakOff: (() => void) | undefined;
    const { control, runtime } = await started({
      options: { relistMs: 60_000 },
      wrap: (plain) => ({
        ...plain,
        async *changes(signal) {
          await new Promise<void>((resolve) => {
            breakOff = resolve;
            signal.addEventListener("abort", () => resolve(), { once: true });
          });
          throw new Error("the Engine restarts");
        },
      }),
    });
    control.assign(assignment("one"));
    await eventually("RUNNING", () => control.state(one) === "RUNNING");
    const [id] = runtime().containers.keys();
    runtime().crash(id ?? "", 5);
    assert.equal(control.state(one), "RUNNING");
    breakOff?.();
    await eventually("STOPPED", () => control.state(one) === "STOPPED");
    assert.equal(control.tasks.get(one)?.report?.containers[0]?.exitCode, 5);
  });

  it("gives a launch up that the runtime does not answer in time", async () => {
    const { control } = await started({
      options: { startTimeoutMs: 30 },
      wrap: (plain) => ({ ...plain, create: () => Promise.reject(new Error("socket hang up")) }),
    });
    control.assign(assignment("one"));
    await eventually("STOPPED", () => control.state(one) === "STOPPED");
    const report = control.tasks.get(one)?.report;
    assert.equal(report?.stopCode, "TaskFailedToStart");
    assert.match(
      report?.containers[0]?.reason ?? "",
      /^DockerTimeoutError: Could not transition to created; timed out/,
    );
  });

  it("removes a second container under the name of a first", async () => {
    const { control, runtime } = await started();
    control.assign(assignment("one"));
    await eventually("RUNNING", () => control.state(one) === "RUNNING");
    const [mine] = runtime().containers.values();
    const twin = await runtime().create({
      task: one,
      definition: container(),
      networkMode: "bridge",
      labels: mine?.labels ?? {},
      runtimeName: "twin",
    });
    await runtime().start(twin);
    await eventually("removed", () => !runtime().containers.has(twin));
    assert.equal(control.state(one), "RUNNING");
    assert.equal(runtime().containers.get(mine?.id ?? "")?.lastStatus, "RUNNING");
  });

  it("runs what the overrides say", async () => {
    const specs: unknown[] = [];
    const { control } = await started({
      wrap: (plain) => ({
        ...plain,
        create(spec) {
          specs.push(spec.definition);
          return plain.create(spec);
        },
      }),
    });
    control.revisions = {
      "default/shop:1": revision([
        container({
          command: ["a"],
          environment: [
            { name: "KEPT", value: "1" },
            { name: "REPLACED", value: "1" },
          ],
        }),
      ]),
    };
    const environment = [{ name: "REPLACED", value: "2" }];
    control.assign(
      assignment("one", {
        overrides: { containerOverrides: [{ name: "web", command: ["b"], environment, memory: 20 }] },
      }),
    );
    await eventually("RUNNING", () => control.state(one) === "RUNNING");
    assert.deepEqual(specs, [
      {
        ...container({ command: ["b"], memory: 20 }),
        environment: [
          { name: "KEPT", value: "1" },
          { name: "REPLACED", value: "2" },
        ],
      },
    ]);
  });

  /** Lets a call see the machine at once, and answer only when told. */
  const gate = () => {
    const waiting: (() => void)[] = [];
    let closed = false;
    return {
      close: () => {
        closed = true;
      },
      waiting: () => waiting.length,
      open() {
        closed = false;
        for (const go of waiting.splice(0)) go();
      },
      async through<T>(answer: Promise<T>): Promise<T> {
        const value = await answer;
        if (closed) await new Promise<void>((resolve) => waiting.push(resolve));
        return value;
      },
    };
  };

  it("a list that is older than a container says nothing about it", async () => {
    const lists = gate();
    const { control, agent } = await started({
      wrap: (plain) => ({ ...plain, list: () => lists.through(plain.list()) }),
    });
    lists.close();
    await eventually("a list is under way", () => lists.waiting() > 0);
    control.assign(assignment("one"));
    await eventually("RUNNING", () => control.state(one) === "RUNNING");
    lists.open();
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(control.state(one), "RUNNING");
    assert.equal(agent().status().liveTasks, 1);
  });

  it("an exit during a step's own look is not missed", async () => {
    const looks = gate();
    const { control, runtime } = await started({
      options: { relistMs: 60_000 },
      wrap: (plain) => ({ ...plain, inspect: (id) => looks.through(plain.inspect(id)) }),
    });
    looks.close();
    control.assign(assignment("one"));
    await eventually("started", () => looks.waiting() === 1);
    const [id] = runtime().containers.keys();
    runtime().crash(id ?? "", 4);
    // The change is told while the step still waits for its answer.
    await new Promise((resolve) => setTimeout(resolve, 5));
    looks.open();
    await eventually("STOPPED", () => control.state(one) === "STOPPED");
    assert.equal(control.tasks.get(one)?.report?.containers[0]?.exitCode, 4);
  });
});
