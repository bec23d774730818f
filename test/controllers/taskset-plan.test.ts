import assert from "node:assert/strict";
import type { Task } from "../../api/types.gen.js";
import { MAX_DELAY_MS, nextStart } from "../../controllers/taskset/backoff.js";
import { planTasks, type TasksInput } from "../../controllers/taskset/plan.js";
import { tellApart } from "../../controllers/taskset/slots.js";
import { iso, pending, running, stopped, T0, taskOf } from "./support/objects.js";

const plan = (tasks: Task[], parts: Partial<TasksInput> & { older?: Task[] } = {}) => {
  const { older, ...rest } = parts;
  const result = planTasks({
    desiredCount: 3,
    maximumPercent: 200,
    minimumHealthyPercent: 100,
    graceMs: 0,
    sets: [
      { name: "web-now", primary: true, ...tellApart(tasks) },
      ...(older ? [{ name: "web-old", primary: false, ...tellApart(older) }] : []),
    ],
    nowMs: T0 + 1,
    blocked: false,
    maxStarts: 100,
    ...rest,
  });
  return {
    slots: result.starts.map(({ slot }) => slot),
    attempts: result.starts.map(({ attempt }) => attempt),
    stops: result.stops.map(({ metadata }) => metadata.name),
    recheckAtMs: result.recheckAtMs,
    graceEndsMs: result.graceEndsMs,
    outcome: result.outcome,
  };
};
const many = (make: (parts: { name: string; slot: number }) => Task, count: number, prefix = "t"): Task[] =>
  Array.from({ length: count }, (_, slot) => make({ name: `${prefix}${slot}`, slot }));

describe("which tasks of a service start and stop", () => {
  it("nothing there: every slot, lowest first", () => assert.deepEqual(plan([]).slots, [0, 1, 2]));
  it("no more starts in one pass than allowed, and the rest at once after it", () => {
    const { slots, recheckAtMs } = plan([], { maxStarts: 2 });
    assert.deepEqual({ slots, recheckAtMs }, { slots: [0, 1], recheckAtMs: T0 + 1 });
  });
  it("all there and healthy: nothing, steady", () => {
    const { slots, stops, outcome } = plan(many(running, 3));
    assert.deepEqual({ slots, stops, outcome }, { slots: [], stops: [], outcome: "steady" });
  });
  it("a task that stopped after it was healthy is followed in its slot at once", () => {
    const tasks = [
      ...many(running, 2),
      stopped({ slot: 2, status: { healthyAt: iso(T0 - 5), startedAt: iso(T0 - 9) } }),
    ];
    const { slots, attempts } = plan(tasks);
    assert.deepEqual({ slots, attempts }, { slots: [2], attempts: [0] });
  });
  it("a slot in back-off waits, and no other slot is used for it", () => {
    const tasks = [running({ name: "a", slot: 0 }), running({ name: "b", slot: 2 }), stopped({ slot: 1, attempt: 2 })];
    const { slots, recheckAtMs } = plan(tasks);
    assert.deepEqual({ slots, recheckAtMs }, { slots: [], recheckAtMs: T0 + 4_000 });
    assert.deepEqual(plan(tasks, { nowMs: T0 + 4_000 }).attempts, [3]);
  });
  it("a task on its way down by itself keeps its slot until it is STOPPED", () => {
    const tasks = [...many(running, 2), running({ name: "c", slot: 2, status: { lastStatus: "STOPPING" } })];
    assert.deepEqual(plan(tasks).slots, []);
  });
  it("scaling in stops those first that serve nobody", () => {
    const tasks = [...many(running, 2), pending({ name: "p", slot: 2 })];
    assert.deepEqual(plan(tasks, { desiredCount: 2 }).stops, ["p"]);
  });
  it("a task asked to stop holds its place under the ceiling until it is gone", () => {
    const tasks = [...many(running, 2), running({ name: "s", slot: 2, spec: { desiredStatus: "STOPPED" } })];
    assert.deepEqual(plan(tasks, { maximumPercent: 100, minimumHealthyPercent: 0 }).slots, []);
    assert.deepEqual(plan(tasks, { maximumPercent: 200 }).slots, [2]);
  });
  it("rolling: starts within the ceiling, and stops no healthy task below the floor", () => {
    const first = plan([], { older: many(running, 3, "o"), maximumPercent: 150, minimumHealthyPercent: 100 });
    assert.deepEqual([first.slots, first.stops], [[0], []]);
    const second = plan([running({ name: "n", slot: 0 })], { older: many(running, 3, "o"), maximumPercent: 150 });
    assert.deepEqual([second.slots, second.stops], [[], ["o0"]]);
  });
  it("rolling: a task that is RUNNING but not yet healthy lets no old one go", () => {
    const young = many((parts) => running({ ...parts, healthyAtMs: T0 + 40_000 }), 3);
    assert.deepEqual(plan(young, { older: many(running, 3, "o") }).stops, []);
    assert.equal(plan(young, { older: many(running, 3, "o"), nowMs: T0 + 40_000 }).stops.length, 3);
  });
  it("a revision that cannot run starts nothing and stops nothing", () => {
    const { slots, stops } = plan([], { older: many(running, 3, "o"), blocked: true });
    assert.deepEqual({ slots, stops }, { slots: [], stops: [] });
  });
  it("[02-30] an unhealthy task is replaced, its replacement first; within the grace period it is left alone", () => {
    const sick = running({ name: "sick", slot: 2, status: { healthStatus: "UNHEALTHY", healthyAt: undefined } });
    const first = plan([...many(running, 2), sick]);
    assert.deepEqual([first.slots, first.stops], [[3], []]);
    const spared = plan([...many(running, 2), sick], { graceMs: 60_000 });
    assert.deepEqual([spared.slots, spared.graceEndsMs], [[], T0 + 60_000], "and is looked at again when that is over");
    const silent = { silent: new Set(["m1"]), leaving: new Set<string>() };
    const unheard = running({ spec: { containerInstance: "m1" }, status: { healthStatus: "UNHEALTHY" } });
    assert.equal(plan([unheard], { machines: silent, nowMs: T0 + 1 }).graceEndsMs, undefined);
    assert.deepEqual(plan([...many(running, 2), sick, running({ name: "n", slot: 3 })]).stops, ["sick"]);
  });
  it("a count that the task set is still to be told: the larger one's floor, the smaller one's ceiling", () => {
    const older = many(running, 2, "o");
    assert.deepEqual(plan(many(running, 3), { older }).stops, ["o0", "o1"]);
    assert.deepEqual(plan(many(running, 3), { older, askedCount: 4 }).stops, ["o0"]);
    assert.deepEqual(plan(many(running, 3), { older, askedCount: 5 }).stops, []);
    assert.deepEqual(plan(many(running, 4), { askedCount: 4 }).stops, [], "no surplus either");
    assert.deepEqual(plan([], { askedCount: 1 }).slots, [0, 1]);
    assert.deepEqual(plan([], { askedCount: 0 }).slots, []);
    const cannot = { older: many(running, 3, "o"), maximumPercent: 100 };
    assert.equal(plan([], cannot).outcome, "stuck");
    assert.equal(plan([], { ...cannot, askedCount: 4 }).outcome, "progressing", "for a moment only");
  });
  it("a service of none: all go", () =>
    assert.deepEqual(plan(many(running, 2), { desiredCount: 0 }).stops, ["t0", "t1"]));
});

