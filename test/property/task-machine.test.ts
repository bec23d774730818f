import assert from "node:assert/strict";
import fc from "fast-check";
import { type AnyStateMachine, transition } from "xstate";
import type { TaskState } from "../../api/types.gen.js";
import { TASK } from "../../state-machines/tables.gen.js";
import { advanceTask, observe, type ReportedTaskState, type TaskEvent } from "../../state-machines/task.js";
import { taskMachine } from "../../state-machines/task.machine.js";
import { countOf, seedOf } from "../support/soak-count.js";

/**
 * The moves that spec/06 §8 allows, written down from its table and not from the machine: the stated moves, then
 * those that the rule "states may be skipped, never reversed" and the inferred last row (a stop before RUNNING goes
 * through the same stop and clean-up states) add to them.
 */
const ALLOWED: Readonly<Record<TaskState, readonly TaskState[]>> = {
  PROVISIONING: ["PENDING", "DEPROVISIONING", "STOPPED"],
  PENDING: ["ACTIVATING", "RUNNING", "STOPPED", "STOPPING", "DEPROVISIONING"],
  ACTIVATING: ["RUNNING", "DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED"],
  RUNNING: ["DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED"],
  DEACTIVATING: ["STOPPING", "DEPROVISIONING", "STOPPED"],
  STOPPING: ["DEPROVISIONING", "STOPPED"],
  DEPROVISIONING: ["STOPPED"],
  STOPPED: [],
};
const ORDER: readonly TaskState[] = [
  "PROVISIONING",
  "PENDING",
  "ACTIVATING",
  "RUNNING",
  "DEACTIVATING",
  "STOPPING",
  "DEPROVISIONING",
  "STOPPED",
];
const later = (from: TaskState, to: TaskState): boolean => ORDER.indexOf(to) > ORDER.indexOf(from);

/** The machine itself, as the law; the table is held against it. */
function moveByMachine(state: TaskState, event: string): TaskState {
  const machine: AnyStateMachine = taskMachine;
  const [to] = transition(machine, machine.resolveState({ value: state, context: undefined }), { type: event });
  const found = ORDER.find((known) => known === to.value);
  assert.ok(found, `${event} in ${state} leads to ${JSON.stringify(to.value)}`);
  return found;
}

describe("task machine: random lives", () => {
  const events = fc.array(fc.constantFrom<TaskEvent | "NONSENSE">(...TASK.events, "NONSENSE"), { maxLength: 30 });

  it("task-machine: no sequence of events makes a move that spec/06 §8 does not allow, by machine or by table", () => {
    const seed = seedOf("task-machine");
    fc.assert(
      fc.property(fc.constantFrom<TaskState>("PROVISIONING", "PENDING"), events, (start, sequence) => {
        let state = start;
        for (const event of sequence) {
          const to = moveByMachine(state, event);
          if (event !== "NONSENSE") assert.equal(advanceTask(state, event).state, to, `${event} in ${state}`);
          if (to === state) continue;
          assert.ok(ALLOWED[state].includes(to), `${state} → ${to} by ${event}`);
          assert.ok(later(state, to), `${state} → ${to} leads back`);
          state = to;
        }
      }),
      { seed, numRuns: countOf(100_000) },
    );
  }).timeout(300_000);

  it("every allowed move can be made: the machine forbids nothing that the spec allows", () => {
    for (const from of ORDER)
      assert.deepEqual(
        new Set(TASK.events.map((event) => moveByMachine(from, event)).filter((to) => to !== from)),
        new Set(ALLOWED[from]),
        from,
      );
  });

  it("task-machine: reports that come late, doubled or lost never lead back, and the last one decides", () => {
    const seed = seedOf("task-machine reports");
    const truth: readonly ReportedTaskState[] = ["PENDING", "RUNNING", "STOPPING", "STOPPED"];
    const reports = fc.array(fc.constantFrom(...truth), { maxLength: 20 });
    const work = fc.record({ afterLaunch: fc.boolean(), afterStop: fc.boolean() });
    fc.assert(
      fc.property(fc.constantFrom(...ORDER), reports, work, (start, sequence, surrounding) => {
        let state = start;
        for (const report of sequence) {
          const to = observe(state, report, surrounding);
          assert.ok(to === state || later(state, to), `${state} → ${to} by a report of ${report}`);
          state = to;
        }
        state = observe(observe(state, "STOPPED", surrounding), "STOPPED");
        assert.equal(state, "STOPPED");
      }),
      { seed, numRuns: countOf(100_000) },
    );
  }).timeout(300_000);
});
