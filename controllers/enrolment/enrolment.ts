// Machines that join, and agents that renew their credentials: what is asked is decided (decide.ts), then written, and
// the last of all is the credential.
import { isSecretOf, type TokenText } from "../../api/access-token.js";
import { createArns } from "../../api/arn.js";
import type { Log } from "../../api/log.js";
import { clusterNameOf, DEFAULT_CLUSTER, objectName } from "../../api/names.js";
import type { AccessToken, ContainerInstance } from "../../api/types.gen.js";
import type { Signer } from "../../bus/credentials.js";
import { isSignedBy, isUserKey } from "../../bus/credentials.js";
import { type Credential, type JoinRequest, type RenewRequest, renewalText } from "../../bus/enrolment.js";
import type { InstanceId } from "../../bus/messages.js";
import { ApiError, type ObjectClient } from "../../client/object-client.js";
import { MANAGER } from "../labels.js";
import { type Admitted, decideJoin, decideRenew } from "./decide.js";
import { instanceIdOf } from "./identity.js";
import { refusalError, refuse } from "./refusal.js";
import { joinedSpec, joinedStatus } from "./status.js";

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

const MAX_ATTEMPTS = 10;

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
    await enter(deps, { namespace, name: id }, admitted, request, expiresAtMs);
    log.info({ instance: id, namespace, token: token.metadata.name, hostname: request.hostname }, "machine joined");
    return credential(deps, { namespace, id, cluster: admitted.cluster, publicKey: request.publicKey, expiresAtMs });
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
        // No version with it: the machine is the same, and nobody need hear of it.
        const renewed = { ...status, credentialExpiresAt: new Date(expiresAtMs).toISOString() };
        try {
          await client.updateStatus("ContainerInstance", { ...decision.admitted, status: renewed }, MANAGED);
        } catch (error) {
          if (isLostRace(error) && attempt < MAX_ATTEMPTS) continue;
          throw error;
        }
        const { namespace } = metadata;
        return credential(deps, { namespace, id, cluster: clusterNameOf(spec.cluster), publicKey, expiresAtMs });
      }
    },
  };
}

const MANAGED = { fieldManager: MANAGER };
const isLostRace = (error: unknown): boolean => error instanceof ApiError && error.reason === "Conflict";
const isThere = (error: unknown): boolean => error instanceof ApiError && error.reason === "AlreadyExists";
const isGone = (error: unknown): boolean => error instanceof ApiError && error.code === 404;
/** Whole seconds, as the credential has them. */
const expiry = ({ now, credentialMs }: EnrolmentDeps): number => Math.floor((now() + credentialMs) / 1000) * 1000;

/** @throws 400 */
function checkRequest({ machineId, publicKey }: JoinRequest): void {
  if (!isUserKey(publicKey))
    throw refusalError(refuse("InvalidRequest", `publicKey is no nkey of a user (U…).`).refused);
  if (machineId.trim() === "" || machineId.length > 256)
    throw refusalError(refuse("InvalidRequest", "machineId must have 1 to 256 characters.").refused);
}

/** @throws 401 */
async function findToken(client: ObjectClient, text: TokenText | undefined): Promise<AccessToken> {
  const named = text && (await client.list("AccessToken", { fieldSelector: `metadata.name=${text.name}` })).items;
  const found = named?.find(
    ({ spec, metadata }) => isSecretOf(spec.hash, text?.secret ?? "") && metadata.deletionTimestamp === undefined,
  );
  if (found !== undefined) return found;
  const what = text === undefined ? "The request carries no token" : `The token ${text.name} is not known here`;
  throw refusalError(
    refuse(
      "TokenUnknown",
      `${what}: copy the whole line that \`davit token create\` printed, or make another (it may have been taken back, or be another Davit's).`,
    ).refused,
  );
}

async function findInstance(client: ObjectClient, name: InstanceId): Promise<ContainerInstance | undefined> {
  return (await client.list("ContainerInstance", { fieldSelector: `metadata.name=${name}` })).items[0];
}

