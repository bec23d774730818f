export interface Limiter {
  /** Runs at most so many actions at once, the others in the order in which they came. */
  run<T>(action: () => Promise<T>): Promise<T>;
  /** As `run`, before all that wait by `run`. */
  runNext<T>(action: () => Promise<T>): Promise<T>;
}

export function createLimiter(limit: number): Limiter {
  const waiting: (() => void)[] = [];
  const urgent: (() => void)[] = [];
  let running = 0;

  async function take<T>(queue: (() => void)[], action: () => Promise<T>): Promise<T> {
    if (running >= limit) await new Promise<void>((resolve) => queue.push(resolve));
    else running += 1;
    try {
      return await action();
    } finally {
      const next = urgent.shift() ?? waiting.shift();
      // The place is handed on, so that nobody slips in between.
      if (next) next();
      else running -= 1;
    }
  }

  return {
    run: (action) => take(waiting, action),
    runNext: (action) => take(urgent, action),
  };
}
