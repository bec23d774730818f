// The changes of all kinds, from one watch per kind.

import type { Log } from "../api/log.js";
import type { Kind } from "../api/types.gen.js";
import { ApiError, type ObjectClient } from "../client/object-client.js";
import type { AnyObject } from "./shapes.js";

export interface FeedChange {
  type: "ADDED" | "MODIFIED" | "DELETED";
  object: AnyObject;
}
export interface Feed {
  /** Resolves when there is something to take, or after `timeoutMs`, or when the feed has ended. */
  wait(timeoutMs: number): Promise<void>;
  /** About `count` changes, in order within each kind; and the revision up to which all kinds are complete with them.
   *  @throws Expired when changes were lost: take a new list */
  take(count: number): { changes: FeedChange[]; cursor: number };
}
/** The server does not go back as far as was asked. */
export class Expired extends Error {
  override readonly name = "Expired";
}

/** Watches stop reading ahead beyond this. */
const AHEAD = 5000;
const RETRY_MS = 500;

export function openFeed(options: {
  client: ObjectClient;
  kinds: readonly Kind[];
  /** Where to begin, for each kind. */
  from: ReadonlyMap<Kind, number>;
  signal: AbortSignal;
  log: Log;
}): Feed {
  const { client, kinds, signal, log } = options;
  const queue: { kind: Kind; changes: FeedChange[]; revision: number }[] = [];
  const complete = new Map(kinds.map((kind) => [kind, options.from.get(kind) ?? 0]));
  let waiting = 0;
  let expired: Expired | undefined;
  let wake = () => {};
  let drained = () => {};

  const follow = async (kind: Kind): Promise<void> => {
    let revision = complete.get(kind) ?? 0;
    while (!signal.aborted) {
      try {
        for await (const batch of client.watch(kind, { resourceVersion: String(revision), signal })) {
          revision = Number(batch.resourceVersion);
          waiting += batch.events.length;
          queue.push({ kind, changes: [...batch.events], revision });
          wake();
          while (waiting > AHEAD && !signal.aborted)
            await new Promise<void>((resolve) => {
              drained = chain(drained, resolve);
            });
        }
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof ApiError && error.code === 410) {
          expired = new Expired(error.message);
          wake();
          return;
        }
        log.warn({ kind, error: String(error) }, "events: watch failed, trying again");
      }
      if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  };
  signal.addEventListener("abort", () => chain(wake, drained)(), { once: true });
  for (const kind of kinds) void follow(kind);

  return {
    wait: (timeoutMs) =>
      new Promise((resolve) => {
        if (queue.length > 0 || expired || signal.aborted) return resolve();
        const timer = setTimeout(resolve, timeoutMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
    take: (count) => {
      if (expired) throw expired;
      const changes: FeedChange[] = [];
      while (changes.length < count) {
        const next = queue.shift();
        if (!next) break;
        changes.push(...next.changes);
        complete.set(next.kind, next.revision);
      }
      waiting -= changes.length;
      const resume = drained;
      drained = () => {};
      if (changes.length > 0) resume();
      else drained = resume;
      return { changes, cursor: Math.min(...complete.values()) };
    },
  };
}
const chain = (one: () => void, two: () => void) => () => {
  one();
  two();
};
