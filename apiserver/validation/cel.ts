import { Environment } from "@marcbachmann/cel-js";
import type { Schema, ValidationRule } from "../../api/crd.js";
import type { Cause } from "../errors.js";
import { isObject, jsonEqual } from "../json.js";
import { forbiddenField, invalidValue, required, shown } from "./causes.js";
import { listKeys } from "./lists.js";
import { child, type Path } from "./path.js";

// x-kubernetes-validations: rules in CEL over `self`, and over `oldSelf` on update.

/** `old` is undefined on create: rules that speak of oldSelf are skipped then, as in Kubernetes. */
export type RuleCheck = (value: unknown, old: unknown) => Cause[];

type Program = (context: { self: unknown; oldSelf?: unknown }) => unknown;
interface Rule {
  source: ValidationRule;
  program: Program;
  message?: Program;
  usesOldSelf: boolean;
}
/** The parts of a schema that hold rules, as a tree of their own. */
interface RuleNode {
  schema: Schema;
  rules: Rule[];
  properties: [name: string, node: RuleNode][];
  others?: RuleNode;
  items?: RuleNode;
}

/** @throws if a rule is no CEL. */
export function compileRules(schema: Schema): RuleCheck {
  const environment = new Environment({ unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: false })
    .registerVariable("self", "dyn")
    .registerVariable("oldSelf", "dyn");
  const parse = (expression: string): Program => environment.parse(expression) as Program;
  const root = ruleNode(schema, parse);
  if (root === undefined) return () => [];
  return (value, old) => {
    const causes: Cause[] = [];
    walk(root, toCel(schema, value), old === undefined ? undefined : toCel(schema, old), "", causes);
    return causes;
  };
}

function ruleNode(schema: Schema, parse: (text: string) => Program): RuleNode | undefined {
  const rules = (schema["x-kubernetes-validations"] ?? []).map(
    (source): Rule => ({
      source,
      program: parse(source.rule),
      ...(source.messageExpression !== undefined && { message: parse(source.messageExpression) }),
      usesOldSelf: /\boldSelf\b/.test(source.rule),
    }),
  );
  const properties = Object.entries(schema.properties ?? {}).flatMap(([name, property]): [string, RuleNode][] => {
    const node = ruleNode(property, parse);
    return node ? [[name, node]] : [];
  });
  const items = schema.items && ruleNode(schema.items, parse);
  const others = schema.additionalProperties && ruleNode(schema.additionalProperties, parse);
  if (rules.length === 0 && properties.length === 0 && !items && !others) return undefined;
  return { schema, rules, properties, ...(items && { items }), ...(others && { others }) };
}

function walk(node: RuleNode, value: unknown, old: unknown, path: Path, causes: Cause[]): void {
  if (value === undefined || value === null) return;
  for (const rule of node.rules) {
    const cause = check(rule, value, old, path);
    if (cause) causes.push(cause);
  }
  if (Array.isArray(value)) {
    const { items } = node;
    if (items)
      value.forEach((item, i) => {
        walk(items, item, sameItem(node.schema, item, old), child(path, i), causes);
      });
    return;
  }
  if (!isObject(value)) return;
  const before = isObject(old) ? old : {};
  for (const [name, property] of node.properties) walk(property, value[name], before[name], child(path, name), causes);
  if (node.others)
    for (const name of Object.keys(value))
      if (!node.schema.properties?.[name]) walk(node.others, value[name], before[name], child(path, name), causes);
}

/** An item's former self: known in a map list, by its keys; in other lists nothing tells which it was. */
function sameItem(schema: Schema, item: unknown, old: unknown): unknown {
  if (schema["x-kubernetes-list-type"] !== "map" || !Array.isArray(old)) return undefined;
  const keys = listKeys(schema, item);
  return old.find((other) => jsonEqual(listKeys(schema, other), keys));
}

function check(rule: Rule, self: unknown, oldSelf: unknown, path: Path): Cause | undefined {
  if (rule.usesOldSelf && oldSelf === undefined) return undefined;
  const context = oldSelf === undefined ? { self } : { self, oldSelf };
  const field = path + (rule.source.fieldPath ?? "");
  try {
    if (rule.program(context) === true) return undefined;
    return causeOf(rule, self, trimDot(field), messageOf(rule, context));
  } catch (error) {
    return causeOf(rule, self, trimDot(field), `rule evaluation error: ${firstLine(error)}: ${rule.source.rule}`);
  }
}

function messageOf({ source, message }: Rule, context: { self: unknown; oldSelf?: unknown }): string {
  const fallback = source.message ?? `failed rule: ${source.rule}`;
  if (message === undefined) return fallback;
  try {
    const text = message(context);
    return typeof text === "string" && text.trim() !== "" ? text : fallback;
  } catch {
    return fallback; // as Kubernetes does: a broken message must not hide the broken rule
  }
}

function causeOf({ source }: Rule, self: unknown, field: Path, text: string): Cause {
  switch (source.reason) {
    case "FieldValueForbidden":
      return forbiddenField(field, text);
    case "FieldValueRequired":
      return required(field, text);
    case "FieldValueDuplicate":
      return { reason: "FieldValueDuplicate", field, message: `Duplicate value: ${shown(self)}: ${text}` };
    default:
      return invalidValue(field, self, text);
  }
}

const trimDot = (path: Path) => path.replace(/^\./, "");
const firstLine = (error: unknown) => String(error instanceof Error ? error.message : error).split("\n")[0];

/** CEL tells integers from doubles, and its library wants integers as bigint: the schema says which is which. */
function toCel(schema: Schema | undefined, value: unknown): unknown {
  if (typeof value === "number") return Number.isInteger(value) && schema?.type !== "number" ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map((item) => toCel(schema?.items, item));
  if (!isObject(value)) return value;
  const out: Record<string, unknown> = {};
  const others = schema?.additionalProperties;
  for (const name in value) {
    if (value[name] === undefined) continue;
    out[name] = toCel(schema?.properties?.[name] ?? others, value[name]);
  }
  return out;
}
