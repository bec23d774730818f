import type { Schema } from "../../api/crd.js";
import { isObject, type JsonObject } from "../json.js";

/** Fills in the schema's defaults. A default inside an absent object needs that object, as in Kubernetes. The
 *  argument is not changed; without anything to fill in, it is the result. */
export function applyDefaults(schema: Schema, value: unknown): unknown {
  if (!hasDefaults(schema)) return value;
  if (Array.isArray(value)) return defaultItems(schema, value);
  return isObject(value) ? defaultProperties(schema, value) : value;
}

function defaultItems(schema: Schema, items: unknown[]): unknown[] {
  if (schema.items === undefined || !hasDefaults(schema.items)) return items;
  const itemSchema = schema.items;
  const filled = items.map((item) => applyDefaults(itemSchema, item));
  return filled.some((item, i) => item !== items[i]) ? filled : items;
}

function defaultProperties(schema: Schema, object: JsonObject): JsonObject {
  let filled = object;
  const set = (name: string, value: unknown) => {
    if (filled === object) filled = { ...object };
    filled[name] = value;
  };
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (!hasDefaults(property)) continue;
    let value = object[name];
    // Shared by every object that takes it: nobody changes an object once it is in the registry.
    if (value === undefined) value = property.default;
    if (value !== undefined) value = applyDefaults(property, value);
    if (value !== object[name]) set(name, value);
  }
  const others = schema.additionalProperties;
  if (others && hasDefaults(others))
    for (const [name, value] of Object.entries(object)) {
      if (schema.properties && Object.hasOwn(schema.properties, name)) continue;
      const inner = applyDefaults(others, value);
      if (inner !== value) set(name, inner);
    }
  return filled;
}

const known = new WeakMap<Schema, boolean>();

/** Whether a default is anywhere in the schema: most subtrees have none, and are not looked at again. */
function hasDefaults(schema: Schema): boolean {
  const cached = known.get(schema);
  if (cached !== undefined) return cached;
  const others = schema.additionalProperties ? [schema.additionalProperties] : [];
  const parts = [...Object.values(schema.properties ?? {}), ...others, ...(schema.items ? [schema.items] : [])];
  const found = schema.default !== undefined || parts.some(hasDefaults);
  known.set(schema, found);
  return found;
}
