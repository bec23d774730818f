import assert from "node:assert/strict";
import type { Refusal } from "../../bus/messages.js";
import { eventually } from "../support/wait.js";
import { assignment, hex, recordingLog } from "./support/builders.js";
import { type Bench, bench } from "./support/machine.js";

const cloned: Refusal = {
  reason: "Cloned",
  message: "another machine with this identity is at work: give this one an id of its own, and join it anew",
  retryMs: 10,
};

describe("agent that the control plane refuses", () => {
  let here: Bench | undefined;
  afterEach(async () => {
    await here?.close();
    here = undefined;
  });

  it("keeps everything running, says the sentence once per change, and asks again", async () => {
    const log = recordingLog();
    const machine = bench({ log });
    here = machine;
    await machine.start();
    const { control } = machine;
    control.assign(assignment("one"));
    await eventually("RUNNING", () => control.state(hex("one")) === "RUNNING");
    control.refusal = cloned;
    control.supersede(control.epoch + 1);
    const { syncs } = control.counts;
    await eventually("asked several times", () => control.counts.syncs >= syncs + 4);
    const said = (text: string) => log.lines.filter((line) => line.includes(text)).length;
    assert.equal(said(cloned.message), 1);
    const { synced, refused } = machine.agent().status();
    assert.deepEqual([synced, refused], [false, cloned]);
    assert.ok((await machine.handlers().probe()).problems.some((text) => text.includes(cloned.message)));
    assert.equal([...machine.runtime().containers.values()][0]?.lastStatus, "RUNNING");
    const { heartbeats } = control.counts;
    await new Promise((resolve) => setTimeout(resolve, 120));
    assert.equal(control.counts.heartbeats, heartbeats, "no session, no heartbeat");

    control.refusal = { ...cloned, reason: "VersionSkew", message: "this agent is newer than its control plane" };
    await eventually("the other sentence", () => said("this agent is newer") === 1);
    control.refusal = undefined;
    await eventually("a session", () => machine.agent().status().synced);
    assert.equal(machine.agent().status().refused, undefined);
    assert.equal(said("no longer refused"), 1);
    assert.equal(control.state(hex("one")), "RUNNING");
    assert.equal(machine.runtime().containers.size, 1);
  });

  it("at its start it adopts and stops nothing, and is started only with a session", async () => {
    const machine = bench();
    here = machine;
    await machine.start();
    machine.control.assign(assignment("one"));
    await eventually("RUNNING", () => machine.control.state(hex("one")) === "RUNNING");
    await machine.kill();
    machine.control.refusal = { ...cloned, reason: "Busy", message: "the former session may still be alive" };
    let isStarted = false;
    const starting = machine.start().then(() => {
      isStarted = true;
    });
    await eventually("asked several times", () => machine.control.counts.syncs >= 4);
    assert.equal(isStarted, false);
    assert.equal(machine.agent().status().liveTasks, 1);
    machine.control.refusal = undefined;
    await starting;
    assert.equal(machine.runtime().containers.size, 1);
  });

  it("waits as long as it is told, with jitter", async () => {
    const machine = bench({ seed: 7 });
    here = machine;
    await machine.start();
    machine.control.refusal = { ...cloned, retryMs: 150 };
    const at: number[] = [];
    const before = machine.control.syncs.length;
    machine.control.supersede(machine.control.epoch + 1);
    await eventually("asked four times", () => {
      const seen = machine.control.syncs.length - before;
      while (at.length < seen) at.push(Date.now());
      return seen >= 5;
    });
    const waits = at.slice(1).map((ms, index) => ms - (at[index] ?? 0));
    // A look may come 20 ms late, and a busy machine later.
    for (const ms of waits) assert.ok(ms >= 150 * 0.75 - 25, waits.join(" "));
    assert.ok(Math.max(...waits) - Math.min(...waits) > 5, `no jitter: ${waits.join(" ")}`);
  });

  it("names the epoch of its last session, so that the next one is above it", async () => {
    const machine = bench();
    here = machine;
    await machine.start();
    const { control } = machine;
    control.epoch = 40;
    control.supersede(41);
    await eventually("a session", () => machine.agent().status().epoch === 41);
    // As a store that was restored from an older backup.
    control.epoch = 3;
    control.setConnected(false);
    control.setConnected(true);
    await eventually("a session above it", () => machine.agent().status().epoch === 42);
    assert.deepEqual(
      control.syncs.map(({ epoch }) => epoch),
      [0, 1, 41],
    );
  });
});
