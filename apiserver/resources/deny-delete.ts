import { load } from "js-yaml";
import { isObject } from "../json.js";

// What a CRD's annotations say about deleting its objects. A real Kubernetes server does not know them: there the
// kind's controller keeps the object by a finalizer until the same holds.

/** Objects of another kind that keep one of this kind from being deleted. The annotation is a YAML list of these:
 *
 *      - resource: services              # plural, of the same group and namespace
 *        field: spec.cluster             # holds this object's name, a name that it is derived from, or its ARN
 *        default: default                # what the field means where it is left out
 *        where: metadata.deletionTimestamp=   # only those count, as a field selector; all if left out
 *        unless: spec.deregister         # a field of this object: set, it lifts the rule
 *        message: They are in use.       # one sentence: why, and what to do
 */
export interface DenyDelete {
  readonly resource: string;
  readonly field: readonly string[];
  readonly default?: string;
  readonly where: readonly FieldTerm[];
  readonly unless?: readonly string[];
  readonly message: string;
}

/** One term of a field selector, `path=value` or `path!=value`; a field that is not there is equal to nothing. */
export interface FieldTerm {
  readonly path: readonly string[];
  readonly equal: boolean;
  readonly value: string;
}

const DENY_DELETE = "davit.dev/deny-delete-while";
/** `true`: the kind's controller deletes what stands in the way when the deletion asks for it (Foreground). */
const CASCADES = "davit.dev/cascades";

const FIELDS = ["resource", "field", "default", "where", "unless", "message"];

export const cascades = (annotations: Readonly<Record<string, string>>): boolean => annotations[CASCADES] === "true";

/** @throws if the annotation is not of that form */
export function denyDeleteRules(annotations: Readonly<Record<string, string>>): DenyDelete[] {
  const text = annotations[DENY_DELETE];
  if (text === undefined) return [];
  const rules: unknown = load(text);
  if (!Array.isArray(rules)) throw new Error(`${DENY_DELETE}: must be a list`);
  return rules.map(ruleOf);
}

function ruleOf(given: unknown): DenyDelete {
  if (!isObject(given)) throw new Error(`${DENY_DELETE}: each item must be an object`);
  for (const [name, value] of Object.entries(given))
    if (!FIELDS.includes(name) || typeof value !== "string")
      throw new Error(`${DENY_DELETE}: ${name}: must be one of ${FIELDS.join(", ")}, and text`);
  const { resource, field, message, where = "", unless, default: left } = given as Record<string, string>;
  if (resource === undefined || field === undefined || message === undefined)
    throw new Error(`${DENY_DELETE}: resource, field and message are required`);
  return {
    resource,
    field: field.split("."),
    message,
    where: where.split(",").filter(Boolean).map(termOf),
    ...(left !== undefined && { default: left }),
    ...(unless !== undefined && { unless: unless.split(".") }),
  };
}

function termOf(text: string): FieldTerm {
  const [, path = "", operator = "", value = ""] = /^([^=!]+)(!=|=)(.*)$/.exec(text.trim()) ?? [];
  if (operator === "") throw new Error(`${DENY_DELETE}: where: ${JSON.stringify(text)} is no term of a field selector`);
  return { path: path.split("."), equal: operator === "=", value };
}
