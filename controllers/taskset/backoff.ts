// How long a slot waits before its next task. Deadlines are computed from the tasks themselves: nothing to remember.
import type { Task } from "../../api/types.gen.js";
import { ANNOTATION } from "../labels.js";
import { failedToStart, lostItsMachine, wasHealthy } from "../task/view.js";

/** Longest gap between two starts in a slot (spec/07 §5). */
export const MAX_DELAY_MS = 15 * 60_000;
const FIRST_DELAY_MS = 1_000;
/** A task that ran, but not until it counted as healthy: no throttle (07-43), but no busy loop either. */
const RESTART_DELAY_MS = 1_000;
/** So many failed starts in a row in one slot make the service event of spec/07 §5. */
export const THROTTLED_AFTER = 3;

export const attemptOf = (task: Task): number => Number(task.metadata.annotations?.[ANNOTATION.attempt] ?? 0);

/** What the slot's last task means for the next one: how many starts in a row have failed now, and when to try. */
export function nextStart(last: Task | undefined): { attempt: number; notBeforeMs: number } {
  if (last === undefined || last.spec.desiredStatus === "STOPPED" || wasHealthy(last)) {
    return { attempt: 0, notBeforeMs: 0 };
  }
  // What failed before it may well fail again.
  if (lostItsMachine(last)) return { attempt: attemptOf(last), notBeforeMs: 0 };
  const stoppedAtMs = Date.parse(last.status?.stoppedAt ?? last.metadata.creationTimestamp);
  if (!failedToStart(last)) return { attempt: attemptOf(last), notBeforeMs: stoppedAtMs + RESTART_DELAY_MS };
  const attempt = attemptOf(last) + 1;
  // 2 ** 30 s is beyond the limit already: keeps the power finite.
  const delayMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(attempt - 1, 30));
  return { attempt, notBeforeMs: stoppedAtMs + delayMs };
}
