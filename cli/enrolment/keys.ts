// The keys of the bus, in the server's hands: they make agents' credentials, and take them back.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Log } from "../../api/log.js";
import { type Authority, externalSigner, hasAuthority, openAuthority, type Signer } from "../../bus/credentials.js";
import { createRevoker, type Revoker } from "../../bus/revocations.js";
import { apiError } from "../../client/object-client.js";
import type { Revoke } from "../../controllers/enrolment/enrolment.js";

export interface BusKeys {
  signer: () => Promise<Signer>;
  revoke: Revoke;
  /** PEM. */
  ca?: string;
  close(): Promise<void>;
}

export interface KeysOptions {
  natsUrl: string;
  natsCa?: string;
  /** Folder with the keys of a server of our own. */
  natsKeys?: string;
  /** File with an account's signing key of somebody else's server. */
  natsSigningKey?: string;
  natsCreds: string;
}

/** The keys lie where the supervisor has put them, or will in a moment: it starts the bus after this process. */
export function openBusKeys({ natsUrl, natsCa, natsKeys, natsSigningKey, natsCreds }: KeysOptions, log: Log): BusKeys {
  const ca = natsCa === undefined ? {} : { ca: readFileSync(natsCa, "utf8") };
  if (natsKeys === undefined) return { ...externalKeys(natsSigningKey, natsCreds, log), ...ca };
  const stopping = new AbortController();
  const authority = untilAuthority(natsKeys, stopping.signal);
  const revoker: Promise<Revoker | undefined> = authority.then(
    (made) =>
      made &&
      createRevoker({
        authority: made,
        file: join(natsKeys, "revocations.json"),
        servers: natsUrl,
        ...(natsCa !== undefined && { tls: { ca: readFileSync(natsCa, "utf8") } }),
        now: Date.now,
        log,
      }),
  );
  return {
    ...ca,
    signer: async () => {
      const made = hasAuthority(natsKeys) ? await authority : undefined;
      if (made === undefined)
        throw apiError(503, "ServiceUnavailable", "Davit's bus is not started yet: try again in a moment.");
      return made;
    },
    revoke: async (publicKey, untilMs) => (await revoker)?.revoke(publicKey, untilMs),
    async close() {
      stopping.abort();
      await (await revoker)?.close();
    },
  };
}

function externalKeys(signingKeyFile: string | undefined, credentialsFile: string, log: Log): BusKeys {
  const signer =
    signingKeyFile === undefined
      ? undefined
      : externalSigner(readFileSync(signingKeyFile, "utf8"), readFileSync(credentialsFile, "utf8"));
  return {
    async signer() {
      if (signer !== undefined) return signer;
      throw apiError(501, "NotImplemented", "This Davit has no key to make agents' credentials with.");
    },
    async revoke(publicKey) {
      // Nobody but its owner may hand that server another account JWT.
      log.warn({ publicKey }, "revoked here; the nats-server of somebody else lets it in until it expires");
    },
    close: async () => undefined,
  };
}

async function untilAuthority(folder: string, signal: AbortSignal): Promise<Authority | undefined> {
  while (!hasAuthority(folder)) {
    if (signal.aborted) return undefined;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return openAuthority(folder);
}
