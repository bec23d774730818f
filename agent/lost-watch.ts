// Stops tasks that must not run on without the control plane (`lostInstances: STOP`), unasked: nobody can ask.
import type { Contact } from "./contact.js";
import type { Engine } from "./engine/engine.js";
import type { Session } from "./session.js";

export interface LostWatch {
  /** Looks now. */
  look(): void;
  close(): void;
}

/** The file of the last contact is written this often. */
const SAVE_MS = 1_000;
/** A process that did not run for so long may have been silent to others without noticing it. */
const STANDSTILL_MS = 10_000;

export function createLostWatch(deps: {
  engine: Pick<Engine, "records" | "lostFor">;
  session: Pick<Session, "lostSinceMs" | "syncAgain">;
  uptimeMs: () => number;
  contact: Contact | undefined;
  /** It looks this often. */
  lookMs: number;
}): LostWatch {
  const { engine, session, uptimeMs, contact, lookMs } = deps;
  let lookedMs = uptimeMs();
  let savedMs = Number.NEGATIVE_INFINITY;

  function look(): void {
    const nowMs = uptimeMs();
    const beforeMs = lookedMs;
    lookedMs = nowMs;
    if (![...engine.records()].some(({ stopWhenLostAfterMs }) => stopWhenLostAfterMs !== undefined)) return;
    // Stopped for a while, as a paused virtual machine is: what is believed of the connection is from before.
    if (nowMs - beforeMs > STANDSTILL_MS && session.lostSinceMs() === undefined)
      session.syncAgain("this process stood still", beforeMs);
    const sinceMs = session.lostSinceMs();
    if (sinceMs !== undefined) engine.lostFor(nowMs - sinceMs);
    else if (nowMs - savedMs >= SAVE_MS) {
      savedMs = nowMs;
      contact?.save(nowMs);
    }
  }

  const timer = setInterval(look, lookMs);
  return { look, close: () => clearInterval(timer) };
}
