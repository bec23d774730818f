import type { ApiObject } from "../api/meta.js";

/** Where an object lies: `<plural>.<group>/<namespace>/<name>`, e.g. `tasks.davit.dev/default/web-1-x7k2p`:
 *  always two slashes. Cluster-scoped kinds leave the namespace empty: `namespaces//default`. */
export type Key = string;
/** Position in the one total order of writes; a later write has a higher revision, whatever its key. Starts at 1. */
export type Revision = number;

export interface Entry {
  readonly key: Key;
  /** Equals `Number(object.metadata.resourceVersion)`. */
  readonly revision: Revision;
  /** Shared with every reader: never mutate it. */
  readonly object: ApiObject;
}

export interface Change extends Entry {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  /** The object before this change; absent for ADDED and, after a restart, where the log no longer holds it.
   *  For DELETED, `object` is the last state with the deletion's own resourceVersion. */
  readonly previous?: ApiObject;
}

/** What a watch yields. */
export interface Batch {
  /** In revision order: what one commit changed under the prefix, or a piece of the log while catching up.
   *  Empty when only the revision has moved. */
  readonly changes: readonly Change[];
  /** Everything under the prefix up to this revision has been delivered: a watch from here misses nothing. */
  readonly revision: Revision;
}

export interface WatchOptions {
  signal: AbortSignal;
  /** A reader that falls this many changes behind gets TooSlow; writers never wait for it. @default 50_000 */
  maxBehind?: number;
}

export interface StoreSize {
  /** Live ones. */
  objects: number;
  /** The past that is kept for watches. */
  log: LogSize;
  /** It is cut to this, as long as it is not held. */
  limit: LogSize;
  /** It is cut to this even if it is held. */
  hardLimit: LogSize;
}
export interface LogSize {
  changes: number;
  bytes: number;
}

/** Revisioned objects with compare-and-set and watch. The store takes ownership of each object passed to it:
 *  it stamps `metadata.resourceVersion`, and nobody may change the object afterwards. */
export interface Store {
  /** Identity of this data, made with it: revisions mean something only together with it. */
  readonly id: string;
  /** Newest value; undefined if never written or deleted. */
  get(key: Key): Promise<Entry | undefined>;
  /** Every live entry whose key starts with `prefix`, in key order, with the revision at which this was true. With ""
   *  it is the whole store at one revision, as a backup wants it; writers go on meanwhile. */
  list(prefix: string): Promise<{ entries: readonly Entry[]; revision: Revision }>;
  /** @throws AlreadyExists. Resolves once the transaction is on disk and this process's own reads show it. */
  create(key: Key, object: ApiObject): Promise<Entry>;
  /** @throws Conflict with the entry that won; NotFound. Resolves like create. */
  update(key: Key, object: ApiObject, expected: Revision): Promise<Entry>;
  /** @throws Conflict; NotFound. Resolves with the deletion's own revision and the last object. */
  delete(key: Key, expected: Revision): Promise<Entry>;
  /** Every change after `since`, in revision order, none skipped, none twice, and only what is committed. A watcher
   *  of a quiet prefix gets an empty batch within about a second of the revision moving on, so that it can bookmark.
   *  Ends when the signal aborts or the store closes.
   *  @throws Expired if `since` is older than the window or of another life of this data (HTTP 410); TooSlow. */
  watch(prefix: string, since: Revision, options: WatchOptions): AsyncIterable<Batch>;
  /** The newest committed revision. */
  revision(): Revision;
  /** How much is kept, and how much may be. */
  size(): StoreSize;
  /** The change log is never cut past this revision (the event cursor), so that a watch can resume from it, until a
   *  hard limit is reached: then the hold is lost and the engine says so. Each call replaces the last; it outlives
   *  a restart at its latest or an earlier value. */
  hold(revision: Revision): void;
  /** Waits for writes under way, ends the watches, lets go of the data. */
  close(): Promise<void>;
}

export class Conflict extends Error {
  override readonly name = "Conflict";
  constructor(
    readonly key: Key,
    readonly current: Entry,
  ) {
    super(`${key} is at revision ${current.revision}`);
  }
}
export class AlreadyExists extends Error {
  override readonly name = "AlreadyExists";
  constructor(
    readonly key: Key,
    readonly current: Entry,
  ) {
    super(`${key} already exists`);
  }
}
export class NotFound extends Error {
  override readonly name = "NotFound";
  constructor(readonly key: Key) {
    super(`${key} not found`);
  }
}
/** The asked revision is outside of the change log: list again. */
export class Expired extends Error {
  override readonly name = "Expired";
  constructor(
    readonly since: Revision,
    /** The oldest revision that a watch can start from. */
    readonly oldest: Revision,
  ) {
    super(
      since < oldest
        ? `revision ${since} is older than the oldest kept, ${oldest}`
        : `revision ${since} is newer than anything here: it belongs to other data`,
    );
  }
}
/** The reader of a watch fell more than `maxBehind` changes behind: list again. */
export class TooSlow extends Error {
  override readonly name = "TooSlow";
  constructor(readonly maxBehind: number) {
    super(`the reader of this watch is more than ${maxBehind} changes behind`);
  }
}
