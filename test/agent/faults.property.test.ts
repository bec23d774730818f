// Whatever happens to bus, runtime and agent: a container is never there twice, nothing is started beside what a sync
// answer no longer names, states only move forward, and once the faults stop everything converges and nothing is left.
import assert from "node:assert/strict";
import fc from "fast-check";
import { countOf, seedOf } from "../support/soak-count.js";
import { eventually } from "../support/wait.js";
import { assignment, container, hex, revision } from "./support/builders.js";
import { goesForward } from "./support/control.js";
import { type Bench, bench } from "./support/machine.js";

type Move =
  | { kind: "assign" | "stop" | "crash" | "vanish" | "unhealthy" | "giveAway"; which: number }
  | { kind: "kill" | "offline" | "online" | "supersede" | "resync" | "refuse" | "accept" }
  | { kind: "wait"; ms: number };

const which = fc.nat({ max: 5 });
const moves: fc.Arbitrary<Move[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant("assign" as const), which }) },
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constantFrom("stop", "crash", "vanish", "unhealthy"), which }),
    },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("giveAway" as const), which }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constantFrom("kill", "offline", "online", "supersede", "resync", "refuse", "accept"),
      }),
    },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.nat({ max: 12 }) }) },
  ),
  { minLength: 5, maxLength: 25 },
);

const plan = fc.record({
  seed: fc.nat(),
  moves,
  loss: fc.constantFrom(0, 0.1, 0.4),
  duplication: fc.constantFrom(0, 0.3),
  delayMs: fc.constantFrom(0, 5),
  failures: fc.constantFrom(0, 0.2),
  slow: fc.boolean(),
});

describe("agent under random faults", () => {
  it("never runs a container twice, converges, and leaves nothing over", async function () {
    this.timeout(50_000);
    await fc.assert(
      fc.asyncProperty(plan, async ({ seed, moves, loss, duplication, delayMs, failures, slow }) => {
        const fence = watchTheFence();
        const machine = bench({
          seed,
          simulated: {
            startMs: slow ? [0, 8] : 0,
            stopMs: slow ? [0, 25] : 0,
            pullMs: slow ? [0, 4] : 0,
            stopFailureRate: failures,
            startFailureRate: failures / 2,
          },
          options: { resyncMs: 150, relistMs: 40, slowLaunchMs: 10, slowStopMs: 10, answerTimeoutMs: 15 },
          wrap: (plain) => ({
            ...plain,
            // Answers that are old when they come.
            async list() {
              const seen = await plain.list();
              await late(slow);
              return seen;
            },
            async inspect(id) {
              const seen = await plain.inspect(id);
              await late(slow);
              return seen;
            },
            async start(id) {
              fence.starts();
              await plain.start(id);
            },
            // Answers that get lost: what was asked may have happened.
            async create(spec) {
              const id = await plain.create(spec);
              if (Math.abs(Math.sin(seed + plain.containers.size)) < failures) throw new Error("no answer");
              return id;
            },
          }),
        });
        const { control } = machine;
        control.revisions = {
          "default/shop:1": revision([container(), container({ name: "side", essential: false })]),
        };
        fence.watch(machine);
        const watch = watchForTwins(machine);
        try {
          await machine.start();
          control.faults = { loss, duplication, delayMs };
          for (const move of moves) {
            await make(move, machine);
            watch.check();
          }
          control.faults = { loss: 0, duplication: 0, delayMs: 0 };
          control.refusal = undefined;
          control.setConnected(true);
          await converged(machine);
          watch.check();
          fence.check();
          for (const { history } of control.tasks.values()) assert.ok(goesForward(history), history.join(" "));

          for (const task of control.tasks.keys()) control.stop(task);
          await eventually(
            "nothing is left over",
            () => {
              machine.agent().status();
              return machine.runtime().containers.size === 0 && machine.agent().status().liveTasks === 0;
            },
            5_000,
          );
          for (const task of control.tasks.keys()) assert.equal(control.state(task), "STOPPED");
        } finally {
          watch.end();
          await machine.close();
        }
      }),
      { numRuns: countOf(500), seed: seedOf("agent") },
    );
  });
});

const late = (slow: boolean): Promise<void> | undefined =>
  slow ? new Promise((resolve) => setTimeout(resolve, 4)) : undefined;

