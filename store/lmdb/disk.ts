import { join } from "node:path";
import { type Database, open, type RootDatabase } from "lmdb";
import type { Entry, Key, Revision } from "../store.js";
import { decodeHead, decodeObject, type RowHead } from "./row.js";

/** Rises when the layout below changes. */
const FORMAT = 1;
/** LMDB's limit with pages of 4 KiB, less what its encoding adds. */
export const MAX_KEY_BYTES = 1_900;

export interface RowToWrite {
  revision: Revision;
  key: Key;
  deleted: boolean;
  row: Buffer;
}
export interface CutToWrite {
  through: Revision;
  held: Revision | undefined;
  rows: readonly Revision[];
}
export interface Loaded {
  entries: Entry[];
  window: { bytes: number; previousRevision: Revision; deleted: boolean }[];
  compacted: Revision;
  held: Revision | undefined;
}

/** The file. `log`: revision → row. `index`: key → revision of the live object. `meta`: format, id, compacted, held. */
export class Disk {
  private constructor(
    readonly id: string,
    private readonly root: RootDatabase,
    private readonly log: Database<Buffer, number>,
    private readonly index: Database<number, string>,
    private readonly meta: Database<string | number, string>,
  ) {}

  /** @throws an Error in one sentence when the folder's data is of another format. */
  static async open(folder: string, newId: () => string): Promise<Disk> {
    // Without overlapping sync a transaction's promise means: on the disk, data first, then the page that names it.
    const root = open({ path: join(folder, "store.mdb"), encoding: "binary", maxDbs: 3, overlappingSync: false });
    try {
      const meta = root.openDB<string | number, string>("meta", { encoding: "ordered-binary" });
      const log = root.openDB<Buffer, number>("log", { encoding: "binary" });
      const index = root.openDB<number, string>("index", { encoding: "ordered-binary" });
      if (meta.get("format") === undefined)
        await root.transaction(() => {
          quiet(meta.put("id", newId()));
          quiet(meta.put("format", FORMAT));
        });
      const format = meta.get("format");
      if (format !== FORMAT)
        throw new Error(
          `the data in ${folder} has format ${format}, but this version of Davit reads format ${FORMAT}: ` +
            "run the version that wrote it, or give another data folder",
        );
      return new Disk(String(meta.get("id")), root, log, index, meta);
    } catch (error) {
      await root.close();
      throw error;
    }
  }

  /** Reads everything once; the iterators end here. @throws when a row is missing. */
  load(): Loaded {
    const compacted = Number(this.meta.get("compacted") ?? 0);
    const held = this.meta.get("held");
    const live = new Map<Key, Revision>();
    for (const { key, value } of this.index.getRange()) live.set(key, value);
    const entries: Entry[] = [];
    const window: Loaded["window"] = [];
    for (const { key: revision, value: row } of this.log.getRange()) {
      const head = decodeHead(row);
      if (revision > compacted) {
        if (revision !== compacted + window.length + 1) throw damaged(`revision ${compacted + window.length + 1}`);
        window.push({
          bytes: row.length,
          previousRevision: head.previousRevision,
          deleted: head.type === "DELETED",
        });
      }
      if (live.get(head.key) !== revision) continue;
      entries.push({ key: head.key, revision, object: decodeObject(row) });
    }
    if (entries.length !== live.size) throw damaged(`the row of ${live.size - entries.length} live objects`);
    return { entries, window, compacted, held: typeof held === "number" ? held : undefined };
  }

  /** One transaction that only puts and removes: whatever is decided has been decided before. Resolves when it is
   *  on the disk. @throws when it is not; what is on the disk then is unknown until it is opened again. */
  async commit(rows: readonly RowToWrite[], cut: CutToWrite | undefined): Promise<void> {
    const done = this.root.batch(() => {
      for (const { revision, key, deleted, row } of rows) {
        quiet(this.log.put(revision, row));
        quiet(deleted ? this.index.remove(key) : this.index.put(key, revision));
      }
      if (!cut) return;
      for (const revision of cut.rows) quiet(this.log.remove(revision));
      quiet(this.meta.put("compacted", cut.through));
      quiet(cut.held === undefined ? this.meta.remove("held") : this.meta.put("held", cut.held));
    });
    try {
      await done;
    } catch (error) {
      throw await causeOf(error);
    }
  }

  /** undefined once the log has been cut past it. */
  row(revision: Revision): Buffer | undefined {
    return this.log.getBinary(revision);
  }

  close(): Promise<void> {
    return this.root.close();
  }
}

export type { RowHead };

const damaged = (what: string): Error => new Error(`the store is damaged: ${what} is missing from the log`);

/** The batch's own promise tells of a failure; that of each of its operations would only tell it again. */
function quiet(operation: Promise<unknown>): void {
  operation.catch(() => {});
}

/** lmdb hides the reason of a failed commit in a promise of its own. */
async function causeOf(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !("commitError" in error)) return error;
  try {
    return (await error.commitError) ?? error;
  } catch (cause) {
    return cause;
  }
}
