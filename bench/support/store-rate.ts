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

/** Creates objects and updates each once, durably: writes per second over both. */
export async function storeWritesPerSecond(options: StoreRateOptions): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "davit-bench-store-"));
  const store = await openLmdbStore({ folder });
  const watching = new AbortController();
  const watched = Array.from({ length: options.watchers }, () => readAlong(store, watching.signal));
  try {
    const began = performance.now();
    await inFlight(options, async (n) => {
      const created = await store.create(keyOf(n), objectOf(n, options.bytes));
      await store.update(created.key, objectOf(n, options.bytes), created.revision);
    });
    return (2 * options.objects * 1000) / (performance.now() - began);
  } finally {
    watching.abort();
    await Promise.all(watched);
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function inFlight({ objects, inFlight }: StoreRateOptions, action: (n: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let n = next++; n < objects; n = next++) await action(n);
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
}

async function readAlong(store: Store, signal: AbortSignal): Promise<void> {
  for await (const batch of store.watch("", 0, { signal })) if (batch.revision < 0) return;
}

const keyOf = (n: number): string => `tasks.davit.dev/default/bench-${n}`;

function objectOf(n: number, bytes: number): ApiObject {
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
