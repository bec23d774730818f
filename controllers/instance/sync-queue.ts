// Whose session is opened next. When a thousand machines come back at once, those that came first are answered first,
// each within its agent's patience, instead of all together when it is too late for all.
import type { InstanceId } from "../../bus/messages.js";

export interface SyncQueue {
  /** Runs it in its turn. @throws Error if the machine has asked again before its turn came: nobody waits for this
   *  answer any more */
  run<T>(instance: InstanceId, open: () => Promise<T>): Promise<T>;
  /** Whether one of this machine waits or is under way. */
  has(instance: InstanceId): boolean;
}

/** Enough to fill the store's batches. */
const AT_ONCE = 64;

interface Waiting {
  start(): void;
  giveUp(error: Error): void;
}

export function createSyncQueue(atOnce = AT_ONCE): SyncQueue {
  /** In the order in which they asked last; at most one of each machine. */
  const waiting = new Map<InstanceId, Waiting>();
  const underWay = new Set<InstanceId>();

  /** One after the other for each machine: each raises the epoch. */
  function startNext(): void {
    for (const [instance, next] of waiting) {
      if (underWay.size >= atOnce) return;
      if (underWay.has(instance)) continue;
      waiting.delete(instance);
      underWay.add(instance);
      next.start();
    }
  }

  return {
    has: (instance) => waiting.has(instance) || underWay.has(instance),
    run(instance, open) {
      waiting.get(instance)?.giveUp(new Error(`${instance} has asked again`));
      waiting.delete(instance);
      return new Promise((resolve, reject) => {
        const start = (): void => {
          open()
            .then(resolve, reject)
            .finally(() => {
              underWay.delete(instance);
              startNext();
            });
        };
        waiting.set(instance, { start, giveUp: reject });
        startNext();
      });
    },
  };
}
