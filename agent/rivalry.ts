// Two agents with one identity (a cloned machine) supersede each other. Each may win its session back a few times;
// then the loser waits, longer each time, so that the two do not take turns for ever.

export interface Rivalry {
  /** A sync showed that somebody else had opened sessions under this identity. */
  met(): void;
  /** This agent's session is over, not by its own doing. */
  lost(): void;
  /** How long to wait before the next sync. */
  waitMs(): number;
  /** Somebody else has the identity, and this agent stands back. */
  displaced(): boolean;
}

const WINDOW_MS = 2 * 60_000;
const TOLERATED = 3;
const DISPLACED_WAIT_MS = 10 * 60_000;
const MAX_WAIT_MS = 6 * 3_600_000;

/** @param stepMs wait after the first meeting; each further one adds as much. */
export function createRivalry(now: () => number, stepMs: number): Rivalry {
  let meetings: number[] = [];
  let displacements = 0;
  let waitUntilMs = 0;

  return {
    met: () => void meetings.push(now()),
    lost() {
      const nowMs = now();
      meetings = meetings.filter((atMs) => atMs > nowMs - WINDOW_MS);
      // Once displaced, a single meeting shows that the other is still there. Without any, the control plane has
      // only lost the session, as when it restarts: then nothing is to be waited for.
      const displaced = meetings.length > (displacements > 0 ? 0 : TOLERATED);
      if (displaced) displacements += 1;
      waitUntilMs =
        nowMs +
        (displaced ? Math.min(DISPLACED_WAIT_MS * 2 ** (displacements - 1), MAX_WAIT_MS) : stepMs * meetings.length);
    },
    waitMs: () => Math.max(0, waitUntilMs - now()),
    displaced: () => displacements > 0 && waitUntilMs > now(),
  };
}
