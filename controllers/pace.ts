// Keeps work that is asked for often from being done more often than is useful.

export interface Pace {
  /** Ms until the key may be worked on again; 0: now. */
  wait(key: string): number;
  /** It is being worked on now, and should rest for so long: big things take longer to look at. */
  did(key: string, gapMs: number): void;
}

export function createPace(now: () => number): Pace {
  /** Longest worked on first. */
  const dueMs = new Map<string, number>();
  return {
    wait: (key) => Math.max(0, (dueMs.get(key) ?? 0) - now()),
    did(key, gapMs) {
      const nowMs = now();
      dueMs.delete(key);
      dueMs.set(key, nowMs + gapMs);
      // What has rested is forgotten, also where nobody asks again: keys come and go for as long as the process lives.
      for (const [rested, restedMs] of dueMs) {
        if (restedMs > nowMs) return;
        dueMs.delete(rested);
      }
    },
  };
}
