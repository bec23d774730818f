// `npm run bench -- store [--json] [--repeat N]`: durable create-and-update of 3 KB objects, with the bare disk as the
// reference of the same run: as many bytes appended to a file, and synced as often as there can be batches.
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { median, option, spread } from "./support/figures.js";
import { storeWritesPerSecond } from "./support/store-rate.js";

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
  const count = each.inFlight === 1 ? Math.min(objects, 500) : objects;
  const rates: number[] = [];
  const reference: number[] = [];
  for (let n = 0; n <= repeat; n++) {
    const rate = await storeWritesPerSecond({ ...each, objects: count, bytes });
    if (n > 0) rates.push(rate); // the first compiles
    if (n > 0) reference.push(diskWritesPerSecond(each.inFlight));
  }
  const figures = { ...each, writesPerSecond: median(rates), spread: spread(rates), reference: median(reference) };
  results.push({ ...figures, ratio: figures.writesPerSecond / figures.reference });
}

if (process.argv.includes("--json"))
  console.log(JSON.stringify({ benchmark: "store", repeat, objects, bytes, results }));
else
  for (const { inFlight, writesPerSecond, spread: range, reference, ratio } of results)
    console.log(
      `${String(inFlight).padStart(3)} in flight: ${Math.round(writesPerSecond)} durable writes/s (${range}), ` +
        `bare disk ${Math.round(reference)}/s, ratio ${ratio.toFixed(2)}`,
    );
