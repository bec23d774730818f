// Small helpers on JSON values. Objects in the registry are shared: nothing here changes its argument.

export type JsonObject = Record<string, unknown>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Deep equality of JSON values. Shared parts are compared by reference first, so comparing an object with an
 *  edited copy of it costs only what was edited. A key that holds undefined counts as absent. */
export function jsonEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, i) => jsonEqual(item, b[i]));
  }
  return sameProperties(a as JsonObject, b as JsonObject);
}

function sameProperties(a: JsonObject, b: JsonObject): boolean {
  let size = 0;
  for (const key in a) {
    if (a[key] === undefined) continue;
    size++;
    if (!jsonEqual(a[key], b[key])) return false;
  }
  for (const key in b) if (b[key] !== undefined) size--;
  return size === 0;
}

/** The value at a path of property names; undefined where the path ends early. */
export function valueAt(value: unknown, path: readonly string[]): unknown {
  let at = value;
  for (const name of path) {
    if (!isObject(at)) return undefined;
    at = at[name];
  }
  return at;
}

/** A copy of `object` with `value` at `path`; only the objects along the path are copied. */
export function withValueAt(object: JsonObject, path: readonly string[], value: unknown): JsonObject {
  const [name, ...rest] = path;
  if (name === undefined) return object;
  const inner = object[name];
  return { ...object, [name]: rest.length === 0 ? value : withValueAt(isObject(inner) ? inner : {}, rest, value) };
}
