import assert from "node:assert/strict";
import { agentOptionsFromEnv } from "../../agent/options.js";
import type { Assignment, AssignmentPush } from "../../bus/messages.js";
import { eventually } from "../support/wait.js";
import { assignment, container, hex, recordingLog, revision } from "./support/builders.js";
import { type Bench, bench } from "./support/machine.js";

describe("agent's session", () => {
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
  const push = (
    machine: Bench,
    seq: number,
    assignments: Assignment[],
    epoch = machine.control.epoch,
  ): AssignmentPush => ({
    type: "davit.v1.AssignmentPush",
    epoch,
    seq,
    assignments,
    revisions: machine.control.revisions,
    forget: [],
  });
  const turn = () => new Promise((resolve) => setTimeout(resolve, 15));

  it("[05-5] [05-7] registers what the machine has", async () => {
    const { control } = await started({
      simulated: { cpuUnits: 2048, memoryMiB: 4096 },
      options: { ...agentOptionsFromEnv({ ECS_RESERVED_MEMORY: "256" }), attributes: [{ name: "rack", value: "r1" }] },
    });
    const [sync] = control.syncs;
    assert.deepEqual(
      sync?.resources.map(({ name, integerValue, stringSetValue }) => [name, integerValue ?? stringSetValue]),
      [
        ["CPU", 2048],
        ["MEMORY", 3840],
        ["PORTS", ["22", "2375", "2376", "51678", "51679", "51680"]],
        ["PORTS_UDP", []],
      ],
    );
    const names = sync?.attributes.map(({ name }) => name) ?? [];
    for (const name of ["rack", "ecs.os-type", "com.amazonaws.ecs.capability.logging-driver.awslogs"])
      assert.ok(names.includes(name), name);
  });

  it("opens no session before it knows what the machine has and what runs there, however early the bus connects", async () => {
    let answer = (): void => {};
    const machine = bench({
      wrap: (runtime) => ({
        ...runtime,
        capacity: () => new Promise((resolve) => (answer = () => resolve(runtime.capacity()))),
      }),
    });
    here = machine;
    machine.control.setConnected(false);
    const starting = machine.start();
    machine.control.setConnected(true);
    await turn();
    assert.equal(machine.control.syncs.length, 0);
    answer();
    await starting;
    assert.equal(machine.control.syncs[0]?.resources.find(({ name }) => name === "CPU")?.integerValue, 4096);
  });

  it("takes a share instead where several agents divide a machine", async () => {
    const { control } = await started({ options: { cpuUnits: 100, memoryMiB: 50 } });
    assert.deepEqual(
      control.syncs[0]?.resources.slice(0, 2).map(({ integerValue }) => integerValue),
      [100, 50],
    );
  });

  it("syncs again on a gap, once; drops what is doubled or of an older session", async () => {
    const machine = await started();
    const { control } = machine;
    control.assign(assignment("one"));
    await eventually("RUNNING", () => control.state(hex("one")) === "RUNNING");
    const syncs = control.counts.syncs;
    control.push(push(machine, 1, [assignment("doubled")]));
    control.push(push(machine, 2, [assignment("old")], control.epoch - 1));
    await turn();
    assert.equal(control.counts.syncs, syncs);
    assert.deepEqual(
      [...machine.runtime().containers.values()].map(({ task }) => task),
      [hex("one")],
    );
    for (const seq of [7, 8, 9]) control.push(push(machine, seq, [assignment("beyond the gap")]));
    await eventually("synced", () => control.counts.syncs > syncs && machine.agent().status().synced);
    await turn();
    assert.equal(control.counts.syncs, syncs + 1);
    assert.equal(control.state(hex("one")), "RUNNING");
  });

  it("keeps what a push of the new session says when it overtakes the sync answer", async () => {
    const created: string[] = [];
    const machine = await started({
      wrap: (plain) => ({
        ...plain,
        create(spec) {
          created.push(spec.task);
          return plain.create(spec);
        },
      }),
    });
    const { control } = machine;
    control.faults.delayMs = 3;
    control.setConnected(false);
    control.setConnected(true);
    machine.handlers().push(push(machine, 1, [assignment("early")], control.epoch + 1));
    await eventually("created", () => created.includes(hex("early")));
  });

  it("keeps everything running without the bus, and tells all when it is back", async () => {
    const machine = await started();
    const { control } = machine;
    control.assign(assignment("one"), assignment("two"));
    await eventually("RUNNING", () => control.state(hex("two")) === "RUNNING");
    control.setConnected(false);
    const crashing = [...machine.runtime().containers.values()].find(({ task }) => task === hex("two"));
    machine.runtime().crash(crashing?.id ?? "", 1);
    control.stop(hex("one"));
    await turn();
    assert.equal([...machine.runtime().containers.values()].filter((c) => c.lastStatus === "RUNNING").length, 1);
    assert.equal(control.state(hex("two")), "RUNNING");
    control.setConnected(true);
    await eventually("both told", () => ["one", "two"].every((name) => control.state(hex(name)) === "STOPPED"));
    assert.equal(control.tasks.get(hex("two"))?.report?.stopCode, "EssentialContainerExited");
    assert.equal(control.tasks.get(hex("one"))?.report?.stopCode, "UserInitiated");
  });

  it("sends a report again until it is answered, and only the newest", async () => {
    const machine = await started({ simulated: { startMs: 100, healthyAfterMs: 1 } });
    const { control } = machine;
    control.revisions = { "default/shop:1": revision([container({ healthCheck: { command: ["CMD", "true"] } })]) };
    control.assign(assignment("one"));
    await eventually("created", () => machine.runtime().containers.size === 1);
    control.faults.loss = 1;
    await eventually("HEALTHY", () => [...machine.runtime().containers.values()][0]?.health === "HEALTHY");
    await turn();
    assert.equal(machine.agent().status().waitingReports, 1);
    control.faults.loss = 0.6;
    await eventually("answered", () => machine.agent().status().waitingReports === 0);
    assert.deepEqual(control.tasks.get(hex("one"))?.history, ["RUNNING"]);
    assert.equal(control.tasks.get(hex("one"))?.report?.containers[0]?.health, "HEALTHY");
  });

  it("opens a session anew when the control plane has lost it", async () => {
    const machine = await started();
    const { control } = machine;
    const before = control.epoch;
    // As a restarted control plane whose store has the epoch, but which knows no session.
    control.supersede(control.epoch + 1);
    await eventually("a new session", () => control.epoch > before && machine.agent().status().synced);
  });

  it("asks again when the control plane does not know a task, and drops it then", async () => {
    const machine = await started();
    const { control } = machine;
    control.assign(assignment("one"));
    await eventually("RUNNING", () => control.state(hex("one")) === "RUNNING");
    control.drop(hex("one"));
    const [id] = machine.runtime().containers.keys();
    machine.runtime().setHealth(id ?? "", "UNHEALTHY");
    await eventually("removed", () => machine.runtime().containers.size === 0);
  });

  it("two agents with one identity: one keeps it, the other stands back and says so", async () => {
    const log = recordingLog();
    const machine = await started({ log });
    const { control } = machine;
    // The clone, as the agent sees it: each of its sessions is answered by another one's.
    const rival = setInterval(() => {
      if (!machine.agent().status().synced) return;
      control.epoch += 1;
      control.supersede(control.epoch);
    }, 5);
    try {
      await eventually("stands back", () =>
        log.lines.some((line) => line.includes("another agent uses this instance's identity")),
      );
      const { syncs } = control.counts;
      await turn();
      assert.equal(control.counts.syncs, syncs);
    } finally {
      clearInterval(rival);
    }
  }).timeout(20_000);

  it("beats while it has a session, and says goodbye", async () => {
    const machine = await started();
    const { control } = machine;
    control.heartbeatMs = 5;
    control.setConnected(false);
    control.setConnected(true);
    await eventually("heartbeats", () => control.counts.heartbeats > 3);
    control.assign(assignment("one"));
    await eventually("RUNNING", () => control.state(hex("one")) === "RUNNING");
    await machine.agent().stop();
    assert.deepEqual(
      control.goodbyes.map(({ kind }) => kind),
      ["restart"],
    );
    const beats = control.counts.heartbeats;
    await turn();
    assert.equal(control.counts.heartbeats, beats);
    assert.equal([...machine.runtime().containers.values()][0]?.lastStatus, "RUNNING");
  });
});
