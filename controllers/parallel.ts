/** Writes that one reconciler has under way at a time: enough to fill a store's batches, not to flood it. */
const IN_FLIGHT = 64;

/** Runs `work` on every item, at most `limit` at a time, to the end of all. @throws the first error, after the last
 *  has ended: nothing is left running behind the caller's back. */
export async function inParallel<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
  limit = IN_FLIGHT,
): Promise<void> {
  let next = 0;
  const errors: unknown[] = [];
  const run = async (): Promise<void> => {
    for (let at = next++; at < items.length; at = next++) {
      try {
        await work(items[at] as T);
      } catch (error) {
        errors.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, run));
  if (errors.length > 0) throw errors[0];
}

/** Lets `limit` pieces of work go on at a time, whoever asks; the others wait in their order. */
export function createGate(limit: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let open = limit;
  return async (work) => {
    if (open > 0) open--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else open++;
    }
  };
}
