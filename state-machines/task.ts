import type { TaskState } from "../api/types.gen.js";
import { type Advance, advance } from "./advance.js";
import { TASK } from "./tables.gen.js";

/**
 * What happens to a task.
 * - `BOUND`: it has its machine, and what it needs beforehand (its network) is there.
 * - `LAUNCHED`: its containers run, and work is left before it counts as RUNNING (targets, discovery).
 * - `STARTED`: its containers run, and that work is done or was not needed.
 * - `DEACTIVATE`: it is to stop or has ended, and work comes first (deregister targets).
 * - `STOP`: it is to stop, or its containers are on their way down.
 * - `CLEAN_UP`: its containers are down, and work is left (remove its network).
 * - `START_FAILED`: it never came to run.
 * - `STOPPED`: nothing of it is left to do. Skips what was not needed or not seen.
 */
export type TaskEvent =
  | "BOUND"
  | "LAUNCHED"
  | "STARTED"
  | "DEACTIVATE"
  | "STOP"
  | "CLEAN_UP"
  | "START_FAILED"
  | "STOPPED";

/** What an agent says of a task: the whole state, not a change (`bus/messages.ts` TaskReport.state). */
export type ReportedTaskState = Extract<TaskState, "PENDING" | "RUNNING" | "STOPPING" | "STOPPED">;

/** Work of the control plane around a task's run, where there is any. */
export interface SurroundingWork {
  /** Not done yet: a running task is ACTIVATING until it is. */
  readonly afterLaunch?: boolean;
  /** Not done yet: a task whose containers are down is DEPROVISIONING until it is. */
  readonly afterStop?: boolean;
}

export const advanceTask = (state: TaskState, event: TaskEvent): Advance<TaskState> => advance(TASK, state, event);

/** Later in life than `other`, or the same. */
export const hasReached = (state: TaskState, other: TaskState): boolean =>
  TASK.states.indexOf(state) >= TASK.states.indexOf(other);

/**
 * Folds an agent's report into the state we hold. Reports may be lost, doubled, late or jump over states:
 * whatever would lead back changes nothing. A task that an agent tells of is bound, so PROVISIONING ends.
 */
export function observe(current: TaskState, reported: ReportedTaskState, work: SurroundingWork = {}): TaskState {
  if (current === "PROVISIONING") return observe(advanceTask(current, "BOUND").state, reported, work);
  switch (reported) {
    case "PENDING":
      return current;
    case "RUNNING":
      return advanceTask(current, work.afterLaunch ? "LAUNCHED" : "STARTED").state;
    case "STOPPING":
      return advanceTask(current, "STOP").state;
    case "STOPPED":
      return advanceTask(current, work.afterStop ? "CLEAN_UP" : "STOPPED").state;
  }
}

/** The state with which a task is created (decision A8). */
export const initialTaskState = (bound: boolean): TaskState => (bound ? "PENDING" : TASK.initial);
