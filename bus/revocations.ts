// Taking credentials back: nats-server is handed an account JWT that says which keys are no good, cuts their live
// connections at once, and keeps it over its own restarts.
import { readFileSync } from "node:fs";
import type { Log } from "../api/log.js";
import { connectBus } from "./connect.js";
import { type Authority, writeSecret } from "./credentials.js";
import { claimsUpdate, inboxPrefix, SYSTEM } from "./subjects.js";

export interface Revoker {
  /** What was signed for this key until now is no good any more. Kept on disk when this returns; in force as soon as
   *  the server has it, which is at once while it is there.
   *  @param untilMs when the last of those credentials would expire by itself: from then on it need not be remembered */
  revoke(publicKey: string, untilMs: number): void;
  close(): Promise<void>;
}

export interface RevokerOptions {
  authority: Authority;
  /** Where the list is kept. */
  file: string;
  servers: string | string[];
  tls?: { ca: string };
  /** Milliseconds since the epoch. */
  now: () => number;
  log: Log;
}

interface Revoked {
  /** Unix epoch, seconds. */
  at: number;
  untilMs: number;
}

/** Clocks differ: a credential counts as expired only so long after its time. */
const MARGIN_MS = 5 * 60_000;
const ANSWER_MS = 2_000;
const RETRY_MS = 500;
/** A server that is just loading the account, for the first client that comes, may miss what arrives in that instant:
 *  so it is told once more. */
const SECOND_TELLING_MS = 2_000;

/** For a nats-server of our own only: it takes a key of the operator. */
export async function createRevoker({ authority, file, servers, tls, now, log }: RevokerOptions): Promise<Revoker> {
  const revoked = new Map(readList(file));
  const connection = connectBus({
    servers,
    ...(tls && { tls }),
    credentials: { text: await authority.system() },
    name: "davit revocations",
    inboxPrefix: inboxPrefix(SYSTEM),
    log,
  });
  let wanted = 0;
  let pushed = -1;
  let pushing: Promise<void> | undefined;
  let closed = false;

  /** @throws Error if the server does not take it */
  async function pushOnce(): Promise<void> {
    const revocations = Object.fromEntries([...revoked].map(([key, { at }]) => [key, at]));
    const jwt = await authority.revoking(revocations);
    const client = await connection.whenConnected(ANSWER_MS);
    const answer = (await client.request(claimsUpdate, jwt, { timeout: ANSWER_MS })).json<{ error?: object }>();
    if (answer.error !== undefined) throw new Error(JSON.stringify(answer.error));
  }

  async function push(): Promise<void> {
    while (!closed && pushed < wanted) {
      const mine = wanted;
      try {
        await pushOnce();
        pushed = mine;
      } catch (error) {
        if (!closed) log.warn({ error: String(error) }, "revocations are not in force yet, trying again");
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }
  const start = (): void => {
    pushing ??= push().finally(() => {
      pushing = undefined;
      // Asked for just when it had ended.
      if (!closed && pushed < wanted) start();
    });
  };
  let secondTelling: NodeJS.Timeout | undefined;
  const tell = (): void => {
    wanted += 1;
    start();
  };
  const off = connection.onConnection((connected) => {
    clearTimeout(secondTelling);
    // Another server than before, perhaps, with an older list.
    if (!connected || revoked.size === 0) return;
    tell();
    secondTelling = setTimeout(tell, SECOND_TELLING_MS);
  });

  return {
    revoke(publicKey, untilMs) {
      const known = revoked.get(publicKey);
      // One that was let in again since has a credential that is good for longer.
      if ((known && untilMs <= known.untilMs) || untilMs + MARGIN_MS < now()) return;
      for (const [key, { untilMs: until }] of revoked) if (until + MARGIN_MS < now()) revoked.delete(key);
      revoked.set(publicKey, { at: Math.floor(now() / 1000), untilMs });
      writeSecret(file, `${JSON.stringify(Object.fromEntries(revoked))}\n`);
      log.info({ publicKey }, "credential revoked");
      tell();
    },
    async close() {
      closed = true;
      off();
      clearTimeout(secondTelling);
      await connection.close();
      await pushing;
    },
  };
}

function readList(file: string): [string, Revoked][] {
  try {
    return Object.entries(JSON.parse(readFileSync(file, "utf8")) as Record<string, Revoked>);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw new Error(`${file} can't be read: restore it, or remove it if no machine is revoked`, { cause: error });
  }
}
