// What a person wants to know first of a service that does not become steady. Pure.

import { controllerOf } from "../../api/references.js";
import type { Task } from "../../api/types.gen.js";
import { whyStopped } from "../../api/why-stopped.js";
import { isStopped, lostItsMachine, wasHealthy } from "../task/view.js";
import { FAILED_HEALTH_CHECKS } from "../taskset/stops.js";

/** Why the task set's newest task that never became healthy has stopped, of those that nobody scaled away. No task is
 *  named, so that a failure that comes again changes nothing. */
export function lastFailure(tasks: readonly Task[], setUid: string): string | undefined {
  let last: Task | undefined;
  for (const task of tasks) {
    if (!hasFailed(task) || controllerOf(task)?.uid !== setUid) continue;
    if (last === undefined || stoppedAt(last) < stoppedAt(task)) last = task;
  }
  return last?.status && whyStopped(last.status);
}

const hasFailed = (task: Task): boolean =>
  isStopped(task) &&
  !wasHealthy(task) &&
  !lostItsMachine(task) &&
  (task.spec.desiredStatus !== "STOPPED" || task.spec.stopReason === FAILED_HEALTH_CHECKS);

const stoppedAt = ({ status }: Task): string => status?.stoppedAt ?? "";
