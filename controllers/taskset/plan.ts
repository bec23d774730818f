// Which tasks of a service start and stop now. All its task sets in one plan, because floor and ceiling are the
// service's. State in, plan out: no reads, no writes, no clock.
import type { Task } from "../../api/types.gen.js";
import {
  planRolling,
  type RollingPlan,
  type RollingTask,
  type RollingTaskState,
} from "../../state-machines/rolling.js";
import { ANNOTATION } from "../labels.js";
import { isHealthy, isPending, isRunning, isSetAside, stopAsked } from "../task/view.js";
import { attemptOf } from "./backoff.js";
import type { MachineFacts } from "./machines.js";
import { type FreeSlots, freeSlots, type SetTasks, type Start } from "./slots.js";

export interface SetInput extends SetTasks {
  name: string;
  /** The one that is wanted; the others are on their way out. */
  primary: boolean;
}

export interface TasksInput {
  /** The service's wish; 0 while it is being deleted. */
  desiredCount: number;
  /** What it asks for by now, where the primary set is still to be told. @default desiredCount */
  askedCount?: number;
  maximumPercent: number;
  minimumHealthyPercent: number;
  /** So long after a task's start UNHEALTHY is not held against it (decision C9). */
  graceMs: number;
  sets: readonly SetInput[];
  /** Absent where no machine of the cluster drains, leaves or is silent. */
  machines?: MachineFacts | undefined;
  nowMs: number;
  /** The wanted revision cannot run (`Runnable=False`): starts nothing. */
  blocked: boolean;
  /** Starts in one pass; the rest follows in the next. */
  maxStarts: number;
  /** The first `most` names in the order in which to stop them, so that placement stays balanced (spec/06 §9.3). */
  stopOrder?: (names: readonly string[], most: number) => readonly string[];
}

export interface TasksPlan {
  /** Of the primary set. */
  starts: Start[];
  stops: Task[];
  outcome: RollingPlan["outcome"];
  floor: number;
  ceiling: number;
  /** Look again then, ms: a back-off ends, or there is more to start. */
  recheckAtMs?: number;
  /** And then: being UNHEALTHY begins to be held against a task, and no change of it tells so. */
  graceEndsMs?: number;
  /** Most failed starts in a row that a slot which does not run looks back on. */
  attempts: number;
}

const NO_NAMES: ReadonlySet<string> = new Set();

export function planTasks(input: TasksInput): TasksPlan {
  const { nowMs, graceMs, desiredCount, machines } = input;
  const primary = input.sets.find((set) => set.primary);
  let missing = primary === undefined ? 0 : desiredCount;
  let attempts = 0;
  let graceEndsMs: number | undefined;
  const standIns = standInsOf(primary?.alive ?? []);
  /** Of the wanted set, and to come back. */
  const lost: string[] = [];
  const sets = input.sets.map((set) => {
    const tasks: RollingTask[] = [];
    for (const task of set.alive) {
      const { name } = task.metadata;
      const state = stateOf(task, nowMs, graceMs, machines?.silent);
      const asked = stopAsked(task);
      if (state === "waiting") graceEndsMs = earliest(graceEndsMs, graceEndOf(task, graceMs), nowMs);
      // Nobody waits for one that is lost and to stop.
      if (state === "lost" && asked) continue;
      const leaving = isLeavingTask(task, machines);
      // An unhealthy task and one that leaves are replaced before they go, a lost one without going at all; one that
      // goes by itself keeps its slot until it is STOPPED.
      if (set === primary && state !== "unhealthy" && state !== "lost" && !leaving && !asked) missing--;
      if (set === primary && state === "starting") attempts = Math.max(attempts, attemptOf(task));
      if (set === primary && state === "lost" && !leaving) lost.push(name);
      tasks.push({ name, state, leaving, standIn: standIns.size > 0 && standIns.has(name) });
    }
    return { name: set.name, primary: set.primary, tasks };
  });
  const free: FreeSlots = primary === undefined ? { due: [], attempts: 0 } : freeSlots(primary, missing, nowMs);
  const rolling = planRolling({
    desiredCount,
    ...(input.askedCount !== undefined && { askedCount: input.askedCount }),
    maximumPercent: input.maximumPercent,
    minimumHealthyPercent: input.minimumHealthyPercent,
    startsBlocked: input.blocked || (free.due.length === 0 && free.nextDueMs !== undefined),
    ...(input.stopOrder && { stopOrder: input.stopOrder }),
    sets,
  });

  const allowed = rolling.sets.reduce((sum, { start }) => sum + start, 0);
  const starts = withOriginals(free.due.slice(0, Math.min(allowed, input.maxStarts)), lost, primary?.alive ?? []);
  const more = allowed > starts.length && free.due.length > starts.length;
  const recheckAtMs = more ? nowMs : free.nextDueMs;
  return {
    starts,
    stops: tasksToStop(input.sets, rolling),
    outcome: rolling.outcome,
    floor: rolling.floor,
    ceiling: rolling.ceiling,
    attempts: Math.max(attempts, free.attempts),
    ...(recheckAtMs !== undefined && { recheckAtMs }),
    ...(graceEndsMs !== undefined && { graceEndsMs }),
  };
}

