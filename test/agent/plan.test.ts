import assert from "node:assert/strict";
import { type Plan, planTask } from "../../agent/engine/plan.js";
import { type ContainerRecord, newContainer, type TaskRecord } from "../../agent/engine/record.js";
import type { RuntimeContainer } from "../../agent/runtimes/runtime.js";

const NOW = 1_000_000;

const seen = (lastStatus: RuntimeContainer["lastStatus"]): RuntimeContainer => ({
  id: `id-${lastStatus}`,
  task: "t",
  name: "c",
  runtimeName: "n",
  labels: {},
  image: "i",
  lastStatus,
  health: "UNKNOWN",
  networkBindings: [],
});
const of = (change: Partial<ContainerRecord> = {}): ContainerRecord => ({
  ...newContainer("c", "i", true, 30_000),
  ...change,
});

const fresh = of();
const pulled = of({ pulled: true });
const created = of({ pulled: true, observed: seen("CREATED") });
const running = of({ pulled: true, observed: seen("RUNNING") });
const stopped = of({ pulled: true, observed: seen("STOPPED") });
const unpullable = of({ failure: "CannotPullContainerError: no" });
const lost = of({ observed: seen("STOPPED"), lost: true });
const optional = (container: ContainerRecord): ContainerRecord => ({ ...container, essential: false });
const busy = (container: ContainerRecord, kind: ContainerRecord["busy"]): ContainerRecord => ({
  ...container,
  ...(kind && { busy: kind }),
});
const resting = (container: ContainerRecord): ContainerRecord => ({ ...container, retryAtMs: NOW + 5 });
const unsure = (container: ContainerRecord): ContainerRecord => ({ ...container, uncertain: true });

function plan(desired: TaskRecord["desired"], containers: ContainerRecord[], change: Partial<TaskRecord> = {}): Plan {
  return planTask(
    {
      key: "t",
      task: "t",
      namespace: "default",
      name: "t",
      desired,
      size: containers.length,
      containers: new Map(containers.map((container, at) => [`c${at}`, { ...container, name: `c${at}` }])),
      sinceMs: 0,
      keepUntilMs: 0,
      state: "PENDING",
      seq: 0,
      ...change,
    },
    NOW,
  );
}
const short = ({ state, steps }: Plan): string =>
  [state, ...steps.map(({ kind, container }) => `${kind} ${container}`)].join(", ");

