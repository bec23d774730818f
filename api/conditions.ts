// Conditions of an object's status, as the Kubernetes API conventions define them.
import type { Condition } from "./meta.js";

export type NewCondition = Omit<Condition, "lastTransitionTime">;

/** The list with `next` in the place of its type's former entry. `lastTransitionTime` changes only with `status`.
 *  The very same array if nothing changed, so that callers can compare by reference before they write. */
export function setCondition(
  conditions: readonly Condition[] | undefined,
  next: NewCondition,
  nowMs: number,
): Condition[] {
  const list = (conditions ?? []) as Condition[];
  const index = list.findIndex(({ type }) => type === next.type);
  const former = list[index];
  if (former && isSame(former, next)) return list;
  const lastTransitionTime =
    former?.status === next.status ? former.lastTransitionTime : new Date(nowMs).toISOString().replace(/\.\d+/, "");
  const condition: Condition = { ...next, lastTransitionTime };
  return former ? list.with(index, condition) : [...list, condition];
}

/** The list without the condition; the very same array if it has none of that type. */
export function removeCondition(conditions: readonly Condition[] | undefined, type: string): Condition[] {
  const list = (conditions ?? []) as Condition[];
  return list.some((condition) => condition.type === type) ? list.filter((condition) => condition.type !== type) : list;
}

export function getCondition(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  // A plain loop: passes over thousands of tasks ask this of each.
  if (conditions !== undefined) for (const condition of conditions) if (condition.type === type) return condition;
  return undefined;
}

const isSame = (a: Condition, b: NewCondition): boolean =>
  a.status === b.status &&
  a.reason === b.reason &&
  a.message === b.message &&
  a.observedGeneration === b.observedGeneration;
