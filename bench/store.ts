// `npm run bench -- store [--json] [--repeat N] [--objects N]`: durable create-and-update of 3 KB objects with three
// watchers. References in the same run: LMDB alone with the same bytes in the same batches, synced and not; and the
// bare disk, as many bytes appended to a file, synced as often as there can be batches.
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { median, option, spread } from "./support/figures.js";
import { measureRawLmdb } from "./support/raw-lmdb.js";
import { measureStore, type StoreRate } from "./support/store-rate.js";

const repeat = Number(option("repeat", "5"));
const objects = Number(option("objects", "5000"));
const bytes = 3000;
const CASES = [1, 64, 512].map((inFlight) => ({ inFlight, watchers: 3 }));

/** Writes of `inFlight` objects each, and a sync after each. */
function diskWritesPerSecond(inFlight: number): number {
  const folder = mkdtempSync(join(tmpdir(), "davit-bench-disk-"));
  const file = openSync(join(folder, "log"), "w");
  const block = Buffer.alloc(bytes * inFlight, "x");
  const rounds = Math.max(1, Math.min(Math.ceil((2 * objects) / inFlight), 500));
  const began = performance.now();
  for (let round = 0; round < rounds; round++) {
    writeSync(file, block);
    fsyncSync(file);
  }
  const perSecond = (rounds * inFlight * 1000) / (performance.now() - began);
  closeSync(file);
  rmSync(folder, { recursive: true });
  return perSecond;
}

const results = [];
for (const each of CASES) {
  const options = { ...each, bytes, objects: each.inFlight === 1 ? Math.min(objects, 500) : objects };
  const rates: StoreRate[] = [];
  const references: { lmdb: number; lmdbUnsynced: number; disk: number }[] = [];
  for (let n = 0; n <= repeat; n++) {
    const rate = await measureStore(options);
    const reference = {
      lmdb: (await measureRawLmdb(options, true)).writesPerSecond,
      lmdbUnsynced: (await measureRawLmdb(options, false)).writesPerSecond,
      disk: diskWritesPerSecond(each.inFlight),
    };
    if (n === 0) continue; // the first compiles
    rates.push(rate);
    references.push(reference);
  }
  const writesPerSecond = median(rates.map((rate) => rate.writesPerSecond));
  const reference = median(references.map(({ lmdb }) => lmdb));
  results.push({
    ...each,
    writesPerSecond,
    spread: spread(rates.map((rate) => rate.writesPerSecond)),
    p50Ms: median(rates.map((rate) => rate.p50Ms)),
    p99Ms: median(rates.map((rate) => rate.p99Ms)),
    reference,
    referenceSpread: spread(references.map(({ lmdb }) => lmdb)),
    ratio: writesPerSecond / reference,
    unsyncedReference: median(references.map(({ lmdbUnsynced }) => lmdbUnsynced)),
    diskReference: median(references.map(({ disk }) => disk)),
  });
}

if (process.argv.includes("--json"))
  console.log(JSON.stringify({ benchmark: "store", repeat, objects, bytes, results }));
else
  for (const each of results)
    console.log(
      `${String(each.inFlight).padStart(3)} in flight: ${Math.round(each.writesPerSecond)} durable writes/s ` +
        `(${each.spread}), p50 ${each.p50Ms.toFixed(2)} ms, p99 ${each.p99Ms.toFixed(2)} ms; ` +
        `LMDB alone ${Math.round(each.reference)}/s (${each.referenceSpread}), ratio ${each.ratio.toFixed(2)}; ` +
        `unsynced ${Math.round(each.unsyncedReference)}/s, bare disk ${Math.round(each.diskReference)}/s`,
    );