/** The earlier of the two, ms, of those that lie ahead. */
const earliest = (first: number | undefined, other: number | undefined, nowMs: number): number | undefined =>
  other === undefined || other <= nowMs ? first : Math.min(first ?? Number.POSITIVE_INFINITY, other);

/** Names of the tasks that were started in the place of others which are there again. */
function standInsOf(tasks: readonly Task[]): ReadonlySet<string> {
  if (!tasks.some((task) => originalOf(task) !== undefined)) return NO_NAMES;
  const started = tasks.filter((task) => originalOf(task) !== undefined);
  const back = new Set(tasks.filter(isBack).map(({ metadata }) => metadata.name));
  return new Set(started.filter((task) => back.has(originalOf(task) ?? "")).map(({ metadata }) => metadata.name));
}
const originalOf = ({ metadata }: Task): string | undefined => metadata.annotations?.[ANNOTATION.standsInFor];
const isBack = (task: Task): boolean => !isSetAside(task) && !stopAsked(task);

/** The first of the starts, each with the name of a lost task that nothing stands in for yet. */
function withOriginals(starts: Start[], lost: readonly string[], alive: readonly Task[]): Start[] {
  if (starts.length === 0 || lost.length === 0) return starts;
  const replaced = new Set(alive.filter((task) => !stopAsked(task)).map(originalOf));
  const free = lost.filter((name) => !replaced.has(name));
  return starts.map((start, at) => {
    const standsInFor = free[at];
    return standsInFor === undefined ? start : { ...start, standsInFor };
  });
}

function tasksToStop(sets: readonly SetInput[], rolling: RollingPlan): Task[] {
  const stops: Task[] = [];
  for (const { name, stop } of rolling.sets) {
    if (stop.length === 0) continue;
    const names = new Set(stop);
    const alive = sets.find((set) => set.name === name)?.alive ?? [];
    stops.push(...alive.filter((task) => names.has(task.metadata.name)));
  }
  return stops;
}

/** Its machine drains or leaves. */
export const isLeavingTask = (task: Task, machines: MachineFacts | undefined): boolean =>
  machines !== undefined && machines.leaving.size > 0 && isOn(machines.leaving, task);

const isOn = (machines: ReadonlySet<string>, { spec: { containerInstance } }: Task): boolean =>
  containerInstance !== undefined && machines.has(containerInstance);

/** What a task that is not STOPPED means for a deployment.
 *  @param silent names of machines of which nobody knows how their tasks are */
export function stateOf(
  task: Task,
  nowMs: number,
  graceMs: number,
  silent: ReadonlySet<string> = NO_NAMES,
): RollingTaskState {
  if (isSetAside(task)) return "lost";
  if (stopAsked(task)) return "stopping";
  if (isPending(task)) return "starting";
  // On its way down by itself: an essential container has ended.
  if (!isRunning(task)) return "stopping";
  if (silent.size > 0 && isOn(silent, task)) return "waiting";
  if (isHealthy(task, nowMs)) return "healthy";
  const graceEndMs = graceEndOf(task, graceMs);
  return graceEndMs !== undefined && graceEndMs <= nowMs ? "unhealthy" : "waiting";
}

/** From when on it is held against a task that it is UNHEALTHY, ms; undefined if it is not. */
function graceEndOf({ status }: Task, graceMs: number): number | undefined {
  if (status?.healthStatus !== "UNHEALTHY") return undefined;
  return status.startedAt === undefined ? 0 : Date.parse(status.startedAt) + graceMs;
}