/** Looks at every change of the machine for two live containers of one task under one name. */
function watchForTwins(machine: Bench): { check(): void; end(): void } {
  const check = () => {
    const names = new Set<string>();
    for (const { task, name, lastStatus } of machine.runtime()?.containers.values() ?? []) {
      if (lastStatus === "STOPPED") continue;
      assert.ok(!names.has(task + name), `two containers ${name} of task ${task}`);
      names.add(task + name);
    }
  };
  let failure: unknown;
  const timer = setInterval(() => {
    try {
      check();
    } catch (error) {
      failure = error;
    }
  }, 1);
  return {
    check() {
      if (failure) throw failure;
      check();
    },
    end: () => clearInterval(timer),
  };
}

/** Nothing is started while anything lives that the last sync answer did not name. */
function watchTheFence(): { watch(machine: Bench): void; starts(): void; check(): void } {
  let alive: () => string[] = () => [];
  const ghosts = new Set<string>();
  const failures: string[] = [];
  let epoch = 0;
  return {
    watch(machine) {
      const running = () =>
        [...(machine.runtime()?.containers.values() ?? [])].filter(({ lastStatus }) => lastStatus === "RUNNING");
      alive = () => running().flatMap(({ id, task }) => (ghosts.has(id) ? [task] : []));
      machine.control.onSyncAnswer = (answer) => {
        if (answer.refused || answer.epoch <= epoch) return;
        epoch = answer.epoch;
        const named = new Set(answer.assignments.map(({ task }) => task));
        for (const { id, task } of running()) if (!named.has(task)) ghosts.add(id);
      };
    },
    starts() {
      const tasks = alive();
      if (tasks.length > 0) failures.push(`a start while ${tasks.join()} of session ${epoch} live on`);
    },
    check: () => assert.deepEqual(failures, []),
  };
}

const GIVEN_AWAY = new WeakMap<Bench, Set<number>>();

async function make(move: Move, machine: Bench): Promise<void> {
  const { control } = machine;
  const givenAway = GIVEN_AWAY.get(machine) ?? new Set();
  GIVEN_AWAY.set(machine, givenAway);
  const containersOf = (which: number) =>
    [...machine.runtime().containers.values()].filter(({ task }) => task === hex(`t${which}`));
  switch (move.kind) {
    case "giveAway":
      // Its id never comes back: another task has its place.
      if (!control.tasks.has(hex(`t${move.which}`))) return;
      givenAway.add(move.which);
      control.drop(hex(`t${move.which}`));
      control.assign(assignment(`successor of ${move.which}`));
      return control.supersede(control.epoch + 1);
    case "assign":
      if (!givenAway.has(move.which) && !control.tasks.has(hex(`t${move.which}`)))
        control.assign(assignment(`t${move.which}`));
      return;
    case "stop":
      return control.stop(hex(`t${move.which}`));
    case "crash":
      for (const { id } of containersOf(move.which)) machine.runtime().crash(id, 1);
      return;
    case "vanish":
      for (const { id } of containersOf(move.which)) machine.runtime().vanish(id);
      return;
    case "unhealthy":
      for (const { id } of containersOf(move.which)) machine.runtime().setHealth(id, "UNHEALTHY");
      return;
    case "kill":
      await machine.kill();
      void machine.start();
      return;
    case "offline":
    case "online":
      return control.setConnected(move.kind === "online");
    case "refuse":
      control.refusal = { reason: "Busy", message: "in a moment", retryMs: 3 };
      return;
    case "accept":
      control.refusal = undefined;
      return;
    case "supersede":
      return control.supersede(control.epoch + 1);
    case "resync":
      return control.push({
        type: "davit.v1.AssignmentPush",
        epoch: control.epoch,
        seq: 1_000,
        assignments: [],
        revisions: {},
        forget: [],
      });
    case "wait":
      await new Promise((resolve) => setTimeout(resolve, move.ms));
  }
}

/** What the control plane has is what is there, and what is wanted. */
async function converged(machine: Bench): Promise<void> {
  await eventually(
    "the control plane tells the truth",
    () =>
      [...machine.control.tasks].every(([task, { assignment: wanted }]) => {
        const live = [...machine.runtime().containers.values()].filter(
          (c) => c.task === task && c.lastStatus === "RUNNING",
        );
        const state = machine.control.state(task);
        if (state === "STOPPED") return live.length === 0;
        return state === "RUNNING" && wanted.desiredStatus === "RUNNING" && live.some(({ name }) => name === "web");
      }),
    5_000,
  );
}
