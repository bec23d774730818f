// Documents in Kubernetes' own form: what must be there before an API server can be asked.
import { KINDS } from "../types.gen.js";
import { isJson, type Json, type Path } from "./ecs.js";
import type { Manifest } from "./result.js";

const DAVIT = "davit.dev/v1";
/** The kind of the Kubernetes core that the server has, too. */
export const NAMESPACE = "Namespace";

export type CheckedManifest = { manifest: Manifest } | { problem: { path: Path; message: string } };

export const isManifest = (document: Json): boolean => document.apiVersion !== undefined || document.kind !== undefined;

/** A `List`, as `kubectl get -o yaml` prints it, to its items. */
export const isList = (document: Json): document is Json & { items: readonly unknown[] } =>
  document.apiVersion === "v1" && document.kind === "List" && Array.isArray(document.items);

export function checkManifest(document: Json): CheckedManifest {
  const { apiVersion, kind, metadata } = document;
  const wrong = (field: string, message: string): CheckedManifest => ({ problem: { path: field.split("."), message } });
  if (typeof kind !== "string" || kind === "") return wrong("kind", `is required: one of ${kinds().join(", ")}`);
  const expected = kind === NAMESPACE ? "v1" : DAVIT;
  if (!kinds().includes(kind)) return wrong("kind", `there is no kind ${JSON.stringify(kind)}${suggestion(kind)}`);
  if (apiVersion !== expected)
    return wrong(
      "apiVersion",
      `must be ${expected} for a ${kind}${apiVersion === undefined ? "" : `, not ${JSON.stringify(apiVersion)}`}`,
    );
  if (!isJson(metadata)) return wrong("metadata", "is required: at least metadata.name");
  if (typeof metadata.name !== "string" || metadata.name === "")
    return wrong("metadata.name", metadata.name === undefined ? "is required" : "must be text");
  return { manifest: document as Manifest };
}

const kinds = (): string[] => [...Object.keys(KINDS), NAMESPACE];

function suggestion(kind: string): string {
  const near = kinds().find((known) => distance(known.toLowerCase(), kind.toLowerCase()) <= 2);
  return near === undefined ? `; there are ${kinds().join(", ")}` : `; did you mean ${near}?`;
}

/** Levenshtein's: how many letters must be put in, taken out or changed. */
function distance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const changed = (above[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min((above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, changed));
    }
    above = row;
  }
  return above[b.length] ?? 0;
}
