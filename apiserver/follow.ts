import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../api/log.js";
import { type Batch, Expired, type Store, TooSlow } from "../store/store.js";

export interface FollowOptions {
  store: Store;
  prefix: string;
  signal: AbortSignal;
  log: Log;
  /** Looks at everything there is; called at the start, and again if the watch lost its place. */
  start: () => Promise<number>;
  /** Looks at what has changed since. */
  changed: (batch: Batch) => Promise<void> | void;
}

const RETRY_MS = 200;

/** Runs a background worker of the API server until the signal: everything first, then each change. What it does
 *  must be safe to repeat; an error is logged, and it starts afresh. */
export async function follow({ store, prefix, signal, log, start, changed }: FollowOptions): Promise<void> {
  while (!signal.aborted) {
    try {
      const since = await start();
      for await (const batch of store.watch(prefix, since, { signal })) await changed(batch);
    } catch (error) {
      if (signal.aborted) return;
      const lostPlace = error instanceof Expired || error instanceof TooSlow;
      if (!lostPlace) log.error({ err: error, prefix }, "background worker failed and starts afresh");
      await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}
