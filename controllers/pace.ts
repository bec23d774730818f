// Keeps work that is asked for often from being done more often than is useful.

export interface Pace {
  /** Ms until the key may be worked on again; 0: now. */
  wait(key: string): number;
  /** It is being worked on now. */
  did(key: string): void;
  forget(key: string): void;
}

/** @param gapMs between two times; may depend on the key, as big things take longer to look at. */
export function createPace(now: () => number, gapMs: number | ((key: string) => number)): Pace {
  const lastMs = new Map<string, number>();
  const gapOf = typeof gapMs === "number" ? () => gapMs : gapMs;
  return {
    wait(key) {
      const last = lastMs.get(key);
      return last === undefined ? 0 : Math.max(0, last + gapOf(key) - now());
    },
    did: (key) => void lastMs.set(key, now()),
    forget: (key) => void lastMs.delete(key),
  };
}
