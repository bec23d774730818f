// Tasks that must not run on without the control plane: `lostInstances: STOP`.
import assert from "node:assert/strict";
import { join } from "node:path";
import { contactFile } from "../../agent/contact.js";
import { createLostWatch } from "../../agent/lost-watch.js";
import { LOSS_NOTICED_WITHIN_MS } from "../../bus/liveness.js";
import { temporaryFolder } from "../support/folder.js";
import { eventually } from "../support/wait.js";
import { assignment, hex } from "./support/builders.js";
import { type Bench, bench } from "./support/machine.js";

const LIMIT_MS = 60_000;

describe("agent without its control plane", () => {
  let here: Bench | undefined;
  /** The machine's uptime. */
  let upMs = 0;
  beforeEach(() => {
    upMs = 1_000_000;
  });
  afterEach(async () => {
    await here?.close();
    here = undefined;
  });
  const started = async (setup: Parameters<typeof bench>[0] = {}): Promise<Bench> => {
    here = bench({ uptimeMs: () => upMs, ...setup });
    await here.start();
    return here;
  };
  const bound = (name: string, ms?: number) => assignment(name, ms === undefined ? {} : { stopWhenLostAfterMs: ms });
  const liveNames = ({ runtime }: Bench): string[] =>
    [...runtime().containers.values()]
      .filter(({ lastStatus }) => lastStatus === "RUNNING")
      .map(({ labels }) => labels["davit.dev/task-name"] ?? "")
      .sort();
  const running = async ({ control }: Bench, ...all: ReturnType<typeof bound>[]) => {
    control.assign(...all);
    for (const { task, name } of all) await eventually(`${name} runs`, () => control.state(task) === "RUNNING");
  };
  /** Longer than the agent's look at its clock. */
  const aWhile = () => new Promise((resolve) => setTimeout(resolve, 50));

  it("stops exactly the tasks whose time is up, in time, and says why when it is back", async () => {
    const machine = await started();
    const { control } = machine;
    await running(machine, bound("short", LIMIT_MS), bound("long", 2 * LIMIT_MS), bound("free"));
    control.setConnected(false);
    // The connection may have been dead before that was noticed.
    upMs += LIMIT_MS - LOSS_NOTICED_WITHIN_MS - 1;
    await aWhile();
    assert.deepEqual(liveNames(machine), ["free", "long", "short"]);
    upMs += 1;
    await eventually("one is down", () => liveNames(machine).length === 2);
    assert.deepEqual(liveNames(machine), ["free", "long"]);
    upMs += LIMIT_MS;
    await eventually("both are down", () => liveNames(machine).length === 1);
    assert.equal(control.state(hex("short")), "RUNNING", "nobody could be told");
    control.setConnected(true);
    await eventually("told", () => ["short", "long"].every((name) => control.state(hex(name)) === "STOPPED"));
    const report = control.tasks.get(hex("short"))?.report;
    assert.equal(report?.stopCode, "InfrastructureHealth");
    assert.equal(
      report?.stoppedReason,
      "Stopped by its agent after 60 s without the control plane (lostInstances: STOP)",
    );
    assert.equal(control.state(hex("free")), "RUNNING");
  });

  it("contact in between begins the time anew", async () => {
    const machine = await started();
    await running(machine, bound("one", LIMIT_MS));
    for (let cut = 0; cut < 3; cut++) {
      machine.control.setConnected(false);
      upMs += LIMIT_MS / 2;
      await aWhile();
      machine.control.setConnected(true);
      await eventually("synced", () => machine.agent().status().synced);
    }
    assert.deepEqual(liveNames(machine), ["one"]);
  });

  it("a control plane that refuses a session is no contact", async () => {
    const machine = await started();
    const { control } = machine;
    await running(machine, bound("one", LIMIT_MS), bound("free"));
    control.refusal = { reason: "Revoked", message: "the credential was taken back", retryMs: 5 };
    control.setConnected(false);
    control.setConnected(true);
    await eventually("refused", () => machine.agent().status().refused?.reason === "Revoked");
    upMs += LIMIT_MS;
    await eventually("stopped", () => liveNames(machine).join() === "free");
  });

  it("an agent that starts while cut off goes by the containers' label, and by the last contact that is on file", async () => {
    const folder = temporaryFolder("contact");
    try {
      const contact = contactFile(join(folder.path, "contact"), "boot-1");
      const machine = await started({ contact });
      await running(machine, bound("one", LIMIT_MS), bound("free"));
      await eventually("the contact is on file", () => contact.load() === upMs);
      machine.control.setConnected(false);
      upMs += LIMIT_MS / 2;
      await machine.kill();
      const starting = machine.start();
      await eventually("adopted", () => machine.agent().status().liveTasks === 2);
      upMs += LIMIT_MS / 2 - LOSS_NOTICED_WITHIN_MS - 1;
      await aWhile();
      assert.deepEqual(liveNames(machine), ["free", "one"]);
      upMs += 1;
      await eventually("stopped", () => liveNames(machine).join() === "free");
      machine.control.setConnected(true);
      await starting;
      await eventually("told", () => machine.control.state(hex("one")) === "STOPPED");
      assert.match(machine.control.tasks.get(hex("one"))?.report?.stoppedReason ?? "", /lostInstances/);
    } finally {
      folder.remove();
    }
  });

  it("a contact on file of another boot says nothing", () => {
    const folder = temporaryFolder("contact");
    try {
      const path = join(folder.path, "contact");
      contactFile(path, "boot-1").save(4_711.5);
      assert.equal(contactFile(path, "boot-1").load(), 4_711);
      assert.equal(contactFile(path, "boot-2").load(), undefined);
      assert.equal(contactFile(join(folder.path, "none"), "boot-1").load(), undefined);
    } finally {
      folder.remove();
    }
  });

  it("the newest assignment counts, not the label: a limit that is taken back, and one that comes later", async () => {
    const machine = await started();
    const { control } = machine;
    await running(machine, bound("freed", LIMIT_MS), bound("bound"));
    control.push({
      type: "davit.v1.AssignmentPush",
      epoch: control.epoch,
      seq: 3,
      assignments: [],
      revisions: {},
      forget: [],
    });
    for (const [name, ms] of [
      ["freed", undefined],
      ["bound", LIMIT_MS],
    ] as const) {
      const stored = control.tasks.get(hex(name));
      if (stored) stored.assignment = bound(name, ms);
    }
    // A gap in the pushes brings both by a sync.
    await eventually("synced", () => control.counts.syncs === 2 && machine.agent().status().synced);
    control.setConnected(false);
    upMs += LIMIT_MS;
    await eventually("stopped", () => liveNames(machine).join() === "freed");
    await aWhile();
    assert.deepEqual(liveNames(machine), ["freed"]);
  });

  it("a process that stood still does not trust the connection it had", () => {
    const asked: [string, number | undefined][] = [];
    let lostSinceMs: number | undefined;
    const lost: number[] = [];
    const watch = createLostWatch({
      engine: { records: () => [{ stopWhenLostAfterMs: LIMIT_MS } as never], lostFor: (ms) => void lost.push(ms) },
      session: {
        lostSinceMs: () => lostSinceMs,
        syncAgain(why, sinceMs) {
          asked.push([why, sinceMs]);
          lostSinceMs = sinceMs;
        },
      },
      uptimeMs: () => upMs,
      contact: undefined,
      lookMs: 60_000,
    });
    try {
      upMs += 1_000;
      watch.look();
      assert.deepEqual([asked, lost], [[], []]);
      upMs += 50_000;
      watch.look();
      assert.deepEqual(asked, [["this process stood still", 1_001_000]]);
      assert.deepEqual(lost, [50_000]);
    } finally {
      watch.close();
    }
  });
});
