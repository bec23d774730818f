// Keeps the machine's credential good: another one at half of its life, and after a long absence before anything else.
import type { Log } from "../../api/log.js";
import { messageOf } from "../failure.js";
import { Refused, renew } from "./enrol.js";
import { type Identity, type MachineFolder, readIdentity } from "./folder.js";

export interface RenewalDeps {
  folder: MachineFolder;
  /** Unix epoch, ms. */
  now: () => number;
  /** In [0, 1). */
  random: () => number;
  log: Log;
  /** After each success. */
  onRenewed?: (identity: Identity, before: Identity) => void;
  /** @default DELAYS */
  delays?: typeof DELAYS;
}

/** Waits between attempts, ms. */
const DELAYS = {
  /** After a failure; doubles up to the maximum. */
  retryMs: 1_000,
  maxRetryMs: 60_000,
  /** After a refusal: somebody has to change something first. */
  refusedMs: 60_000,
};
/** Between a success and the next renewal, whatever the credential says. */
const MIN_LIFE_MS = 500;
/** Node's timers can't wait much longer. */
const MAX_TIMER_MS = 24 * 60 * 60 * 1_000;

export interface Renewal {
  /** Resolves when the credential is good, which it mostly is at once. Rejects only when closed. */
  good(): Promise<void>;
  /** Asks now, whether it is time or not: the answer also says where the bus is. Nothing if it is asking anyway. */
  hasten(): void;
  close(): void;
}

/** How long from now until the next renewal: at half of the credential's life, up to a tenth of it earlier, so that
 *  machines which joined together don't come together. */
export function untilRenewalMs({ issuedAtMs, expiresAtMs }: Identity, nowMs: number, random: number): number {
  const lifeMs = expiresAtMs - issuedAtMs;
  // A clock that was set back must not keep an old credential for long.
  if (nowMs < issuedAtMs) return 0;
  return Math.max(0, issuedAtMs + lifeMs * (0.5 - random / 10) - nowMs);
}

export function keepRenewed(deps: RenewalDeps): Renewal {
  const { folder, now, random, log, delays = DELAYS } = deps;
  let timer: NodeJS.Timeout | undefined;
  let failures = 0;
  let asking = false;
  let closed = false;
  const waiting = new Set<{ resolve: () => void; reject: (error: Error) => void }>();

  const isGood = (identity: Identity | undefined): boolean => identity !== undefined && identity.expiresAtMs > now();

  function again(afterMs: number): void {
    if (closed) return;
    clearTimeout(timer);
    timer = setTimeout(() => void attempt(), Math.min(afterMs, MAX_TIMER_MS));
  }

  async function attempt(hastened = false): Promise<void> {
    const identity = readIdentity(folder);
    // It has left meanwhile.
    if (!identity || closed || asking) return;
    const dueMs = untilRenewalMs(identity, now(), 0.5);
    if (failures === 0 && !hastened && dueMs > MAX_TIMER_MS / 2) return again(dueMs);
    asking = true;
    try {
      const renewed = await renew(folder, identity, now);
      if (closed) return;
      failures = 0;
      log.info({ expiresAt: new Date(renewed.expiresAtMs).toISOString() }, "credential renewed");
      for (const { resolve } of waiting) resolve();
      waiting.clear();
      deps.onRenewed?.(renewed, identity);
      again(Math.max(MIN_LIFE_MS, untilRenewalMs(renewed, now(), random())));
    } catch (error) {
      if (closed) return;
      failures += 1;
      const refused = error instanceof Refused;
      const waitMs = refused ? delays.refusedMs : Math.min(delays.retryMs * 2 ** (failures - 1), delays.maxRetryMs);
      const retryMs = Math.round(waitMs * (0.75 + random() / 2));
      const left = isGood(identity) ? { goodUntil: new Date(identity.expiresAtMs).toISOString() } : { expired: true };
      if (refused)
        log.error(
          { ...left, retryMs, reason: messageOf(error) },
          "the control plane refuses to renew the credential; containers keep running",
        );
      else
        log.warn({ ...left, retryMs, failures, error: messageOf(error) }, "can't renew the credential, trying again");
      again(retryMs);
    } finally {
      asking = false;
    }
  }

  const first = readIdentity(folder);
  again(first ? (isGood(first) ? untilRenewalMs(first, now(), random()) : 0) : 0);

  return {
    good: () =>
      new Promise((resolve, reject) => {
        if (isGood(readIdentity(folder))) resolve();
        else waiting.add({ resolve, reject });
      }),
    hasten() {
      if (failures === 0) void attempt(true);
    },
    close() {
      closed = true;
      clearTimeout(timer);
      for (const { reject } of waiting) reject(new Error("closed"));
      waiting.clear();
    },
  };
}
