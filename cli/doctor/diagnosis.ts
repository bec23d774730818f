// `GET /davit/v1/diagnosis`: what only the server knows of itself, for `davit doctor`, also from another machine.
import { statfs } from "node:fs/promises";
import { getHeapStatistics } from "node:v8";
import { authorizePath, type PathHandler } from "../../apiserver/index.js";
import type { Store, StoreSize } from "../../store/store.js";
import { ownVersion } from "../own-version.js";

export const DIAGNOSIS_PATH = "/davit/v1/diagnosis";

export interface Diagnosis {
  davitVersion: string;
  /** The server's clock, Unix epoch. */
  nowMs: number;
  store: StoreSize & { revision: number };
  /** All live objects are in it. */
  heap: { usedBytes: number; limitBytes: number };
  /** The file system of the data folder. */
  disk: Disk;
  /** Whether the server is connected to the bus, and whether changes get into the event stream. */
  bus: { connected: boolean; eventsOpen: boolean };
}
export interface Disk {
  path: string;
  totalBytes: number;
  freeBytes: number;
}

export interface DiagnosisOptions {
  /** The data folder. */
  root: string;
  store: Pick<Store, "size" | "revision">;
  bus: { connected(): boolean };
  events: () => { open(): boolean } | undefined;
  now: () => number;
}

export function serveDiagnosis(options: DiagnosisOptions): PathHandler {
  const { root, store, bus, events, now } = options;
  return async ({ response, authenticate }) => {
    authorizePath(authenticate(), DIAGNOSIS_PATH);
    const { used_heap_size, heap_size_limit } = getHeapStatistics();
    const diagnosis: Diagnosis = {
      davitVersion: ownVersion(),
      store: { ...store.size(), revision: store.revision() },
      heap: { usedBytes: used_heap_size, limitBytes: heap_size_limit },
      disk: await diskOf(root),
      bus: { connected: bus.connected(), eventsOpen: events()?.open() ?? false },
      // Last: what it is compared with is the moment of the answer.
      nowMs: now(),
    };
    response.writeHead(200, { "content-type": "application/json", "cache-control": "no-store" });
    response.end(JSON.stringify(diagnosis));
  };
}

/** Free for everybody, not for root alone. */
export async function diskOf(path: string): Promise<Disk> {
  const { bsize, blocks, bavail } = await statfs(path);
  return { path, totalBytes: blocks * bsize, freeBytes: bavail * bsize };
}
