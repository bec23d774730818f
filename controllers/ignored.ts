import { removeCondition, setCondition } from "../api/conditions.js";
import { fieldsWithoutEffect } from "../api/fields.js";
import type { Condition } from "../api/meta.js";
import type { Kind } from "../api/types.gen.js";

/** The list with `FieldsIgnored=True` that names the fields which have no effect; without it where all have one. */
export function ignoredCondition(
  conditions: readonly Condition[],
  kind: Kind,
  spec: unknown,
  observedGeneration: number,
  nowMs: number,
): Condition[] {
  const { ignored } = fieldsWithoutEffect(kind, spec);
  if (ignored.length === 0) return removeCondition(conditions, "FieldsIgnored");
  const said = { type: "FieldsIgnored", status: "True" as const, reason: "NotActedOn", message: ignored.join(", ") };
  return setCondition(conditions, { ...said, observedGeneration }, nowMs);
}
