import type { Schema } from "../../api/crd.js";
import { isObject, type JsonObject } from "../json.js";
import { child, type Path } from "./path.js";

/** What the schema does not know, and nulls where it takes none, leave the value; each unknown field is reported
 *  by its path. The argument is not changed: what is kept whole is shared with the result. */
export function prune(schema: Schema, value: unknown, path: Path, onUnknown: (path: Path) => void): unknown {
  if (Array.isArray(value)) return schema.items ? pruneItems(schema.items, value, path, onUnknown) : value;
  return isObject(value) ? pruneProperties(schema, value, path, onUnknown) : value;
}

function pruneItems(schema: Schema, items: unknown[], path: Path, onUnknown: (path: Path) => void): unknown[] {
  let pruned: unknown[] | undefined;
  items.forEach((item, i) => {
    const kept = prune(schema, item, child(path, i), onUnknown);
    if (kept === item) return;
    pruned ??= [...items];
    pruned[i] = kept;
  });
  return pruned ?? items;
}

function pruneProperties(schema: Schema, object: JsonObject, path: Path, onUnknown: (path: Path) => void): JsonObject {
  let pruned: JsonObject | undefined;
  const drop = (name: string) => {
    pruned ??= { ...object };
    delete pruned[name];
  };
  for (const [name, value] of Object.entries(object)) {
    const known = propertySchema(schema, name);
    if (known === undefined) {
      onUnknown(child(path, name));
      drop(name);
    } else if (value === undefined || (value === null && !takesNull(known))) {
      drop(name);
    } else if (known !== true) {
      const kept = prune(known, value, child(path, name), onUnknown);
      if (kept === value) continue;
      pruned ??= { ...object };
      pruned[name] = kept;
    }
  }
  return pruned ?? object;
}

/** The schema of one property; true where any value is taken as it is. */
function propertySchema(schema: Schema, name: string): Schema | true | undefined {
  if (schema.properties && Object.hasOwn(schema.properties, name)) return schema.properties[name];
  if (schema.additionalProperties) return schema.additionalProperties;
  return schema["x-kubernetes-preserve-unknown-fields"] ? true : undefined;
}

const takesNull = (schema: Schema | true) => schema === true || schema.nullable === true;
