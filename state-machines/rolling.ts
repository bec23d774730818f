// How many tasks to start and to stop now, so that a service comes nearer to its wish without leaving the
// bounds of its deployment configuration (spec/06 §11). A pure function of what is seen: asked again after each change.

/**
 * What a task means for a deployment.
 * - `starting`: not RUNNING yet (PROVISIONING, PENDING, ACTIVATING).
 * - `waiting`: RUNNING, not counted healthy yet (no check has answered, or `minHealthySeconds` are not over).
 * - `healthy`: RUNNING and counted healthy.
 * - `unhealthy`: RUNNING, and a check says that it is not well.
 * - `stopping`: wanted STOPPED, and not STOPPED yet. It holds its place under the ceiling until it is gone (04-30).
 * - `lost`: set aside, because its machine is silent and others are to take its place until that is back. It counts
 *   nowhere: neither for the floor, nor under the ceiling, nor as one of those that are wanted.
 */
export type RollingTaskState = "starting" | "waiting" | "healthy" | "unhealthy" | "stopping" | "lost";

export interface RollingTask {
  readonly name: string;
  readonly state: RollingTaskState;
  /** Its machine drains: it is on its way out like a task of an older set, whatever its own set is (spec/04 §9). */
  readonly leaving?: boolean;
  /** Started in the place of a lost task that is back: of more than are wanted it is the first to go. */
  readonly standIn?: boolean;
}

export interface RollingSet {
  readonly name: string;
  /** The one deployment that is wanted; every other set is on its way out. At most one. */
  readonly primary: boolean;
  /** Every task that is not STOPPED, the lost ones too. */
  readonly tasks: readonly RollingTask[];
}

export interface RollingInput {
  readonly desiredCount: number;
  /** What the service asks for by now, where the primary set is still to be told. Both counts are in force then: the
   *  floor is that of the larger, the ceiling that of the smaller. @default desiredCount */
  readonly askedCount?: number;
  /** Whole percents, of `desiredCount`. */
  readonly maximumPercent: number;
  readonly minimumHealthyPercent: number;
  readonly sets: readonly RollingSet[];
  /** Nothing may be started at present (the revision cannot run, or starts are backing off):
   *  then no healthy task that is on its way out is given up either, since nothing would follow it. */
  readonly startsBlocked?: boolean;
  /** Which so many of these tasks should stop, in their order, so that placement stays balanced. Asked only where some
   *  are to stop. Default: the first, as listed. */
  readonly stopOrder?: (names: readonly string[], most: number) => readonly string[];
}

