// kubectl's client-side apply: what was applied last lies in an annotation, and decides what a new text removes.
import { isDeepStrictEqual } from "node:util";
import type { MergePatch } from "../client/object-client.js";

/** kubectl's own annotation, so that kubectl, `davit apply` and the folder sync can follow each other on one object. */
export const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

type Json = Record<string, unknown>;

export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; annotations?: Record<string, string>; [key: string]: unknown };
  [key: string]: unknown;
}

/** The text with its own record in it: what is sent to create the object. */
export function withLastApplied<M extends Manifest>(manifest: M): M {
  const { [LAST_APPLIED]: _, ...annotations } = manifest.metadata.annotations ?? {};
  const bare = { ...manifest, metadata: { ...manifest.metadata, annotations } };
  const record = `${goJson(bare)}\n`;
  return { ...bare, metadata: { ...bare.metadata, annotations: { ...annotations, [LAST_APPLIED]: record } } };
}

/** The merge patch that turns `live` into what `manifest` says: sets what it names, removes what the last applied text
 *  named and it does not, leaves the rest to others. Undefined if there is nothing to do. */
export function applyPatch(manifest: Manifest, live: object): MergePatch | undefined {
  const wanted = withLastApplied(manifest);
  const patch = overlay(changes(toJson(live), wanted), removals(lastApplied(live), wanted));
  return Object.keys(patch).length === 0 ? undefined : patch;
}

/** JSON as kubectl writes it into the record: keys sorted, `<`, `>` and `&` escaped. So what kubectl has applied is
 *  unchanged to Davit, and the other way round. */
function goJson(value: unknown): string {
  const sorted = JSON.stringify(value, (_key, inner: unknown) =>
    isObject(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
  return sorted.replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

const toJson = (value: object): Json => value as Json;

export function lastApplied(live: object): Json {
  const metadata = toJson(live).metadata;
  const annotations = isObject(metadata) ? metadata.annotations : undefined;
  const text = isObject(annotations) ? annotations[LAST_APPLIED] : undefined;
  if (typeof text !== "string") return {};
  try {
    const parsed: unknown = JSON.parse(text);
    return isObject(parsed) ? parsed : {};
  } catch {
    return {};
  }
}

/** What `wanted` sets otherwise than `live`; never a removal. */
function changes(live: Json, wanted: Json): Json {
  const patch: Json = {};
  for (const [key, value] of Object.entries(wanted)) {
    if (value === undefined || value === null) continue;
    const now = live[key];
    if (isObject(value) && isObject(now)) {
      const inner = changes(now, value);
      if (Object.keys(inner).length > 0) patch[key] = inner;
    } else if (!isDeepStrictEqual(now, value)) patch[key] = value;
  }
  return patch;
}

/** null for each key that `before` had and `wanted` has not. */
function removals(before: Json, wanted: Json): Json {
  const patch: Json = {};
  for (const [key, value] of Object.entries(before)) {
    const next = wanted[key];
    if (next === undefined || next === null) patch[key] = null;
    else if (isObject(value) && isObject(next)) {
      const inner = removals(value, next);
      if (Object.keys(inner).length > 0) patch[key] = inner;
    }
  }
  return patch;
}

function overlay(base: Json, top: Json): Json {
  const merged: Json = { ...base };
  for (const [key, value] of Object.entries(top)) {
    const under = merged[key];
    merged[key] = isObject(value) && isObject(under) ? overlay(under, value) : value;
  }
  return merged;
}

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