describe("which tasks of a service start and stop, while machines drain or are silent", () => {
  const on = (machine: string) => ({ spec: { containerInstance: machine } });
  const machines = (leaving: string[], silent: string[] = []) => ({
    leaving: new Set(leaving),
    silent: new Set(silent),
  });

  it("[04-24] a pending task on it is stopped at once and another started in its stead, whatever the bounds", () => {
    const tasks = [...many(running, 2), pending({ name: "p", slot: 2, ...on("m") })];
    const { slots, stops } = plan(tasks, { machines: machines(["m"]) });
    assert.deepEqual({ slots, stops }, { slots: [3], stops: ["p"] });
    assert.deepEqual(plan(tasks, { machines: machines(["m"]), maximumPercent: 100 }).stops, ["p"]);
  });
  it("one that waits for a machine still is on none that drains", () => {
    const waits = pending({ name: "p", slot: 2, status: { lastStatus: "PROVISIONING" } });
    assert.deepEqual(plan([...many(running, 2), waits], { machines: machines(["m"]) }).stops, []);
  });
  it("running tasks on it are replaced first, in slots of their own, and stop when their replacements are healthy", () => {
    const tasks = [running({ name: "a", slot: 0 }), running({ name: "b", slot: 1, ...on("m") })];
    const first = plan(tasks, { desiredCount: 2, machines: machines(["m"]) });
    assert.deepEqual([first.slots, first.stops, first.outcome], [[2], [], "progressing"]);
    const second = plan([...tasks, running({ name: "c", slot: 2 })], { desiredCount: 2, machines: machines(["m"]) });
    assert.deepEqual([second.slots, second.stops], [[], ["b"]]);
  });
  it("on a machine of another name nothing is different", () =>
    assert.equal(
      plan(
        many((parts) => running({ ...parts, ...on("m") }), 3),
        { machines: machines(["n"]) },
      ).outcome,
      "steady",
    ));
  it("a revision that cannot run: nothing healthy is given up for it", () => {
    const tasks = many((parts) => running({ ...parts, ...on("m") }), 3);
    const parts = { machines: machines(["m"]), minimumHealthyPercent: 0, blocked: true };
    assert.deepEqual(plan(tasks, parts).stops, []);
    assert.deepEqual(plan([], { ...parts, older: tasks }).stops, []);
  });
  it("tasks whose agent is not heard keep no floor: no other stops because they were healthy once", () => {
    const old = [...many(running, 2, "o"), running({ name: "far", slot: 2, ...on("m") })];
    const parts = { older: old, maximumPercent: 100, minimumHealthyPercent: 60 };
    assert.deepEqual(plan([], parts).stops, ["o0"]);
    assert.deepEqual(plan([], { ...parts, machines: machines([], ["m"]) }).stops, ["far"]);
  });
  it("tasks whose agent is not heard are there all the same: nothing is started for them", () => {
    const tasks = many((parts) => running({ ...parts, ...on("m") }), 3);
    const { slots, stops } = plan(tasks, { machines: machines([], ["m"]) });
    assert.deepEqual({ slots, stops }, { slots: [], stops: [] });
  });

  const aside = {
    conditions: [{ type: "SetAside", status: "True" as const, reason: "", message: "", lastTransitionTime: "" }],
  };
  it("one that is set aside is replaced, also at a maximum of 100 %, and its stand-in remembers it", () => {
    const tasks = [...many(running, 2), running({ name: "lost", slot: 2, ...on("m"), status: aside })];
    const input = {
      desiredCount: 3,
      maximumPercent: 100,
      minimumHealthyPercent: 100,
      graceMs: 0,
      nowMs: T0,
      blocked: false,
    };
    const { starts, stops } = planTasks({
      ...input,
      maxStarts: 9,
      machines: machines([], ["m"]),
      sets: [{ name: "web", primary: true, ...tellApart(tasks) }],
    });
    assert.deepEqual([starts, stops], [[{ slot: 3, attempt: 0, standsInFor: "lost" }], []]);
  });
  it("one that is back counts again, and its stand-in goes, balanced or not", () => {
    const standIn = running({ name: "new", slot: 3, annotations: { "davit.dev/stands-in-for": "t2" } });
    const parts = { stopOrder: (names: readonly string[]) => [...names].sort() };
    assert.deepEqual(plan([...many(running, 3), standIn], parts).stops, ["new"]);
    assert.deepEqual(plan([...many(running, 2), standIn], parts).stops, []);
  });
  it("one that is set aside and is to stop is no matter any more", () => {
    const gone = running({ name: "gone", slot: 3, status: aside, spec: { desiredStatus: "STOPPED" } });
    assert.deepEqual(plan([...many(running, 3), gone]).outcome, "steady");
  });
});