export interface RollingPlan {
  readonly sets: readonly { readonly name: string; readonly start: number; readonly stop: readonly string[] }[];
  /** `steady`: `desiredCount` healthy tasks of the primary set, nothing of another, and none that leaves.
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

/** Names by state, and of some of them a bit more. */
type ByState = Readonly<Record<RollingTaskState, readonly string[]>>;
interface Split {
  /** Of the primary set, to stay. */
  readonly staying: ByState;
  /** On their way out: of older sets, or on a machine that drains. */
  readonly leaving: ByState;
  readonly onDraining: ReadonlySet<string>;
  readonly standIns: ReadonlySet<string>;
}

/**
 * The moves allowed now. All of them may be made at once: none depends on another, and the bounds hold
 * whichever of them comes first (spec/06 §11, spec/04 §9; DESIGN invariant 4; decisions C7, C8, A33).
 */
export function planRolling(input: RollingInput): RollingPlan {
  const { desiredCount, askedCount = desiredCount, sets } = input;
  const ceiling = ceilingOf(Math.min(desiredCount, askedCount), input.maximumPercent);
  const floor = floorOf(Math.max(desiredCount, askedCount), input.minimumHealthyPercent);
  const tasks = split(sets);
  const { staying, leaving } = tasks;

  const wanted = Math.max(0, desiredCount - count(staying, "starting", "waiting", "healthy"));
  const room = Math.max(0, ceiling - total(staying) - total(leaving));
  const hasPrimary = sets.some((set) => set.primary);
  const start = hasPrimary && !input.startsBlocked ? Math.min(wanted, room) : 0;
  const stop = new Set(chooseStops(input, tasks, { floor, wanted, room }));

  const plans = sets.map((set) => ({
    name: set.name,
    start: set.primary ? start : 0,
    stop: set.tasks.filter((task) => stop.has(task.name)).map((task) => task.name),
  }));
  return { sets: plans, outcome: outcomeOf(input, tasks, start + stop.size), floor, ceiling };
}

type Order = (names: readonly string[], most: number) => readonly string[];
/** At most so many of these healthy tasks as the floor can spare now. */
type Spare = (names: readonly string[], most: number) => readonly string[];

function chooseStops(
  input: RollingInput,
  tasks: Split,
  { floor, wanted, room }: { floor: number; wanted: number; room: number },
): string[] {
  const { staying, leaving } = tasks;
  const order: Order = (names, most) => {
    if (most <= 0 || names.length === 0) return [];
    return (input.stopOrder?.(names, most) ?? names).slice(0, most);
  };
  const healthy = count(staying, "healthy") + count(leaving, "healthy");
  let healthyToSpare = Math.max(0, healthy - floor);
  const spare: Spare = (names, most) => {
    const chosen = order(names, Math.min(most, healthyToSpare));
    healthyToSpare -= chosen.length;
    return chosen;
  };

  const stops: string[] = [...leaving.unhealthy, ...leaving.starting, ...leaving.lost];
  const keepLeaving = input.startsBlocked === true && wanted > 0;
  if (!keepLeaving) {
    // A task that runs but is not yet counted may be the only one that answers: it goes once others do.
    if (healthy >= floor) stops.push(...leaving.waiting);
    // Somebody waits for a machine that drains; an older deployment may end in its own time.
    const [first, then] = partition(leaving.healthy, tasks.onDraining);
    stops.push(...spare(first, first.length), ...spare(then, then.length));
  }
  stops.push(...unhealthyToStop(input, staying, order, wanted > 0 && room === 0));
  stops.push(...order(staying.lost, staying.lost.length - input.desiredCount));
  stops.push(...surplusToStop(input.desiredCount, tasks, order, spare));
  return stops;
}

/** More than are wanted: stand-ins first, then those that serve nobody yet, then the healthy, so that it stays balanced. */
function surplusToStop(desiredCount: number, { staying, standIns }: Split, order: Order, spare: Spare): string[] {
  const stops: string[] = [];
  let surplus = Math.max(0, count(staying, "starting", "waiting", "healthy") - desiredCount);
  const take = (names: readonly string[]): void => {
    const chosen = order(names, surplus);
    surplus -= chosen.length;
    stops.push(...chosen);
  };
  const [starting, startingOthers] = partition(staying.starting, standIns);
  const [waiting, waitingOthers] = partition(staying.waiting, standIns);
  const [healthy, healthyOthers] = partition(staying.healthy, standIns);
  take(starting);
  take(waiting);
  stops.push(...spare(healthy, surplus));
  // A stand-in that the floor still needs goes later: none of those that are back goes instead of it.
  surplus -= Math.min(surplus, healthy.length);
  take(startingOthers);
  take(waitingOthers);
  stops.push(...spare(healthyOthers, surplus));
  return stops;
}

/**
 * Unhealthy tasks of the wanted set (decision C8): the replacement comes first, and the unhealthy one goes when
 * its replacement has shown what it is, healthy or not. Where the ceiling leaves no room for that,
 * one is stopped to make room, and the next one only when its successor is settled.
 */
function unhealthyToStop(input: RollingInput, staying: ByState, order: Order, noRoom: boolean): readonly string[] {
  const settled = count(staying, "healthy", "unhealthy");
  const surplus = Math.max(0, settled - input.desiredCount);
  if (surplus > 0) return order(staying.unhealthy, surplus);
  const unsettled = count(staying, "starting", "waiting", "stopping");
  return noRoom && unsettled === 0 && !input.startsBlocked ? order(staying.unhealthy, 1) : [];
}

function outcomeOf(input: RollingInput, { staying, leaving }: Split, moves: number): RollingPlan["outcome"] {
  const onlyHealthy = count(staying, "starting", "waiting", "unhealthy") === 0;
  if (moves === 0 && onlyHealthy && staying.healthy.length === input.desiredCount && total(leaving) === 0)
    return "steady";
  const underWay =
    count(staying, "starting", "waiting", "stopping") + count(leaving, "starting", "waiting", "stopping") > 0;
  // The bounds of two counts at once leave little room, for a moment.
  const { desiredCount, askedCount = desiredCount } = input;
  return moves > 0 || underWay || input.startsBlocked || askedCount !== desiredCount ? "progressing" : "stuck";
}

function split(sets: readonly RollingSet[]): Split {
  const staying = noNames();
  const leaving = noNames();
  const onDraining = new Set<string>();
  const standIns = new Set<string>();
  for (const set of sets)
    for (const task of set.tasks) {
      (set.primary && !task.leaving ? staying : leaving)[task.state].push(task.name);
      if (task.leaving) onDraining.add(task.name);
      if (task.standIn) standIns.add(task.name);
    }
  return { staying, leaving, onDraining, standIns };
}

const noNames = (): Record<RollingTaskState, string[]> => ({
  starting: [],
  waiting: [],
  healthy: [],
  unhealthy: [],
  stopping: [],
  lost: [],
});

/** Those in `set`, and the others. */
const partition = (names: readonly string[], set: ReadonlySet<string>): [readonly string[], readonly string[]] =>
  set.size === 0 ? [[], names] : [names.filter((name) => set.has(name)), names.filter((name) => !set.has(name))];

const count = (tasks: ByState, ...states: RollingTaskState[]): number =>
  states.reduce((sum, state) => sum + tasks[state].length, 0);

/** What holds a place under the ceiling. */
const total = (tasks: ByState): number => count(tasks, "starting", "waiting", "healthy", "unhealthy", "stopping");