describe("plan of one task", () => {
  for (const [desired, containers, wanted] of [
    // On the way up: images first, then all containers, then all starts.
    ["RUNNING", [fresh], "PENDING, pull c0"],
    ["RUNNING", [busy(fresh, "pull")], "PENDING"],
    ["RUNNING", [pulled, fresh], "PENDING, pull c1"],
    ["RUNNING", [pulled, busy(fresh, "pull")], "PENDING"],
    ["RUNNING", [pulled, pulled], "PENDING, create c0, create c1"],
    ["RUNNING", [created, pulled], "PENDING, create c1"],
    ["RUNNING", [created, busy(pulled, "create")], "PENDING"],
    ["RUNNING", [created, created], "PENDING, start c0, start c1"],
    ["RUNNING", [running, busy(created, "start")], "PENDING"],
    ["RUNNING", [running, running], "RUNNING"],
    ["RUNNING", [resting(fresh)], "PENDING"],
    ["RUNNING", [unsure(pulled)], "PENDING, look c0"],
    ["RUNNING", [unsure(created)], "PENDING, look c0"],
    // What is not essential never holds the others up, and counts as started when it is over.
    ["RUNNING", [pulled, optional(unpullable)], "PENDING, create c0"],
    ["RUNNING", [running, optional(unpullable)], "RUNNING"],
    ["RUNNING", [running, optional(stopped)], "RUNNING"],
    ["RUNNING", [created, optional(stopped)], "PENDING, start c0"],
    // An essential end takes the others down.
    ["RUNNING", [stopped, running], "STOPPING, stop c1"],
    ["RUNNING", [lost, running], "STOPPING, stop c1"],
    ["RUNNING", [stopped, busy(running, "stop")], "STOPPING"],
    ["RUNNING", [stopped, stopped], "STOPPED"],
    ["RUNNING", [optional(stopped), optional(stopped)], "STOPPED"],
    ["RUNNING", [unpullable, busy(fresh, "pull")], "STOPPED, abandonPull c1"],
    ["RUNNING", [unpullable, pulled], "STOPPED"],
    // Never STOPPED while one may live.
    ["RUNNING", [stopped, unsure(running)], "STOPPING, look c1"],
    ["RUNNING", [stopped, busy(created, "start")], "STOPPING"],
    ["RUNNING", [stopped, busy(pulled, "create")], "STOPPING"],
    ["RUNNING", [stopped, unsure(created)], "STOPPING, look c1"],
    ["STOPPED", [running], "STOPPING, stop c0"],
    ["STOPPED", [resting(running)], "STOPPING"],
    ["STOPPED", [busy(fresh, "pull")], "STOPPED, abandonPull c0"],
    ["STOPPED", [fresh], "STOPPED"],
    ["STOPPED", [created], "STOPPED"],
    ["STOPPED", [stopped], "STOPPED"],
    ["STOPPED", [], "STOPPED"],
    // Not assigned: down, and gone.
    ["ABSENT", [running, stopped], "STOPPING, stop c0"],
    ["ABSENT", [stopped, created], "STOPPED, remove c0, remove c1"],
    ["ABSENT", [stopped, busy(stopped, "remove")], "STOPPED, remove c0"],
    // Before the sync answer nothing is touched.
    ["UNKNOWN", [running, running], "RUNNING"],
    ["UNKNOWN", [running, created], "PENDING"],
    ["UNKNOWN", [stopped, running], "STOPPING"],
    ["UNKNOWN", [stopped], "STOPPED"],
  ] as const)
    it(`${desired}: ${containers.map(describeContainer).join(" + ") || "nothing"} → ${wanted}`, () => {
      assert.equal(short(plan(desired, [...containers])), wanted);
    });

  it("says why, and the first cause counts", () => {
    const exit = { code: "EssentialContainerExited", reason: "Essential container in task exited", asked: false };
    const start = { code: "TaskFailedToStart", reason: "Task failed to start", asked: false };
    assert.deepEqual(plan("RUNNING", [stopped, running]).cause, exit);
    assert.deepEqual(plan("RUNNING", [unpullable, pulled]).cause, start);
    assert.deepEqual(plan("RUNNING", [running, optional(unpullable)]).cause, undefined);
    assert.deepEqual(plan("STOPPED", [stopped]).cause, exit, "the exit was there before the stop");
    const asked = { code: "UserInitiated" as const, reason: "Task stopped by user", asked: true };
    assert.deepEqual(plan("STOPPED", [stopped], { cause: asked }).cause, asked);
  });

  it("keeps what is not assigned any more for its logs, as long as asked", () => {
    const kept = plan("ABSENT", [stopped], { keepUntilMs: NOW + 70 });
    assert.deepEqual([short(kept), kept.recheckAtMs, kept.gone], ["STOPPED", NOW + 70, false]);
    assert.equal(plan("ABSENT", [pulled]).gone, true);
  });

  it("asks to be called again when a rest is over", () => {
    assert.equal(plan("STOPPED", [resting(running)]).recheckAtMs, NOW + 5);
    assert.equal(plan("RUNNING", [running]).recheckAtMs, undefined);
  });

  it("does not call a task RUNNING of which it has found only a part", () => {
    assert.equal(plan("UNKNOWN", [running], { size: 2 }).state, "PENDING");
  });
});

function describeContainer({
  essential,
  pulled,
  observed,
  failure,
  lost,
  busy,
  uncertain,
  retryAtMs,
}: ContainerRecord): string {
  const words = [
    !essential && "optional",
    uncertain && "unsure",
    retryAtMs > 0 && "resting",
    failure ? "failed" : lost ? "lost" : (observed?.lastStatus.toLowerCase() ?? (pulled ? "pulled" : "fresh")),
    busy && `(${busy})`,
  ];
  return words.filter(Boolean).join(" ");
}
