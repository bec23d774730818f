import type { Log } from "../api/log.js";
import type { ApiObject } from "../api/meta.js";
import { keyOf } from "../api/references.js";
import type { BackOffLimits } from "./back-off.js";
import type { Informer } from "./informer.js";
import { ApiError, type ObjectClient } from "./object-client.js";
import { OwnWrites } from "./own-writes.js";
import { trackingClient } from "./tracking-client.js";
import { again, done, type Outcome, type QueueMetrics, WorkQueue } from "./work-queue.js";

/** An informer that a controller reads, and which keys each of its changes concerns. Made by `source`. */
export interface Source {
  readonly informer: Informer;
  connect(add: (key: string) => void): () => void;
}

/** A source whose every change brings up the keys that `keysOf` gives for the object, before and after. Without
 *  `keysOf` the controller only reads it. */
export function source<T extends ApiObject>(
  informer: Informer<T>,
  keysOf: (object: T) => readonly string[] = () => [],
): Source {
  return {
    informer,
    connect(add) {
      const addAll = (object: T) => keysOf(object).forEach(add);
      return informer.on({
        added: addAll,
        updated: (object, previous) => new Set([...keysOf(previous), ...keysOf(object)]).forEach(add),
        deleted: addAll,
      });
    },
  };
}

/** `<namespace>/<name>`: the usual key. */
export const keyOfObject = ({ metadata }: ApiObject): string => keyOf(metadata);

export interface ControllerOptions {
  /** In logs and metrics. */
  name: string;
  client: ObjectClient;
  /** One per kind that `reconcile` reads from a cache. */
  sources: readonly Source[];
  /** Looks at the world and does the next right thing; it is told which key, never what happened. All its writes go
   *  through `client`, which remembers them. Answers done() or again(afterMs); a throw brings the key back after a
   *  back-off, a Conflict quickly. */
  reconcile(key: string, client: ObjectClient): Promise<Outcome>;
  log: Log;
  concurrency?: number;
  backOff?: BackOffLimits;
  random?: () => number;
  now?: () => number;
  metrics?: QueueMetrics;
}

export interface Controller {
  readonly name: string;
  /** Nothing waits for its turn or is worked on (something may wait for its time). For tests and readiness. */
  readonly idle: boolean;
  add(key: string): void;
  addAfter(key: string, afterMs: number): void;
  /** Begins nothing any more, and resolves when what is under way has ended. */
  stop(): Promise<void>;
}

/** A conflict means that a cache is behind by a moment, so it is not counted as a failure. */
const CONFLICT_RETRY_MS = 20;

/** Runs a reconciler once all its sources are synced. A key is not reconciled again until the informers have reached
 *  the highest resourceVersion written for it. */
export function runController(options: ControllerOptions): Controller {
  const { name, client, sources, reconcile, log, random = Math.random } = options;
  const informers = new Map(sources.map(({ informer }) => [informer.kind, informer]));
  const ownWrites = new OwnWrites(informers);
  /** Keys whose turn came before the informers showed their writes. */
  const held = new Set<string>();

  const work = async (key: string): Promise<Outcome> => {
    if (!ownWrites.areSeen(key)) {
      held.add(key);
      return done();
    }
    held.delete(key);
    try {
      return await reconcile(key, trackingClient(client, ownWrites.listener(key)));
    } catch (error) {
      if (isConflict(error)) return again(CONFLICT_RETRY_MS * (0.5 + random()));
      throw error;
    }
  };
  const queue = new WorkQueue({
    work,
    onFailure: (key, error, failures, retryAfterMs) =>
      log.error({ controller: name, key, failures, retryAfterMs, error: textOf(error) }, "reconcile failed"),
    concurrency: options.concurrency,
    backOff: options.backOff,
    random,
    now: options.now,
    metrics: options.metrics,
  });
  const release = () => {
    for (const key of held)
      if (ownWrites.areSeen(key)) {
        held.delete(key);
        queue.add(key);
      }
  };
  const disconnect = sources.flatMap((each) => [
    each.connect((key) => queue.add(key)),
    each.informer.on({ reached: release }),
  ]);
  void Promise.all(sources.map(({ informer }) => informer.synced)).then(() => queue.start());

  return {
    name,
    get idle() {
      return queue.idle && held.size === 0;
    },
    add: (key) => queue.add(key),
    addAfter: (key, afterMs) => queue.addAfter(key, afterMs),
    async stop() {
      for (const each of disconnect) each();
      await queue.stop();
    },
  };
}

const isConflict = (error: unknown): boolean => error instanceof ApiError && error.reason === "Conflict";

/** A refusal is told by its message; anything else is a bug, and its stack is wanted. */
function textOf(error: unknown): string {
  if (error instanceof ApiError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
