import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync } from "node:fs";
import type { Entry, Revision } from "../store.js";
import { Disk, type RowToWrite } from "./disk.js";
import { encodeRow } from "./row.js";

export interface FillOptions {
  /** Made if missing; must be empty. */
  folder: string;
  /** Every key once, none with a revision above `revision`. */
  entries: AsyncIterable<Entry>;
  /** The newest revision of the new data: the next write gets the one after it. A watch from any earlier one is
   *  Expired, for how the entries came about is not known here. */
  revision: Revision;
  newId?: () => string;
}

/** Of one transaction, and of what is in memory meanwhile. */
const ROWS_AT_ONCE = 1_000;
const BYTES_AT_ONCE = 8 * 1024 * 1024;

/** Makes a store of these entries, with an identity of its own. Nothing may open it before this has resolved: then all
 *  of it is on the disk. @throws Error if the folder has something in it; RangeError for a revision that is too new */
export async function fillLmdbStore({ folder, entries, revision, newId = randomUUID }: FillOptions): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (readdirSync(folder).length > 0) throw new Error(`${folder} is not empty`);
  const disk = await Disk.open(folder, newId);
  try {
    await disk.commit([], { through: revision, held: undefined, rows: [] });
    let rows: RowToWrite[] = [];
    let bytes = 0;
    for await (const entry of entries) {
      const row = rowOf(entry, revision);
      rows.push(row);
      bytes += row.row.length;
      if (rows.length < ROWS_AT_ONCE && bytes < BYTES_AT_ONCE) continue;
      await disk.commit(rows, undefined);
      rows = [];
      bytes = 0;
    }
    await disk.commit(rows, undefined);
  } finally {
    await disk.close();
  }
}

function rowOf({ key, revision, object }: Entry, newest: Revision): RowToWrite {
  if (!(revision >= 1 && revision <= newest)) throw new RangeError(`${key} has revision ${revision}, above ${newest}`);
  const row = encodeRow({ type: "ADDED", key, previousRevision: 0 }, JSON.stringify(object));
  return { revision, key, deleted: false, row };
}
