// Whether a machine may join, and whether it gets its credential renewed. Pure.
import { getCondition } from "../../api/conditions.js";
import { clusterNameOf, DEFAULT_CLUSTER } from "../../api/names.js";
import type { AccessToken, ContainerInstance } from "../../api/types.gen.js";
import type { JoinRequest, RenewRequest } from "../../bus/enrolment.js";
import type { InstanceId } from "../../bus/messages.js";
import { versionSkew } from "../instance/skew.js";
import { type Refused, refuse } from "./refusal.js";

export interface JoinView {
  /** Found by its name, and its secret fits. */
  token: AccessToken;
  request: JoinRequest;
  /** The one that this machine is, or will be. */
  id: InstanceId;
  instance: ContainerInstance | undefined;
  clusterExists: boolean;
  /** Another machine that has this key. */
  keyHolder: ContainerInstance | undefined;
  serverVersion: string;
  nowMs: number;
}

export interface Admitted {
  /** The ECS name. */
  cluster: string;
  createCluster: boolean;
  /** The token is used up by this very join: its first answer was lost. */
  again: boolean;
}

/** An answer may be lost, and asked for again, for so long. */
const AGAIN_MS = 10 * 60_000;

export function decideJoin(view: JoinView): { refused: Refused } | { admitted: Admitted } {
  const { token, request, nowMs } = view;
  const { spec, status = {}, metadata } = token;
  const cluster = clusterNameOf(spec.cluster);
  const again = isAgain(view);
  const another = "make another with `davit token create`";
  if (spec.use !== "Join")
    return refuse("TokenForUsers", `The token ${metadata.name} is for people: ${another} (without --role).`);
  if (Date.parse(spec.expiresAt) <= nowMs)
    return refuse("TokenExpired", `The token ${metadata.name} expired at ${spec.expiresAt}: ${another}.`);
  if (status.usedAt !== undefined && !again)
    return refuse(
      "TokenUsed",
      `The token ${metadata.name} was used by machine ${status.usedBy} at ${status.usedAt}, and is good for one: ${another}.`,
    );
  const skew = versionSkew(view.serverVersion, request.agentVersion);
  if (skew !== undefined) return refuse("VersionSkew", skew);
  if (request.cluster !== undefined && request.cluster !== "" && clusterNameOf(request.cluster) !== cluster)
    return refuse(
      "WrongCluster",
      `The token ${metadata.name} is for cluster ${cluster}, and this machine asks for ${clusterNameOf(request.cluster)}: ` +
        `name that cluster with \`davit token create --cluster\`, or take ECS_CLUSTER (--cluster) away from the machine.`,
    );
  const createCluster = !view.clusterExists && (cluster === DEFAULT_CLUSTER || spec.createCluster === true);
  if (!view.clusterExists && !createCluster)
    return refuse(
      "ClusterNotFound",
      `Cluster not found: there is no cluster ${cluster}, and the token ${metadata.name} may not make one: ` +
        "apply a Cluster of that name first, or make a token with `davit token create --create-cluster`.",
    );
  return decideInstance(view, cluster) ?? { admitted: { cluster, createCluster, again } };
}

/** The same machine, with the same key, that has used the token a moment ago and is still in. */
function isAgain({ token: { status }, request, id, instance, nowMs }: JoinView): boolean {
  if (status?.usedAt === undefined || status.usedBy !== id || status.publicKey !== request.publicKey) return false;
  const state = instance?.status?.status;
  const out = instance?.spec.revoked === true || state === "INACTIVE" || state === "DEREGISTERING";
  return !out && nowMs - Date.parse(status.usedAt) < AGAIN_MS;
}

/** What speaks against it in the machine's own object. */
function decideInstance(
  { instance, request, id, keyHolder, nowMs }: JoinView,
  cluster: string,
): { refused: Refused } | undefined {
  if (keyHolder !== undefined)
    return refuse(
      "Cloned",
      `The key that this machine shows is that of machine ${nameOf(keyHolder)}, so its data folder is a copy: ` +
        "remove the folder, and join again.",
    );
  if (instance === undefined) return undefined;
  const { spec, status = {}, metadata } = instance;
  if (metadata.deletionTimestamp !== undefined)
    return refuse("Leaving", `Machine ${id} is being deleted: wait until it is gone, and join again.`);
  if (status.status !== "INACTIVE" && (status.status === "DEREGISTERING" || spec.deregister !== undefined))
    return refuse("Leaving", `Machine ${id} is leaving its cluster: wait until it is INACTIVE, and join again.`);
  const former = clusterNameOf(spec.cluster);
  if (status.status !== "INACTIVE" && former !== cluster)
    return refuse(
      "OtherCluster",
      `Machine ${id} belongs to cluster ${former}, and a machine never moves to another (${cluster}): ` +
        `deregister it there first with \`davit deregister ${id} --force\`, or give it a new --machine-id.`,
    );
  const sameKey = status.publicKey === request.publicKey;
  if (spec.revoked && sameKey) return keyRevoked(id);
  // A revoked agent is cut off already, though its silence may not have been noticed yet.
  if (spec.revoked || sameKey) return undefined;
  const another = `Another machine with machine id "${request.machineId}"`;
  const ofItsOwn =
    "if this one is a clone of it, give it an id of its own (remove /etc/machine-id and run systemd-machine-id-setup, or --machine-id); " +
    "if it is the same one and has lost its data folder,";
  if (status.agentConnected)
    return refuse(
      "Cloned",
      `${another} is at work as ${nameOf(instance)}: ${ofItsOwn} stop its old agent and try again in 15 s.`,
    );
  if (isJoining(instance, nowMs))
    return refuse(
      "Cloned",
      `${another} has just joined as ${nameOf(instance)}: ${ofItsOwn} try again in ${JOINING_MS / 1000} s.`,
    );
  return undefined;
}

/** For so long after it has joined, a machine whose agent is still on its way to the bus is not taken for one that has
 *  lost its key: machines of one image start at one instant. */
const JOINING_MS = 30_000;
function isJoining({ status }: ContainerInstance, nowMs: number): boolean {
  const since = getCondition(status?.conditions, "Ready");
  if (status?.status !== "REGISTERING" || since?.reason !== "Registering") return false;
  return nowMs - Date.parse(since.lastTransitionTime) < JOINING_MS;
}

export const keyRevoked = (id: InstanceId): { refused: Refused } =>
  refuse(
    "Revoked",
    `The key of machine ${id} was taken back: remove the machine's data folder, so that it makes another, and join again.`,
  );

const nameOf = ({ metadata: { name }, status }: ContainerInstance): string =>
  status?.hostname === undefined ? name : `${name} (${status.hostname})`;

/** The signature has been checked: whoever asks has the key. */
export function decideRenew(
  request: RenewRequest,
  instance: ContainerInstance | undefined,
): { refused: Refused } | { admitted: ContainerInstance } {
  const anew = "make a token with `davit token create`, and join again";
  if (instance?.status?.publicKey === undefined)
    return refuse("Unknown", `No machine ${request.instance} has joined here: ${anew}.`);
  const { spec, status } = instance;
  if (spec.revoked) return refuse("Revoked", `The credential of machine ${request.instance} was taken back: ${anew}.`);
  // One that was turned out by force while it was away comes back to clear what still runs there.
  if (status.status === "INACTIVE" && spec.deregister !== "Force")
    return refuse("Deregistered", `Machine ${request.instance} was deregistered: ${anew}.`);
  if (status.publicKey !== request.publicKey)
    return refuse("Revoked", `Machine ${request.instance} has joined again since, with another key: ${anew}.`);
  return { admitted: instance };
}