describe("back-off of a slot", () => {
  const next = (task: Task | undefined) => {
    const { attempt, notBeforeMs } = nextStart(task);
    return { attempt, delayMs: notBeforeMs === 0 ? 0 : notBeforeMs - T0 };
  };
  it("nothing before: at once", () => assert.deepEqual(next(undefined), { attempt: 0, delayMs: 0 }));
  it("[07-41] failed starts in a row: doubling, never over 15 minutes", () => {
    const delays = Array.from({ length: 13 }, (_, attempt) => next(stopped({ attempt })).delayMs);
    assert.deepEqual(delays.slice(0, 5), [1_000, 2_000, 4_000, 8_000, 16_000]);
    assert.deepEqual(delays.slice(-3), [MAX_DELAY_MS, MAX_DELAY_MS, MAX_DELAY_MS]);
    assert.equal(next(stopped({ attempt: 5_000 })).delayMs, MAX_DELAY_MS);
  });
  it("[07-43] a task that ran and exited at once is no failed start: the pace stays", () =>
    assert.deepEqual(next(stopped({ attempt: 0, status: { startedAt: iso(T0 - 1) } })), {
      attempt: 0,
      delayMs: 1_000,
    }));
  it("a task that was healthy sets the pace back", () =>
    assert.deepEqual(next(stopped({ attempt: 7, status: { startedAt: iso(T0 - 9), healthyAt: iso(T0 - 1) } })), {
      attempt: 0,
      delayMs: 0,
    }));
  it("a task that was to stop says nothing about the next", () =>
    assert.deepEqual(next(stopped({ attempt: 7, spec: { desiredStatus: "STOPPED" } })), { attempt: 0, delayMs: 0 }));
  it("a task that was lost with its machine is replaced at once, and is no failed start", () => {
    const lost = (parts: Parameters<typeof stopped>[0]) =>
      next(stopped({ ...parts, status: { stopCode: "InfrastructureHealth", ...parts?.status } }));
    assert.deepEqual(lost({ attempt: 0 }), { attempt: 0, delayMs: 0 });
    assert.deepEqual(lost({ attempt: 0, status: { startedAt: iso(T0 - 1) } }), { attempt: 0, delayMs: 0 });
    assert.deepEqual(lost({ attempt: 4 }), { attempt: 4, delayMs: 0 });
  });
  it("a task without status says nothing yet", () => assert.equal(next(taskOf({})).attempt, 0));
});
