// AccessTokens that are over go after a while, so that nobody has to tidy up after a hundred joins.
import type { Log } from "../../api/log.js";
import type { AccessToken } from "../../api/types.gen.js";
import type { ObjectClient } from "../../client/object-client.js";

export interface TokenSweepOptions {
  client: ObjectClient;
  /** Milliseconds since the epoch. */
  now: () => number;
  log: Log;
  /** @default 1 minute */
  everyMs?: number;
}

/** A token that is over can be looked at for a day: who joined with it, and when. */
const KEPT_MS = 24 * 60 * 60_000;
/** And no more than these, the oldest go first. */
const MAX_OVER = 1_000;

/** Which tokens go now. Pure. */
export function tokensToDelete(tokens: readonly AccessToken[], nowMs: number): readonly AccessToken[] {
  const over = tokens
    .map((token) => ({ token, overMs: overSinceMs(token) }))
    .filter(({ overMs }) => overMs <= nowMs)
    .sort((a, b) => b.overMs - a.overMs);
  return over.filter(({ overMs }, index) => index >= MAX_OVER || overMs + KEPT_MS <= nowMs).map(({ token }) => token);
}

const overSinceMs = ({ spec, status }: AccessToken): number =>
  Math.min(Date.parse(spec.expiresAt), status?.usedAt === undefined ? Infinity : Date.parse(status.usedAt));

/** @returns the way to end it */
export function sweepTokens({ client, now, log, everyMs = 60_000 }: TokenSweepOptions): () => void {
  async function sweep(): Promise<void> {
    try {
      const { items } = await client.list("AccessToken", {});
      for (const { metadata } of tokensToDelete(items, now()))
        await client.delete("AccessToken", metadata, { uid: metadata.uid });
    } catch (error) {
      log.warn({ error: String(error) }, "old tokens are not tidied up, trying again");
    }
  }
  const timer = setInterval(() => void sweep(), everyMs);
  return () => clearInterval(timer);
}
