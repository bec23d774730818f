// Slots: the numbered places of a task set. A task that stops is followed by another in the same slot, so that
// back-off has something to hold on to, whatever else comes and goes.
import type { Task } from "../../api/types.gen.js";
import { LABEL } from "../labels.js";
import { isStopped, stopAsked } from "../task/view.js";
import { nextStart } from "./backoff.js";

export const slotOf = (task: Task): number => Number(task.metadata.labels?.[LABEL.slot] ?? -1);

/** A task set's tasks, told apart once: most looks are at one kind only. */
export interface SetTasks {
  /** Not STOPPED. */
  alive: readonly Task[];
  stopped: readonly Task[];
}

export function tellApart(tasks: Iterable<Task>): SetTasks {
  const alive: Task[] = [];
  const stopped: Task[] = [];
  for (const task of tasks) (isStopped(task) ? stopped : alive).push(task);
  return { alive, stopped };
}

export interface Start {
  slot: number;
  attempt: number;
  /** Name of the task of a lost machine in whose place it starts. */
  standsInFor?: string;
}
export interface FreeSlots {
  /** May start now, lowest slot first. */
  due: Start[];
  /** When the first of the others may, ms. */
  nextDueMs?: number;
  /** Most failed starts in a row that a free slot looks back on. */
  attempts: number;
}

/** The `missing` lowest slots without a task that is to run. A slot in back-off is not passed over for another. */
export function freeSlots({ alive, stopped }: SetTasks, missing: number, nowMs: number): FreeSlots {
  const free: FreeSlots = { due: [], attempts: 0 };
  if (missing <= 0) return free;
  const taken = new Set<number>();
  for (const task of alive) if (!stopAsked(task)) taken.add(slotOf(task));
  const last = lastOfEach(stopped);
  for (let slot = 0, found = 0; found < missing; slot++) {
    if (taken.has(slot)) continue;
    found++;
    const { attempt, notBeforeMs } = nextStart(last.get(slot));
    free.attempts = Math.max(free.attempts, attempt);
    if (notBeforeMs <= nowMs) free.due.push({ slot, attempt });
    else free.nextDueMs = Math.min(free.nextDueMs ?? Number.POSITIVE_INFINITY, notBeforeMs);
  }
  return free;
}

/** The newest of the stopped tasks of each slot. */
export function lastOfEach(stopped: readonly Task[]): Map<number, Task> {
  const last = new Map<number, Task>();
  for (const task of stopped) {
    const other = last.get(slotOf(task));
    if (other === undefined || endedAt(other) < endedAt(task)) last.set(slotOf(task), task);
  }
  return last;
}

const endedAt = (task: Task): string => task.status?.stoppedAt ?? task.metadata.creationTimestamp;
