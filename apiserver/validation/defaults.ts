import type { Schema } from "../../api/crd.js";
import { isObject, type JsonObject } from "../json.js";

/** Fills in the schema's defaults. A default inside an absent object needs that object, as in Kubernetes. The
 *  argument is not changed; without anything to fill in, it is the result. */
export function applyDefaults(schema: Schema, value: unknown): unknown {
  const plan = planOf(schema);
  return plan === undefined ? value : fill(plan, value);
}

/** Where defaults are in a schema: most of it has none, and is not looked at again for each object. */
interface Plan {
  properties: readonly { name: string; default: unknown; inner: Plan | undefined }[];
  /** Properties that the schema names; the others are `others`' business. */
  named: ReadonlySet<string>;
  others: Plan | undefined;
  items: Plan | undefined;
}

const plans = new WeakMap<Schema, Plan | { none: true }>();

function planOf(schema: Schema): Plan | undefined {
  let plan = plans.get(schema);
  if (plan === undefined) {
    plan = makePlan(schema) ?? { none: true };
    plans.set(schema, plan);
  }
  return "none" in plan ? undefined : plan;
}

function makePlan(schema: Schema): Plan | undefined {
  const all = Object.entries(schema.properties ?? {}).map(([name, property]) => ({
    name,
    default: property.default,
    inner: planOf(property),
  }));
  const properties = all.filter((property) => property.default !== undefined || property.inner !== undefined);
  const others = schema.additionalProperties && planOf(schema.additionalProperties);
  const items = schema.items && planOf(schema.items);
  if (properties.length === 0 && !others && !items) return undefined;
  return { properties, named: new Set(all.map(({ name }) => name)), others, items };
}

function fill(plan: Plan, value: unknown): unknown {
  if (Array.isArray(value)) return plan.items ? fillItems(plan.items, value) : value;
  return isObject(value) ? fillProperties(plan, value) : value;
}

function fillItems(plan: Plan, items: unknown[]): unknown[] {
  const filled = items.map((item) => fill(plan, item));
  return filled.some((item, i) => item !== items[i]) ? filled : items;
}

function fillProperties({ properties, named, others }: Plan, object: JsonObject): JsonObject {
  let filled = object;
  const set = (name: string, value: unknown) => {
    if (value === object[name]) return;
    if (filled === object) filled = { ...object };
    filled[name] = value;
  };
  for (const property of properties) {
    // A default is shared by every object that takes it: nobody changes an object once it is in the registry.
    const value = object[property.name] ?? property.default;
    set(property.name, value === undefined || !property.inner ? value : fill(property.inner, value));
  }
  if (others) for (const name of Object.keys(object)) if (!named.has(name)) set(name, fill(others, object[name]));
  return filled;
}
