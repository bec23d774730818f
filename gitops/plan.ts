// What a look at the folder means: which objects to apply, which to delete, and what to keep back. Pure.
import { deletionRank } from "../api/deletion-order.js";
import type { Manifest } from "./last-applied.js";

/** `Kind/namespace/name`. */
export type ObjectId = string;
export const objectId = (kind: string, namespace: string, name: string): ObjectId => `${kind}/${namespace}/${name}`;

export interface LoadedObject {
  id: ObjectId;
  manifest: Manifest;
  /** `<path>#<document>`, document counting from 1. */
  origin: string;
  /** The same for a person, `FILE: document 2, line 5`. */
  where: string;
  /** A command in the text (`forceNewDeployment`), to be carried out once by who applies by hand; a sync does not. */
  restart?: true;
}
/** One file of the folder, read. A file with an error still tells which objects it could read. */
export interface LoadedFile {
  /** Relative to the folder, `/` between its parts. */
  path: string;
  objects: readonly LoadedObject[];
  /** Each names the file, the document and the field. */
  errors: readonly string[];
  /** What was dropped or changed on the way, for the reader. */
  notes?: readonly string[];
}
/** An object that this sync has applied before and that still exists. */
export interface Applied {
  id: ObjectId;
  /** The file it came from. */
  path: string;
  uid: string;
}
export interface Look {
  /** Undefined: the folder could not be read. */
  files: readonly LoadedFile[] | undefined;
  unreadable?: string;
  applied: readonly Applied[];
  /** The pending deletion that somebody has confirmed, by its `pruneToken`. */
  confirmed?: string | undefined;
  /** uids of objects whose deletion was begun before and refused for now: they need no confirmation again. */
  begun?: ReadonlySet<string>;
}
export interface Plan {
  apply: readonly LoadedObject[];
  prune: readonly Applied[];
  /** What left the folder but is kept until confirmed. */
  held?: { objects: readonly Applied[]; reason: string; token: string };
  errors: readonly string[];
}

/** More than this share of what was applied never goes at once without a confirmation. */
export const MAX_UNCONFIRMED_LOSS = 0.3;

export function plan({ files, unreadable, applied, confirmed, begun = new Set() }: Look): Plan {
  if (!files) return { apply: [], prune: [], errors: [`the folder can't be read: ${unreadable ?? "unknown reason"}`] };
  const { unique, clashes, clashing } = byId(files);
  const errors = [...files.flatMap((file) => file.errors), ...clashes];
  const broken = new Set(files.filter((file) => file.errors.length > 0).map((file) => file.path));
  // What a file that fails to parse used to define may still be in it.
  const left = applied.filter(({ id, path }) => !unique.has(id) && !clashing.has(id) && !broken.has(path));
  const going = left.filter(({ uid }) => begun.has(uid));
  const gone = left.filter(({ uid }) => !begun.has(uid));
  const apply = [...unique.values()];
  const reason = whyHeld(gone, applied.length - going.length, files);
  const token = pruneToken(gone);
  if (reason === undefined || confirmed === token) return { apply, prune: inDeletionOrder(left), errors };
  return { apply, prune: inDeletionOrder(going), held: { objects: gone, reason, token }, errors };
}

/** Before what holds them: a cluster with services in it is not deleted. */
export const inDeletionOrder = (objects: readonly Applied[]): Applied[] =>
  [...objects].sort((a, b) => deletionRank(a.id.split("/", 1)[0] ?? "") - deletionRank(b.id.split("/", 1)[0] ?? ""));

function byId(files: readonly LoadedFile[]) {
  const origins = new Map<ObjectId, LoadedObject[]>();
  for (const object of files.flatMap((file) => file.objects))
    origins.set(object.id, [...(origins.get(object.id) ?? []), object]);
  const unique = new Map<ObjectId, LoadedObject>();
  const clashing = new Set<ObjectId>();
  const clashes: string[] = [];
  for (const [id, definitions] of origins) {
    const [first] = definitions;
    if (first && definitions.length === 1) unique.set(id, first);
    else {
      clashing.add(id);
      clashes.push(`${id} is defined more than once: in ${definitions.map(({ origin }) => origin).join(" and in ")}`);
    }
  }
  return { unique, clashes, clashing };
}

function whyHeld(gone: readonly Applied[], applied: number, files: readonly LoadedFile[]) {
  if (gone.length === 0) return undefined;
  if (files.length === 0) return `the folder is empty: ${gone.length} objects would be deleted`;
  if (gone.length > applied * MAX_UNCONFIRMED_LOSS)
    return `${gone.length} of ${applied} objects left the folder at once, more than ${MAX_UNCONFIRMED_LOSS * 100} %`;
  return undefined;
}

/** Names one set of objects: a confirmation holds for exactly what was seen when it was given. */
export function pruneToken(objects: readonly Applied[]): string {
  let hash = 0xcbf29ce484222325n; // FNV-1a, 64 bit: short, and not for secrecy
  for (const byte of Buffer.from(
    objects
      .map(({ id, uid }) => `${id} ${uid}`)
      .sort()
      .join("\n"),
  ))
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash.toString(16).padStart(16, "0");
}
