// How services stand with machines that drain, as their last pass saw it: what a drain tells of its progress. In memory
// only: the first pass after a restart says it again.
import { getCondition } from "../../api/conditions.js";
import { keyOf } from "../../api/references.js";
import type { Task } from "../../api/types.gen.js";
import type { RollingTaskState } from "../../state-machines/rolling.js";
import type { Pass } from "./actions.js";
import { isLeavingTask, stateOf, type TasksPlan } from "./plan.js";

export interface LastPlan {
  minimumHealthyPercent: number;
  maximumPercent: number;
  floor: number;
  ceiling: number;
  outcome: TasksPlan["outcome"];
  /** Why nothing may be started at all. */
  blocked?: string;
  /** Failed starts in a row, where a start waits for its back-off. */
  attempts: number;
  /** Tasks that are to stay, and do not count as healthy yet. */
  starting: number;
  waiting: number;
  /** Of those, on machines that are not heard. */
  unheard: number;
  /** Without a machine, and why one of them has none. */
  unplaced: { count: number; why: string } | undefined;
  /** Of the whole service, on whatever machine. */
  stopping: number;
}

export interface LastPlans {
  of(service: string): LastPlan | undefined;
  /** Undefined: none of its tasks is on a machine that drains. */
  planned(service: string, plan: LastPlan | undefined, machines: Iterable<string>): void;
}

/** @param onChange the key of a machine that drains, of which a service may say something new */
export function createLastPlans(onChange: (machine: string) => void): LastPlans {
  const plans = new Map<string, LastPlan>();
  return {
    of: (service) => plans.get(service),
    planned(service, plan, machines) {
      const before = plans.get(service);
      if (plan === undefined) {
        plans.delete(service);
        return;
      }
      if (JSON.stringify(before) === JSON.stringify(plan)) return;
      plans.set(service, plan);
      for (const machine of machines) onChange(machine);
    },
  };
}

/** Keys of the machines that drain and hold tasks of this service. */
export function drainingMachines({ sets, machines, service }: Pass): Set<string> {
  const found = new Set<string>();
  if (machines === undefined || machines.leaving.size === 0) return found;
  const { namespace } = service.metadata;
  for (const { alive } of sets)
    for (const task of alive)
      if (isLeavingTask(task, machines)) found.add(keyOf({ namespace, name: task.spec.containerInstance ?? "" }));
  return found;
}

/** What the pass has to say to those who wait for a machine. */
export function lastPlan(pass: Pass, plan: TasksPlan, blocked: string | undefined): LastPlan {
  const { nowMs, graceMs, machines, minimumHealthyPercent, maximumPercent } = pass;
  const count: Partial<Record<RollingTaskState, number>> = {};
  let unheard = 0;
  let stopping = 0;
  let unplaced: LastPlan["unplaced"];
  for (const { alive, primary } of pass.sets)
    for (const task of alive) {
      const state = stateOf(task, nowMs, graceMs, machines?.silent);
      if (state === "stopping") stopping++;
      if (!primary || isLeavingTask(task, machines)) continue;
      count[state] = (count[state] ?? 0) + 1;
      if (state === "waiting" && machines?.silent.has(task.spec.containerInstance ?? "")) unheard++;
      if (state === "starting" && task.spec.containerInstance === undefined)
        unplaced = { count: (unplaced?.count ?? 0) + 1, why: unplaced?.why ?? whyUnplaced(task) };
    }
  return {
    minimumHealthyPercent,
    maximumPercent,
    floor: plan.floor,
    ceiling: plan.ceiling,
    outcome: plan.outcome,
    ...(blocked !== undefined && { blocked }),
    attempts: plan.recheckAtMs === undefined ? 0 : plan.attempts,
    starting: (count.starting ?? 0) - (unplaced?.count ?? 0),
    waiting: count.waiting ?? 0,
    unheard,
    unplaced,
    stopping,
  };
}

const whyUnplaced = ({ status }: Task): string => getCondition(status?.conditions, "Placed")?.message ?? "";
