import type { Condition } from "../api/meta.js";

export interface NewCondition {
  type: string;
  status: Condition["status"];
  reason: string;
  message?: string;
}

/** The list with one condition set: its transition time moves only with its status. The same list if all is said
 *  already. */
export function setCondition(
  conditions: readonly Condition[] | undefined,
  { type, status, reason, message = "" }: NewCondition,
  now: string,
  generation: number,
): Condition[] {
  const list = conditions ?? [];
  const before = list.find((condition) => condition.type === type);
  if (
    before?.status === status &&
    before.reason === reason &&
    before.message === message &&
    before.observedGeneration === generation
  ) {
    return list as Condition[];
  }
  const lastTransitionTime = before?.status === status ? before.lastTransitionTime : now;
  const next: Condition = { type, status, reason, message, lastTransitionTime, observedGeneration: generation };
  return before === undefined ? [...list, next] : list.map((condition) => (condition === before ? next : condition));
}

/** The list without a condition: the same list if it had none. */
export function dropCondition(conditions: readonly Condition[] | undefined, type: string): Condition[] {
  const list = (conditions ?? []) as Condition[];
  return list.some((condition) => condition.type === type) ? list.filter((condition) => condition.type !== type) : list;
}

export const conditionOf = (conditions: readonly Condition[] | undefined, type: string): Condition | undefined =>
  conditions?.find((condition) => condition.type === type);
