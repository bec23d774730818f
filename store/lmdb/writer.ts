import type { ApiObject } from "../../api/meta.js";
import { collectionOf, type LiveState } from "../live-state.js";
import { AlreadyExists, type Change, Conflict, type Entry, type Key, NotFound, type Revision } from "../store.js";
import { CommitQueue } from "./commit-queue.js";
import { type Disk, MAX_KEY_BYTES } from "./disk.js";
import type { Cut, LogWindow } from "./log-window.js";
import { encodeRow } from "./row.js";

interface Write {
  change: Change;
  previousRevision: Revision;
  row: Buffer;
  acknowledge(entry: Entry): void;
  refuse(error: Error): void;
}
/** Shows the entry that won, so it waits its turn until that one is on the disk. */
interface Refusal {
  error: Error;
  refuse(error: Error): void;
}

export interface WriterParts {
  disk: Disk;
  /** What is on the disk, and all that readers see. Only the writer changes it. */
  live: LiveState;
  window: LogWindow;
  /** The newest revision on the disk. */
  committed: Revision;
  /** A commit's changes are on the disk and in `live`. Called before anybody is acknowledged. */
  onCommit(changes: readonly Change[], revision: Revision): void;
  onGap(gap: { held: Revision; oldest: Revision }): void;
  /** Called once. Nothing can be written any more. */
  onFailure(error: Error): void;
}

const MAX_DECISIONS_PER_COMMIT = 1_000;

/** Decides each write at once, in memory, on top of all decisions before it; then brings the decisions to the disk,
 *  many per transaction; then makes them visible and answers, in the order of the revisions. */
export class Writer {
  private readonly queue = new CommitQueue<Write | Refusal>(
    (decisions) => this.commit(decisions),
    MAX_DECISIONS_PER_COMMIT,
  );
  /** The newest decision on each key that is not on the disk yet. */
  private readonly underWay = new Map<Key, Change>();
  private decided: Revision;
  private newest: Revision;
  private failure: Error | undefined;

  constructor(private readonly parts: WriterParts) {
    this.decided = this.newest = parts.committed;
  }

  get committed(): Revision {
    return this.newest;
  }

  create(key: Key, object: ApiObject): Promise<Entry> {
    const current = this.head(key);
    if (current) return this.refuse(new AlreadyExists(key, current));
    return this.write("ADDED", key, object, undefined);
  }

  update(key: Key, object: ApiObject, expected: Revision): Promise<Entry> {
    const current = this.head(key);
    if (!current) return this.refuse(new NotFound(key));
    if (current.revision !== expected) return this.refuse(new Conflict(key, current));
    return this.write("MODIFIED", key, object, current);
  }

  delete(key: Key, expected: Revision): Promise<Entry> {
    const current = this.head(key);
    if (!current) return this.refuse(new NotFound(key));
    if (current.revision !== expected) return this.refuse(new Conflict(key, current));
    // A copy, since the live object is shared and keeps its own resourceVersion.
    const last = { ...current.object, metadata: { ...current.object.metadata } };
    return this.write("DELETED", key, last, current);
  }

  /** Resolves when all that was decided so far is on the disk and answered. */
  idle(): Promise<void> {
    return this.queue.idle();
  }

  /** The newest value as decided, whether on the disk yet or not. */
  private head(key: Key): Entry | undefined {
    const change = this.underWay.get(key);
    if (change) return change.type === "DELETED" ? undefined : entryOf(change);
    return this.parts.live.get(key);
  }

  private write(type: Change["type"], key: Key, object: ApiObject, current: Entry | undefined): Promise<Entry> {
    if (this.failure) throw this.failure;
    checkKey(key);
    const revision = this.decided + 1;
    const previousRevision = current?.revision ?? 0;
    object.metadata.resourceVersion = String(revision);
    const row = encodeRow({ type, key, previousRevision }, JSON.stringify(object));
    const change: Change = { type, key, revision, object, ...(current && { previous: current.object }) };
    // What threw above has left no trace; from here on the write is decided.
    this.decided = revision;
    this.underWay.set(key, change);
    return new Promise((acknowledge, refuse) => {
      this.queue.add({ change, previousRevision, row, acknowledge, refuse });
    });
  }

  private refuse(error: Error): Promise<never> {
    if (this.failure) throw this.failure;
    if (this.decided === this.newest) throw error;
    return new Promise((_, refuse) => {
      this.queue.add({ error, refuse });
    });
  }

  private async commit(decisions: readonly (Write | Refusal)[]): Promise<void> {
    try {
      await this.commitWrites(decisions.filter((decision) => "change" in decision));
    } catch (error) {
      const failure = this.fail(error);
      for (const decision of decisions) decision.refuse(failure);
      return;
    }
    for (const decision of decisions)
      if ("change" in decision) decision.acknowledge(entryOf(decision.change));
      else decision.refuse(decision.error);
  }

  private async commitWrites(writes: readonly Write[]): Promise<void> {
    if (this.failure) throw this.failure;
    if (writes.length === 0) return;
    const { disk, window } = this.parts;
    const cut = window.plan();
    const rows = writes.map(({ change, row }) => ({ ...change, deleted: change.type === "DELETED", row }));
    await disk.commit(rows, cut && { ...cut, held: cut.losesHold ? undefined : window.held });
    for (const write of writes) this.show(write);
    const changes = writes.map(({ change }) => change);
    this.parts.onCommit(changes, this.newest);
    if (cut) this.shorten(cut);
  }

  private show({ change, previousRevision, row }: Write): void {
    const { live, window } = this.parts;
    const deleted = change.type === "DELETED";
    if (deleted) live.delete(change.key);
    else live.set(entryOf(change));
    if (this.underWay.get(change.key) === change) this.underWay.delete(change.key);
    window.push({ bytes: row.length, previousRevision, deleted });
    this.newest = change.revision;
  }

  private shorten(cut: Cut): void {
    const { held } = this.parts.window;
    this.parts.window.apply(cut);
    if (cut.losesHold && held !== undefined) this.parts.onGap({ held, oldest: cut.through });
  }

  /** Whether the writes under way are on the disk can't be known here: only who opens it again will see. */
  private fail(cause: unknown): Error {
    if (this.failure) return this.failure;
    const reason = cause instanceof Error ? cause.message : String(cause);
    this.failure = new Error(`the store could not be written: ${reason}`, { cause });
    this.parts.onFailure(this.failure);
    return this.failure;
  }
}

/** Without `previous`, so that no entry keeps all its ancestors in memory. */
const entryOf = ({ key, revision, object }: Change): Entry => ({ key, revision, object });

function checkKey(key: Key): void {
  collectionOf(key);
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) throw new RangeError(`key of more than ${MAX_KEY_BYTES} bytes: ${key}`);
}
