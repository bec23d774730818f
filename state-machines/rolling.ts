// How many tasks to start and to stop now, so that a service comes nearer to its wish without leaving the
// bounds of its deployment configuration (spec/06 §11). A pure function of what is seen: asked again after each change.

/**
 * What a task means for a deployment.
 * - `starting`: not RUNNING yet (PROVISIONING, PENDING, ACTIVATING).
 * - `waiting`: RUNNING, not counted healthy yet (no check has answered, or `minHealthySeconds` are not over).
 * - `healthy`: RUNNING and counted healthy.
 * - `unhealthy`: RUNNING, and a check says that it is not well.
 * - `stopping`: wanted STOPPED, and not STOPPED yet. It holds its place under the ceiling until it is gone (04-30).
 */
export type RollingTaskState = "starting" | "waiting" | "healthy" | "unhealthy" | "stopping";

export interface RollingTask {
  readonly name: string;
  readonly state: RollingTaskState;
}

export interface RollingSet {
  readonly name: string;
  /** The one deployment that is wanted; every other set is on its way out. At most one. */
  readonly primary: boolean;
  /** Every task that is not STOPPED. */
  readonly tasks: readonly RollingTask[];
}

export interface RollingInput {
  readonly desiredCount: number;
  /** Whole percents, of `desiredCount`. */
  readonly maximumPercent: number;
  readonly minimumHealthyPercent: number;
  readonly sets: readonly RollingSet[];
  /** Nothing may be started at present (the revision cannot run, or starts are backing off):
   *  then no healthy task of an older set is given up either, since nothing would follow it. */
  readonly startsBlocked?: boolean;
  /** Puts tasks in the order in which they should stop, so that placement stays balanced. Default: as listed. */
  readonly stopOrder?: (names: readonly string[]) => readonly string[];
}

export interface RollingPlan {
  readonly sets: readonly { readonly name: string; readonly start: number; readonly stop: readonly string[] }[];
  /** `steady`: `desiredCount` healthy tasks of the primary set, nothing of another.
   *  `stuck`: neither a start nor a stop is allowed by `floor` and `ceiling`, and nothing is under way. */
  readonly outcome: "steady" | "progressing" | "stuck";
  /** No stop may take the number of healthy tasks below this (or below what it is, if less). */
  readonly floor: number;
  /** No start may take the number of tasks above this. */
  readonly ceiling: number;
}

/** `maxTasks` of spec/06 §11. Multiplies first: `25 * 1.16` is not 29 in floating point. */
export const ceilingOf = (desiredCount: number, maximumPercent: number): number =>
  Math.floor((desiredCount * maximumPercent) / 100);

/** `minHealthy` of spec/06 §11. */
export const floorOf = (desiredCount: number, minimumHealthyPercent: number): number =>
  Math.ceil((desiredCount * minimumHealthyPercent) / 100);

type ByState = Readonly<Record<RollingTaskState, readonly string[]>>;

/**
 * The moves allowed now. All of them may be made at once: none depends on another, and the bounds hold
 * whichever of them comes first (spec/06 §11; DESIGN invariant 4; decisions C7, C8, A33).
 */
export function planRolling(input: RollingInput): RollingPlan {
  const { desiredCount, sets } = input;
  const ceiling = ceilingOf(desiredCount, input.maximumPercent);
  const floor = floorOf(desiredCount, input.minimumHealthyPercent);
  const primary = byState(sets.filter((set) => set.primary));
  const older = byState(sets.filter((set) => !set.primary));

  const wanted = Math.max(0, desiredCount - count(primary, "starting", "waiting", "healthy"));
  const room = Math.max(0, ceiling - total(primary) - total(older));
  const hasPrimary = sets.some((set) => set.primary);
  const start = hasPrimary && !input.startsBlocked ? Math.min(wanted, room) : 0;
  const stop = new Set(chooseStops(input, primary, older, { floor, wanted, room }));

  const plans = sets.map((set) => ({
    name: set.name,
    start: set.primary ? start : 0,
    stop: set.tasks.filter((task) => stop.has(task.name)).map((task) => task.name),
  }));
  return { sets: plans, outcome: outcomeOf(input, primary, older, start + stop.size), floor, ceiling };
}

function chooseStops(
  input: RollingInput,
  primary: ByState,
  older: ByState,
  { floor, wanted, room }: { floor: number; wanted: number; room: number },
): string[] {
  const order = input.stopOrder ?? ((names: readonly string[]) => names);
  const healthy = count(primary, "healthy") + count(older, "healthy");
  let healthyToSpare = Math.max(0, healthy - floor);
  const spare = (names: readonly string[], most: number): readonly string[] => {
    const chosen = order(names).slice(0, Math.min(most, healthyToSpare));
    healthyToSpare -= chosen.length;
    return chosen;
  };

  const stops: string[] = [...older.unhealthy, ...older.starting];
  const keepOlder = input.startsBlocked === true && wanted > 0;
  if (!keepOlder) {
    // A task that runs but is not yet counted may be the only one that answers: it goes once others do.
    if (healthy >= floor) stops.push(...older.waiting);
    stops.push(...spare(older.healthy, older.healthy.length));
  }
  stops.push(...unhealthyToStop(input, primary, order, wanted > 0 && room === 0));

  let surplus = Math.max(0, count(primary, "starting", "waiting", "healthy") - input.desiredCount);
  for (const names of [primary.starting, primary.waiting]) {
    const chosen = order(names).slice(0, surplus);
    surplus -= chosen.length;
    stops.push(...chosen);
  }
  stops.push(...spare(primary.healthy, surplus));
  return stops;
}

/**
 * Unhealthy tasks of the wanted set (decision C8): the replacement comes first, and the unhealthy one goes when
 * its replacement has shown what it is, healthy or not. Where the ceiling leaves no room for that,
 * one is stopped to make room, and the next one only when its successor is settled.
 */
function unhealthyToStop(
  input: RollingInput,
  primary: ByState,
  order: (names: readonly string[]) => readonly string[],
  noRoom: boolean,
): readonly string[] {
  const settled = count(primary, "healthy", "unhealthy");
  const surplus = Math.max(0, settled - input.desiredCount);
  if (surplus > 0) return order(primary.unhealthy).slice(0, surplus);
  const unsettled = count(primary, "starting", "waiting", "stopping");
  return noRoom && unsettled === 0 && !input.startsBlocked ? order(primary.unhealthy).slice(0, 1) : [];
}

function outcomeOf(input: RollingInput, primary: ByState, older: ByState, moves: number): RollingPlan["outcome"] {
  const onlyHealthy = count(primary, "starting", "waiting", "unhealthy") === 0;
  if (moves === 0 && onlyHealthy && primary.healthy.length === input.desiredCount && total(older) === 0)
    return "steady";
  const underWay =
    count(primary, "starting", "waiting", "stopping") + count(older, "starting", "waiting", "stopping") > 0;
  return moves > 0 || underWay || input.startsBlocked ? "progressing" : "stuck";
}

function byState(sets: readonly RollingSet[]): ByState {
  const names: Record<RollingTaskState, string[]> = {
    starting: [],
    waiting: [],
    healthy: [],
    unhealthy: [],
    stopping: [],
  };
  for (const set of sets) for (const task of set.tasks) names[task.state].push(task.name);
  return names;
}

const count = (tasks: ByState, ...states: RollingTaskState[]): number =>
  states.reduce((sum, state) => sum + tasks[state].length, 0);

const total = (tasks: ByState): number => count(tasks, "starting", "waiting", "healthy", "unhealthy", "stopping");