/** Of two that race for a token, one gets it. */
async function useToken(
  deps: EnrolmentDeps,
  text: TokenText,
  request: JoinRequest,
  id: InstanceId,
): Promise<{ token: AccessToken; admitted: Admitted }> {
  const { client, now, serverVersion } = deps;
  for (let attempt = 1; ; attempt++) {
    const token = await findToken(client, text);
    const { namespace } = token.metadata;
    const cluster = clusterNameOf(token.spec.cluster);
    const instances = (await client.list("ContainerInstance", {})).items;
    const isThis = ({ metadata }: ContainerInstance): boolean =>
      metadata.name === id && metadata.namespace === namespace;
    const decision = decideJoin({
      token,
      request,
      id,
      instance: instances.find(isThis),
      keyHolder: instances.find((each) => each.status?.publicKey === request.publicKey && !isThis(each)),
      clusterExists: (await client.get("Cluster", { namespace, name: objectName(cluster) })) !== undefined,
      serverVersion,
      nowMs: now(),
    });
    if ("refused" in decision) throw refusalError(decision.refused);
    if (decision.admitted.again) return { token, admitted: decision.admitted };
    const usedAt = new Date(now()).toISOString();
    const used = { ...token, status: { usedAt, usedBy: id, publicKey: request.publicKey } };
    try {
      await client.updateStatus("AccessToken", used, MANAGED);
      return { token, admitted: decision.admitted };
    } catch (error) {
      if (!(isLostRace(error) || isGone(error)) || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

/** Makes the machine's object, or brings it up to date. Its former key is revoked before the new one is good. */
async function enter(
  { client, revoke, now, credentialMs }: EnrolmentDeps,
  ref: { namespace: string; name: InstanceId },
  { cluster }: Admitted,
  request: JoinRequest,
  expiresAtMs: number,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      let instance = await client.get("ContainerInstance", ref);
      if (instance === undefined) {
        const status = {
          ...joinedStatus({ metadata: {} }, request, expiresAtMs, now()),
          containerInstanceArn: createArns().containerInstance(cluster, ref.name),
        };
        const spec = { cluster, status: "ACTIVE" as const };
        const made = { apiVersion: "davit.dev/v1", kind: "ContainerInstance", metadata: ref, spec, status } as const;
        await client.create("ContainerInstance", made, MANAGED);
        return;
      }
      const { publicKey, credentialExpiresAt } = instance.status ?? {};
      if (publicKey !== undefined && publicKey !== request.publicKey)
        await revoke(publicKey, credentialExpiresAt ? Date.parse(credentialExpiresAt) : now() + credentialMs);
      const spec = joinedSpec(instance, cluster);
      if (spec !== undefined) instance = await client.update("ContainerInstance", { ...instance, spec }, MANAGED);
      const status = joinedStatus(instance, request, expiresAtMs, now());
      await client.updateStatus("ContainerInstance", { ...instance, status }, MANAGED);
      return;
    } catch (error) {
      // It may also have gone: an hour after it had left, just now.
      if (!(isLostRace(error) || isThere(error) || isGone(error)) || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

async function createCluster(client: ObjectClient, namespace: string, cluster: string): Promise<void> {
  const name = objectName(cluster);
  const spec = name === cluster || cluster === DEFAULT_CLUSTER ? {} : { clusterName: cluster };
  try {
    await client.create(
      "Cluster",
      { apiVersion: "davit.dev/v1", kind: "Cluster", metadata: { namespace, name }, spec },
      MANAGED,
    );
  } catch (error) {
    if (!isThere(error)) throw error;
  }
}

interface Holder {
  namespace: string;
  id: InstanceId;
  cluster: string;
  publicKey: string;
  expiresAtMs: number;
}
async function credential({ signer, bus }: EnrolmentDeps, holder: Holder): Promise<Credential> {
  const { namespace, id, cluster, publicKey, expiresAtMs } = holder;
  const jwt = await (await signer()).agentJwt(id, publicKey, expiresAtMs);
  return { instance: id, namespace, cluster, jwt, expiresAtMs, ...bus };
}
