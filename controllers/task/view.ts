// What a task counts as. The one place that knows, so that services, task sets and clusters agree. Pure.
import { getCondition } from "../../api/conditions.js";
import type { Task } from "../../api/types.gen.js";

/** STOPPED is final. */
export const isStopped = (task: Task): boolean => task.status?.lastStatus === "STOPPED";

/** Somebody asked for its stop: by `spec`, or by deleting it. */
export const stopAsked = (task: Task): boolean =>
  task.spec.desiredStatus === "STOPPED" || task.metadata.deletionTimestamp !== undefined;

/** Is to run, and may still. */
export const isWanted = (task: Task): boolean => !isStopped(task) && !stopAsked(task);

/** The condition of a task that `isSetAside`. */
export const SET_ASIDE = "SetAside";

/** Its machine is lost, its place is taken until that is back, and meanwhile no count has it: neither those for floor
 *  and ceiling nor those for how many are wanted. Stored, so that it outlives a restart of the control plane. */
export const isSetAside = (task: Task): boolean =>
  !isStopped(task) && getCondition(task.status?.conditions, SET_ASIDE)?.status === "True";

/** To run, and without a machine, or at least without its room on it, yet. */
export function isWaiting(task: Task): boolean {
  const state = task.status?.lastStatus;
  return isWanted(task) && (state === undefined || state === "PROVISIONING");
}

export const isRunning = (task: Task): boolean => task.status?.lastStatus === "RUNNING";

/** On its way to RUNNING, placed or not. */
export function isPending(task: Task): boolean {
  const state = task.status?.lastStatus;
  return state === undefined || state === "PROVISIONING" || state === "PENDING" || state === "ACTIVATING";
}

/** Running, and counts as healthy at `nowMs`: `status.healthyAt` has come (it may lie in the future: a task
 *  without any check counts `minHealthySeconds` after RUNNING; decision C7). */
export function isHealthy(task: Task, nowMs: number): boolean {
  const at = task.status?.healthyAt;
  return at !== undefined && isRunning(task) && isWanted(task) && at <= isoOf(nowMs);
}

let lastMs = Number.NaN;
let lastIso = "";
/** Times that controllers write are all of this form, so they compare as texts: a pass over many tasks parses none. */
function isoOf(ms: number): string {
  if (ms !== lastMs) {
    lastMs = ms;
    lastIso = new Date(ms).toISOString();
  }
  return lastIso;
}

/** Stopped without ever having run, and nobody asked for it: what the start throttle counts (spec/07 §5). */
export const failedToStart = (task: Task): boolean =>
  isStopped(task) &&
  task.status?.startedAt === undefined &&
  task.spec.desiredStatus !== "STOPPED" &&
  !lostItsMachine(task);

/** Stopped because its machine was lost or left: that says nothing about the task. */
export const lostItsMachine = ({ status }: Task): boolean =>
  status?.stopCode === "InfrastructureHealth" || status?.stopCode === "TerminationNotice";

/** Got as far as counting as healthy before it stopped. */
export function wasHealthy(task: Task): boolean {
  const { healthyAt, stoppedAt } = task.status ?? {};
  return healthyAt !== undefined && (stoppedAt === undefined || Date.parse(healthyAt) <= Date.parse(stoppedAt));
}

export interface Counts {
  running: number;
  pending: number;
  healthy: number;
  /** Not STOPPED, whatever is wanted of them: what may hold resources. */
  alive: number;
  wanted: number;
  /** Of lost machines, and counted nowhere else. */
  setAside: number;
}

export const noCounts = (): Counts => ({ running: 0, pending: 0, healthy: 0, alive: 0, wanted: 0, setAside: 0 });

export function countTasks(tasks: Iterable<Task>, nowMs: number): Counts {
  const counts = noCounts();
  for (const task of tasks) countTask(counts, task, nowMs);
  return counts;
}

/** Adds one to `counts`. */
export function countTask(counts: Counts, task: Task, nowMs: number): void {
  if (isStopped(task)) return;
  if (isSetAside(task)) {
    counts.setAside++;
    return;
  }
  counts.alive++;
  if (isWanted(task)) counts.wanted++;
  if (isRunning(task)) {
    counts.running++;
    if (isHealthy(task, nowMs)) counts.healthy++;
  } else if (isPending(task)) counts.pending++;
}

/** When the next of these tasks begins to count as healthy just by time passing; undefined if none does. */
export function nextHealthyMs(tasks: Iterable<Task>, nowMs: number): number | undefined {
  let next: string | undefined;
  for (const task of tasks) next = sooner(next, healthyLater(task, nowMs));
  return next === undefined ? undefined : Date.parse(next);
}

/** When the task begins to count as healthy just by time passing. */
export function healthyLater(task: Task, nowMs: number): string | undefined {
  const at = task.status?.healthyAt;
  return at !== undefined && at > isoOf(nowMs) && isRunning(task) ? at : undefined;
}
export const sooner = (a: string | undefined, b: string | undefined): string | undefined =>
  a === undefined || (b !== undefined && b < a) ? b : a;
