import type { Schema } from "../../api/crd.js";
import type { Cause } from "../errors.js";
import { isObject, jsonEqual } from "../json.js";
import { duplicate } from "./causes.js";
import { child, type Path } from "./path.js";

/** Duplicates in lists that are sets, or maps by their keys. */
export function checkLists(schema: Schema, value: unknown, path: Path = ""): Cause[] {
  if (!hasListTypes(schema)) return [];
  if (Array.isArray(value)) {
    const { items } = schema;
    const inner = items ? value.flatMap((item, i) => checkLists(items, item, child(path, i))) : [];
    return [...duplicates(schema, value, path), ...inner];
  }
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, property]) => {
    const others = schema.additionalProperties;
    const known = schema.properties?.[name] ?? others;
    return known ? checkLists(known, property, child(path, name)) : [];
  });
}

function duplicates(schema: Schema, items: readonly unknown[], path: Path): Cause[] {
  const listType = schema["x-kubernetes-list-type"];
  if (listType !== "set" && listType !== "map") return [];
  const identity = listType === "set" ? (item: unknown) => item : (item: unknown) => listKeys(schema, item);
  const seen = new Map<string, unknown[]>();
  const causes: Cause[] = [];
  items.forEach((item, i) => {
    const id = identity(item);
    const text = JSON.stringify(id);
    const alike = seen.get(text) ?? [];
    // The text tells most apart; objects with their properties in another order need the long way.
    if (alike.some((other) => jsonEqual(other, id))) causes.push(duplicate(child(path, i), id));
    seen.set(text, [...alike, id]);
  });
  return causes;
}

/** The values that tell this item of a map list from the others. */
export function listKeys(schema: Schema, item: unknown): Record<string, unknown> {
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  return Object.fromEntries(
    keys.map((key) => [key, isObject(item) ? (item[key] ?? schema.items?.properties?.[key]?.default) : undefined]),
  );
}

const known = new WeakMap<Schema, boolean>();

function hasListTypes(schema: Schema): boolean {
  const cached = known.get(schema);
  if (cached !== undefined) return cached;
  const others = schema.additionalProperties ? [schema.additionalProperties] : [];
  const parts = [...Object.values(schema.properties ?? {}), ...others, ...(schema.items ? [schema.items] : [])];
  const listType = schema["x-kubernetes-list-type"];
  const found = listType === "set" || listType === "map" || parts.some(hasListTypes);
  known.set(schema, found);
  return found;
}
