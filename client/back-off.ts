export interface BackOffLimits {
  /** The first wait. */
  minMs: number;
  /** No wait is longer. */
  maxMs: number;
}

/** How long to wait after the n-th failure in a row (from 1): doubles each time, and a random half of it is left
 *  away so that those who failed together don't come back together. `random` gives 0 up to 1. */
export function backOffMs(failures: number, { minMs, maxMs }: BackOffLimits, random: () => number): number {
  const fullMs = Math.min(maxMs, minMs * 2 ** Math.min(failures - 1, 52));
  return fullMs * (0.5 + random() / 2);
}

/** Resolves after `ms`, or at once when the signal aborts. Keeps no process alive. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms).unref();
    signal.addEventListener("abort", end, { once: true });
  });
}
