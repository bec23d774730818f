// How fast the store itself is: the reference of every benchmark that ends in writes.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ApiObject } from "../../api/meta.js";
import { openLmdbStore } from "../../store/lmdb/lmdb-store.js";
import type { Store } from "../../store/store.js";

export interface StoreRateOptions {
  objects: number;
  /** Bytes of each object's JSON, about. */
  bytes: number;
  inFlight: number;
  /** Watchers that read along, as informers do. */
  watchers: number;
}

export interface StoreRate {
  writesPerSecond: number;
  /** Of one write, from call to acknowledgement. */
  p50Ms: number;
  p99Ms: number;
}

/** Creates objects and updates each once, durably: writes per second over both. */
export const storeWritesPerSecond = async (options: StoreRateOptions): Promise<number> =>
  (await measureStore(options)).writesPerSecond;

/** Creates objects and updates each once, durably. */
export async function measureStore(options: StoreRateOptions): Promise<StoreRate> {
  const folder = mkdtempSync(join(tmpdir(), "davit-bench-store-"));
  const store = await openLmdbStore({ folder });
  const watching = new AbortController();
  const watched = Array.from({ length: options.watchers }, () => readAlong(store, watching.signal));
  try {
    return await measureWrites(options, async (n, timed) => {
      const created = await timed(store.create(keyOf(n), objectOf(n, options.bytes)));
      await timed(store.update(created.key, objectOf(n, options.bytes), created.revision));
    });
  } finally {
    watching.abort();
    await Promise.all(watched);
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs two writes for each object, `inFlight` objects at a time; `timed` takes the time of each write. */
export async function measureWrites(
  { objects, inFlight }: Pick<StoreRateOptions, "objects" | "inFlight">,
  action: (n: number, timed: <T>(write: Promise<T>) => Promise<T>) => Promise<void>,
): Promise<StoreRate> {
  const tookMs: number[] = [];
  const timed = async <T>(write: Promise<T>): Promise<T> => {
    const from = performance.now();
    const result = await write;
    tookMs.push(performance.now() - from);
    return result;
  };
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let n = next++; n < objects; n = next++) await action(n, timed);
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: inFlight }, lane));
  const writesPerSecond = (tookMs.length * 1000) / (performance.now() - began);
  tookMs.sort((a, b) => a - b);
  const at = (part: number): number => tookMs[Math.floor(tookMs.length * part)] ?? Number.NaN;
  return { writesPerSecond, p50Ms: at(0.5), p99Ms: at(0.99) };
}

async function readAlong(store: Store, signal: AbortSignal): Promise<void> {
  for await (const batch of store.watch("", 0, { signal })) if (batch.revision < 0) return;
}

export const keyOf = (n: number): string => `tasks.davit.dev/default/bench-${n}`;

export function objectOf(n: number, bytes: number): ApiObject {
  const metadata = {
    name: `bench-${n}`,
    namespace: "default",
    uid: `${n}`,
    resourceVersion: "",
    generation: 1,
    creationTimestamp: "2024-01-01T00:00:00Z",
  };
  const spec = { note: "x".repeat(Math.max(0, bytes - 250)) };
  return { apiVersion: "davit.dev/v1", kind: "Task", metadata, spec };
}
