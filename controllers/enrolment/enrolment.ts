// Machines that join, and agents that renew their credentials: what is asked is decided (decide.ts), and written after
// the credential has been signed.
import type { TokenText } from "../../api/access-token.js";
import type { Log } from "../../api/log.js";
import { clusterNameOf } from "../../api/names.js";
import type { ContainerInstance } from "../../api/types.gen.js";
import type { Signer } from "../../bus/credentials.js";
import { isSignedBy } from "../../bus/credentials.js";
import { type Credential, type JoinRequest, type RenewRequest, renewalText } from "../../bus/enrolment.js";
import type { InstanceId } from "../../bus/messages.js";
import type { ObjectClient } from "../../client/object-client.js";
import { decideRenew } from "./decide.js";
import { createCluster, enter } from "./enter.js";
import { instanceIdOf } from "./identity.js";
import { refusalError, refuse } from "./refusal.js";
import { checkRequest } from "./request.js";
import { findToken, useToken } from "./token.js";
import { isLostRace, MANAGED, MAX_ATTEMPTS } from "./writes.js";

/** Takes back what was signed for a key; resolves when that cannot be forgotten any more. */
export type Revoke = (publicKey: string, untilMs: number) => Promise<void>;

export interface EnrolmentDeps {
  client: ObjectClient;
  /** @throws ApiError 503 while the keys are not there yet */
  signer: () => Promise<Signer>;
  revoke: Revoke;
  /** Where machines find the bus. */
  bus: Pick<Credential, "busUrls" | "busCa">;
  /** How long a credential is good. */
  credentialMs: number;
  serverVersion: string;
  /** Milliseconds since the epoch. */
  now: () => number;
  log: Log;
}

export interface Enrolment {
  /** @throws ApiError with one sentence */
  join(token: TokenText | undefined, request: JoinRequest): Promise<Credential>;
  /** @throws ApiError with one sentence */
  renew(request: RenewRequest): Promise<Credential>;
}

export function createEnrolment(deps: EnrolmentDeps): Enrolment {
  const { client, log } = deps;
  const joining = new Map<InstanceId, Promise<unknown>>();

  /** One join of a machine after the other: each replaces the key of the one before. */
  async function inTurn<T>(id: InstanceId, action: () => Promise<T>): Promise<T> {
    const mine = (joining.get(id) ?? Promise.resolve()).then(action, action);
    joining.set(id, mine);
    try {
      return await mine;
    } finally {
      if (joining.get(id) === mine) joining.delete(id);
    }
  }

  async function joinInTurn(text: TokenText, request: JoinRequest, id: InstanceId): Promise<Credential> {
    const expiresAtMs = expiry(deps);
    const { token, admitted } = await useToken(deps, text, request, id);
    const { namespace } = token.metadata;
    if (admitted.createCluster) await createCluster(client, namespace, admitted.cluster);
    const holder = { namespace, id, cluster: admitted.cluster, publicKey: request.publicKey, expiresAtMs };
    const made = await credential(deps, holder);
    await enter(deps, { namespace, name: id }, admitted, request, expiresAtMs);
    log.info({ instance: id, namespace, token: token.metadata.name, hostname: request.hostname }, "machine joined");
    return made;
  }

  return {
    async join(text, request) {
      checkRequest(request);
      // What can fail for a reason of ours fails before the token is used up.
      await deps.signer();
      const token = await findToken(client, text);
      const id = instanceIdOf(token.metadata.namespace, request.machineId);
      return inTurn(id, () => joinInTurn(text as TokenText, request, id));
    },

    async renew(request) {
      const { instance: id, publicKey, signature } = request;
      if (!isSignedBy(publicKey, renewalText(request), signature))
        throw refusalError(
          refuse("SignatureInvalid", `The request is not signed with the key ${publicKey} that it names.`).refused,
        );
      const expiresAtMs = expiry(deps);
      for (let attempt = 1; ; attempt++) {
        const decision = decideRenew(request, await findInstance(client, id));
        if ("refused" in decision) throw refusalError(decision.refused);
        const { metadata, spec, status = {} } = decision.admitted;
        const cluster = clusterNameOf(spec.cluster);
        const made = await credential(deps, { namespace: metadata.namespace, id, cluster, publicKey, expiresAtMs });
        // No version with it: the machine is the same, and nobody need hear of it.
        const renewed = { ...status, credentialExpiresAt: new Date(expiresAtMs).toISOString() };
        try {
          await client.updateStatus("ContainerInstance", { ...decision.admitted, status: renewed }, MANAGED);
        } catch (error) {
          if (isLostRace(error) && attempt < MAX_ATTEMPTS) continue;
          throw error;
        }
        return made;
      }
    },
  };
}

/** Whole seconds, as the credential has them. */
const expiry = ({ now, credentialMs }: EnrolmentDeps): number => Math.floor((now() + credentialMs) / 1000) * 1000;

async function findInstance(client: ObjectClient, name: InstanceId): Promise<ContainerInstance | undefined> {
  return (await client.list("ContainerInstance", { fieldSelector: `metadata.name=${name}` })).items[0];
}

interface Holder {
  namespace: string;
  id: InstanceId;
  cluster: string;
  publicKey: string;
  expiresAtMs: number;
}
/** Signed before its object is written: a revocation that comes after that write is later than the credential. */
async function credential({ signer, bus }: EnrolmentDeps, holder: Holder): Promise<Credential> {
  const { namespace, id, cluster, publicKey, expiresAtMs } = holder;
  const jwt = await (await signer()).agentJwt(id, publicKey, expiresAtMs);
  return { instance: id, namespace, cluster, jwt, expiresAtMs, ...bus };
}
