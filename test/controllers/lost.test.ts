// Decisions on tasks of silent machines, by tables.
import assert from "node:assert/strict";
import type { Task } from "../../api/types.gen.js";
import { type Hearing, judge, type LostPolicy, lostPolicy } from "../../controllers/task/lost.js";
import { isSetAside, SET_ASIDE } from "../../controllers/task/view.js";
import { iso, pending, running, stopped, T0 } from "./support/objects.js";

const S = 1_000;
const hearing: Hearing = { sinceMs: T0 - 3_600 * S, graceMs: 15 * S, selfStopMarginMs: 15 * S };
const policy = (parts: Partial<LostPolicy> = {}): LostPolicy => ({ ...lostPolicy(undefined, undefined), ...parts });
const owned = (task: Task): Task => ({
  ...task,
  metadata: {
    ...task.metadata,
    ownerReferences: [{ apiVersion: "davit.dev/v1", kind: "TaskSet", name: "s", uid: "u", controller: true }],
  },
});
const aside = (task: Task): Task => ({
  ...task,
  status: {
    ...task.status,
    conditions: [{ type: SET_ASIDE, status: "True", reason: "MachineLost", message: "", lastTransitionTime: iso(T0) }],
  },
});

describe("tasks of a silent machine", () => {
  it("follow the service field by field, then the cluster, then REPLACE after 300 s, REPLACEMENT", () => {
    assert.deepEqual(lostPolicy(undefined, undefined), {
      action: "REPLACE",
      afterMs: 300 * S,
      onReturn: "REPLACEMENT",
    });
    assert.deepEqual(lostPolicy({ afterSeconds: 5 }, { action: "STOP", afterSeconds: 60, onReturn: "ORIGINAL" }), {
      action: "STOP",
      afterMs: 5 * S,
      onReturn: "ORIGINAL",
    });
    assert.equal(lostPolicy({ action: "KEEP" }, { action: "STOP" }).action, "KEEP");
  });

  const rows: {
    it: string;
    task?: Task;
    policy?: Partial<LostPolicy>;
    wantedBack?: boolean;
    hearing?: Partial<Hearing>;
    afterMs: number;
    gives: string;
    untilMs?: number;
  }[] = [
    { it: "wait for the deadline", afterMs: 299 * S, gives: "wait", untilMs: 300 * S },
    { it: "are stopped at the deadline", afterMs: 300 * S, gives: "stop" },
    { it: "are stopped at the deadline, pending ones too", task: owned(pending()), afterMs: 300 * S, gives: "stop" },
    { it: "are kept with KEEP", policy: { action: "KEEP" }, afterMs: 9e9, gives: "keep" },
    { it: "are left when they are STOPPED already", task: owned(stopped()), afterMs: 9e9, gives: "keep" },
    { it: "are set aside with ORIGINAL", policy: { onReturn: "ORIGINAL" }, afterMs: 300 * S, gives: "setAside" },
    {
      it: "stay set aside",
      task: aside(owned(running())),
      policy: { onReturn: "ORIGINAL" },
      afterMs: 9e6,
      gives: "keep",
    },
    {
      it: "are stopped when no deployment wants them back",
      task: aside(owned(running())),
      policy: { onReturn: "ORIGINAL" },
      wantedBack: false,
      afterMs: 9e6,
      gives: "stop",
    },
    {
      it: "are stopped when their stop was asked for, with ORIGINAL too",
      task: owned(running({ spec: { desiredStatus: "STOPPED" } })),
      policy: { onReturn: "ORIGINAL" },
      afterMs: 300 * S,
      gives: "stop",
    },
    {
      it: "are stopped when the policy is REPLACEMENT by now",
      task: aside(owned(running())),
      afterMs: 300 * S,
      gives: "stop",
    },
    {
      it: "go on with ORIGINAL where no service would start another",
      task: running(),
      policy: { onReturn: "ORIGINAL" },
      wantedBack: false,
      afterMs: 9e9,
      gives: "keep",
    },
    {
      it: "are stopped where no service would start another, too",
      task: running(),
      wantedBack: false,
      afterMs: 300 * S,
      gives: "stop",
    },
    {
      it: "have time to stop by themselves with STOP",
      policy: { action: "STOP" },
      afterMs: 300 * S,
      gives: "wait",
      untilMs: (300 + 30 + 15) * S,
    },
    { it: "count as stopped after that", policy: { action: "STOP" }, afterMs: 345 * S, gives: "stop" },
    { it: "wait while nobody can be heard", hearing: { sinceMs: undefined }, afterMs: 9e9, gives: "deaf" },
    {
      it: "wait for the others' chance to be heard after that",
      hearing: { sinceMs: T0 + 600 * S },
      afterMs: 601 * S,
      gives: "wait",
      untilMs: 615 * S,
    },
    { it: "are stopped after the others' chance", hearing: { sinceMs: T0 + 600 * S }, afterMs: 615 * S, gives: "stop" },
    {
      it: "do not gain by a control plane that was away early",
      hearing: { sinceMs: T0 + 100 * S },
      afterMs: 120 * S,
      gives: "wait",
      untilMs: 300 * S,
    },
  ];
  for (const row of rows)
    it(row.it, () => {
      const facts = {
        task: row.task ?? owned(running()),
        policy: policy(row.policy),
        wantedBack: row.wantedBack ?? true,
        stopTimeoutMs: 30 * S,
      };
      const verdict = judge(facts, T0, { ...hearing, ...row.hearing }, T0 + row.afterMs);
      assert.equal(verdict.kind, row.gives);
      if (verdict.kind === "wait") assert.equal(verdict.untilMs - T0, row.untilMs);
    });

  it("are set aside only while they are not STOPPED", () => {
    assert.equal(isSetAside(aside(running())), true);
    assert.equal(isSetAside(aside(stopped())), false);
    assert.equal(isSetAside(running()), false);
  });
});
