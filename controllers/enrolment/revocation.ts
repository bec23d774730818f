// Whose credential is no good any more, as the machines' objects say it, told to whoever can cut them off.
import type { Log } from "../../api/log.js";
import type { ContainerInstance } from "../../api/types.gen.js";
import { createInformer } from "../../client/informer.js";
import type { ObjectClient } from "../../client/object-client.js";
import type { Revoke } from "./enrolment.js";

export interface RevocationOptions {
  client: ObjectClient;
  revoke: Revoke;
  log: Log;
}

/** Follows the machines: one that is revoked, or whose object goes, loses its key. @returns the way to end it */
export function followRevocations({ client, revoke, log }: RevocationOptions): () => void {
  const stopping = new AbortController();
  const take = (instance: ContainerInstance): void => {
    const { publicKey, credentialExpiresAt } = instance.status ?? {};
    if (publicKey === undefined || credentialExpiresAt === undefined) return;
    revoke(publicKey, Date.parse(credentialExpiresAt)).catch((error: unknown) =>
      log.error({ instance: instance.metadata.name, error: String(error) }, "credential not revoked"),
    );
  };
  const ifRevoked = (instance: ContainerInstance): void => {
    if (instance.spec.revoked) take(instance);
  };
  const informer = createInformer(client, "ContainerInstance", { signal: stopping.signal, log });
  informer.on({ added: ifRevoked, updated: ifRevoked, deleted: take });
  return () => stopping.abort();
}
