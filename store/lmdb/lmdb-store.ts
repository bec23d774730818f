import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import type { ApiObject } from "../../api/meta.js";
import { Feed } from "../feed.js";
import { LiveState } from "../live-state.js";
import { acquireLock } from "../lock.js";
import {
  type Batch,
  type Entry,
  Expired,
  type Key,
  type Revision,
  type Store,
  type StoreSize,
  type WatchOptions,
} from "../store.js";
import { Disk } from "./disk.js";
import { LogWindow, type WindowLimits } from "./log-window.js";
import { replay } from "./replay.js";
import { Writer } from "./writer.js";

export interface LmdbStoreOptions {
  /** Made if missing. One process at a time may have it open. */
  folder: string;
  /** How much of the past is kept for watches. @default 100,000 changes, 256 MiB; four times that while held */
  window?: Partial<WindowLimits>;
  /** The log was cut past what was held: a watch from `held` is Expired now. */
  onGap?: (gap: { held: Revision; oldest: Revision }) => void;
  /** A commit failed, so what is on the disk is unknown: must end the process. @default says why and exits with 1 */
  fatal?: (error: Error) => void;
  /** How often watchers of quiet prefixes are told of the newest revision. @default 1000 */
  progressMs?: number;
  newId?: () => string;
}

const MIB = 1024 * 1024;

/** Opens the store in a folder: one LMDB file, all live objects in memory.
 *  @throws LockHeld if another process has it; Error if its data is of another format or damaged. */
export async function openLmdbStore(options: LmdbStoreOptions): Promise<Store> {
  mkdirSync(options.folder, { recursive: true, mode: 0o700 });
  const lock = await acquireLock(options.folder, "store");
  let disk: Disk | undefined;
  try {
    disk = await Disk.open(options.folder, options.newId ?? randomUUID);
    return new LmdbStore(disk, options, () => lock.release());
  } catch (error) {
    await disk?.close();
    await lock.release();
    throw error;
  }
}

class LmdbStore implements Store {
  readonly id: string;
  private readonly live = new LiveState();
  private readonly window: LogWindow;
  private readonly writer: Writer;
  private readonly feed = new Feed();
  private readonly progressTimer: NodeJS.Timeout;
  private closing: Promise<void> | undefined;

  constructor(
    private readonly disk: Disk,
    options: LmdbStoreOptions,
    private readonly releaseLock: () => Promise<void>,
  ) {
    this.id = disk.id;
    const { entries, window, compacted, held } = disk.load();
    for (const entry of entries) this.live.set(entry);
    this.window = new LogWindow(windowLimits(options.window), compacted, held);
    for (const logged of window) this.window.push(logged);
    this.writer = new Writer({
      disk,
      live: this.live,
      window: this.window,
      committed: compacted + window.length,
      onCommit: (changes, revision) => this.feed.publish(changes, revision),
      onGap: options.onGap ?? (() => {}),
      onFailure: (error) => {
        this.feed.close();
        (options.fatal ?? exitLoudly)(error);
      },
    });
    this.progressTimer = setInterval(() => this.feed.progress(this.revision()), options.progressMs ?? 1_000).unref();
  }

  async get(key: Key): Promise<Entry | undefined> {
    return this.live.get(key);
  }

  async list(prefix: string): Promise<{ entries: readonly Entry[]; revision: Revision }> {
    return { entries: this.live.list(prefix), revision: this.revision() };
  }

  async create(key: Key, object: ApiObject): Promise<Entry> {
    return this.open().create(key, object);
  }

  async update(key: Key, object: ApiObject, expected: Revision): Promise<Entry> {
    return this.open().update(key, object, expected);
  }

  async delete(key: Key, expected: Revision): Promise<Entry> {
    return this.open().delete(key, expected);
  }

  async *watch(prefix: string, since: Revision, { signal, maxBehind }: WatchOptions): AsyncIterable<Batch> {
    if (since > this.revision()) throw new Expired(since, this.window.compacted);
    let position = since;
    for (;;) {
      if (signal.aborted || this.closing !== undefined) return;
      if (position < this.window.compacted) throw new Expired(position, this.window.compacted);
      if (position === this.revision()) break;
      const piece = replay(this.disk, this.live, prefix, position, this.revision());
      position = piece.revision;
      if (piece.changes.length > 0 || position === this.revision()) yield piece;
      else await new Promise<void>((resolve) => setImmediate(resolve));
    }
    // Nothing has been awaited since the log was read to its end, so no commit lies between the log and the feed.
    const subscription = this.feed.subscribe(prefix, position, maxBehind ?? 50_000);
    const close = () => subscription.close();
    signal.addEventListener("abort", close, { once: true });
    try {
      for (let batch = await subscription.next(); batch; batch = await subscription.next()) yield batch;
    } finally {
      signal.removeEventListener("abort", close);
      close();
    }
  }

  revision(): Revision {
    return this.writer.committed;
  }

  size(): StoreSize {
    return { objects: this.live.count(), ...this.window.size() };
  }

  hold(revision: Revision): void {
    this.window.hold(revision);
  }

  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    await this.writer.idle();
    clearInterval(this.progressTimer);
    this.feed.close();
    await this.disk.close();
    await this.releaseLock();
  }

  private open(): Writer {
    if (this.closing !== undefined) throw new Error("the store is closed");
    return this.writer;
  }
}

function windowLimits(given: Partial<WindowLimits> = {}): WindowLimits {
  const changes = given.changes ?? 100_000;
  const bytes = given.bytes ?? 256 * MIB;
  return { changes, bytes, hardChanges: given.hardChanges ?? 4 * changes, hardBytes: given.hardBytes ?? 4 * bytes };
}

function exitLoudly(error: Error): void {
  console.error(error);
  process.exit(1);
}
