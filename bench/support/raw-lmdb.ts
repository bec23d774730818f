// LMDB without the store: the same bytes in the same batches, with no compare-and-set, no watch, no memory.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open } from "lmdb";
import { CommitQueue } from "../../store/lmdb/commit-queue.js";
import { keyOf, measureWrites, objectOf, type StoreRate, type StoreRateOptions } from "./store-rate.js";

interface Put {
  key: string;
  row: Buffer;
  done(): void;
}

/** Puts a row and its index entry per write. `synced`: as durable as the store is; else not at all. */
export async function measureRawLmdb(options: StoreRateOptions, synced: boolean): Promise<StoreRate> {
  const folder = mkdtempSync(join(tmpdir(), "davit-bench-lmdb-"));
  const root = open({
    path: join(folder, "raw.mdb"),
    encoding: "binary",
    maxDbs: 2,
    overlappingSync: false,
    noSync: !synced,
  });
  const log = root.openDB<Buffer, number>("log", { encoding: "binary" });
  const index = root.openDB<number, string>("index", { encoding: "ordered-binary" });
  let revision = 0;
  const queue = new CommitQueue<Put>(async (puts) => {
    await root.batch(() => {
      for (const { key, row } of puts) {
        void log.put(++revision, row);
        void index.put(key, revision);
      }
    });
    for (const put of puts) put.done();
  }, 1_000);
  const write = (n: number): Promise<void> =>
    new Promise((done) => {
      queue.add({ key: keyOf(n), row: Buffer.from(JSON.stringify(objectOf(n, options.bytes))), done });
    });
  try {
    return await measureWrites(options, async (n, timed) => {
      await timed(write(n));
      await timed(write(n));
    });
  } finally {
    await root.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
