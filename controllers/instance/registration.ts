// A machine registers: whether it may, and what its status is then. Pure.
import type { Arns } from "../../api/arn.js";
import { getCondition, removeCondition, setCondition } from "../../api/conditions.js";
import { clusterNameOf } from "../../api/names.js";
import type { ContainerInstance, ContainerInstanceStatus } from "../../api/types.gen.js";
import type { Refusal, SyncRequest } from "../../bus/messages.js";
import { advanceContainerInstance } from "../../state-machines/container-instance.js";
import { instanceIdOf } from "../enrolment/identity.js";
import { isDrainWanted } from "./drain.js";
import { invalidity } from "./invalid.js";
import { versionSkew } from "./skew.js";
import { isoOf, said } from "./status.js";

export type Refused = Omit<Refusal, "retryMs">;

export interface RegistrationFacts {
  /** The machine's object, if there is one. */
  instance: ContainerInstance | undefined;
  /** An object of this name in another namespace. */
  elsewhere?: ContainerInstance | undefined;
  /** The control plane's; undefined: any agent will do. */
  version: string | undefined;
  clusterExists: boolean;
  /** Tasks count as stopped of which the machine has not said yet that their containers are gone. */
  isOwed: boolean;
}

/** Why this machine may not register; undefined if it may. What other machines do under its identity is no matter
 *  here (`rivals.ts`). */
export function refusalOf(
  request: SyncRequest,
  { instance, elsewhere, version, clusterExists, isOwed }: RegistrationFacts,
): Refused | undefined {
  const { instance: id } = request;
  // What its token bound it to is not the agent's to choose.
  if (elsewhere !== undefined)
    return {
      reason: "InvalidRegistration",
      message: `Container instance ${id} belongs to namespace ${elsewhere.metadata.namespace}, and its agent names ${request.namespace}. To move the machine, deregister it there and join it anew.`,
    };
  if (instance?.spec.revoked)
    return { reason: "Revoked", message: `The credential of ${id} was taken back: join the machine anew.` };
  const gone = departed(request, instance, isOwed);
  if (gone) return gone;
  const skew = version === undefined ? undefined : versionSkew(version, request.agentVersion);
  if (skew !== undefined) return { reason: "VersionSkew", message: skew };
  const invalid = invalidity(request, instance);
  if (invalid !== undefined) return { reason: "InvalidRegistration", message: invalid };
  const cluster = clusterNameOf(request.cluster);
  if (!clusterExists)
    return {
      reason: "ClusterNotFound",
      message: `Cluster not found: ${cluster}. Make it, or give the agent another one (ECS_CLUSTER).`,
    };
  return undefined;
}

function departed(request: SyncRequest, instance: ContainerInstance | undefined, isOwed: boolean): Refused | undefined {
  const { instance: id } = request;
  if (instance === undefined) {
    // The object of a machine that joins is made then, and nowhere else; that of another one when its agent begins.
    // Where it is not there any more nothing is assigned: to let the agent in would end all that it runs.
    const gone = `There is no container instance ${id} (any more)`;
    if (hasJoined(request)) return { reason: "Deregistered", message: `${gone}: join the machine anew.` };
    if ((request.epoch ?? 0) === 0) return undefined;
    return {
      reason: "Deregistered",
      message: `${gone}: restart its agent to register it anew, and to end what it runs now.`,
    };
  }
  const { spec, status } = instance;
  if (spec.deregister === "Orphan")
    return {
      reason: "Deregistered",
      message: `${id} was deregistered, and its containers were left to themselves: join the machine anew to use it again.`,
      orphan: true,
    };
  if (status?.status !== "INACTIVE" || mayReturn(instance)) return undefined;
  // What still runs there, though it counts as stopped, goes first: by a session in which nothing is assigned.
  if (isOwed || request.tasks.some(({ state }) => state !== "STOPPED")) return undefined;
  return { reason: "Deregistered", message: `${id} was deregistered: join the machine anew to use it again.` };
}

/** Whether a sync is enough once it has left, as for the agent of `davit up`. A machine that has joined, and then left
 *  even of its own accord, is back when it has joined anew: whoever has its key from before is not. */
const mayReturn = ({ metadata, spec, status }: ContainerInstance): boolean =>
  spec.deregister === undefined && metadata.deletionTimestamp === undefined && status?.publicKey === undefined;

/** Whether the instance's id was made from its machine's, as with every machine that joins. */
export const hasJoined = ({ instance, namespace, machineId }: SyncRequest): boolean =>
  machineId !== undefined && instanceIdOf(namespace, machineId) === instance;

/** A session opens: what the agent says of its machine, connected, and the next epoch, above that of the store and the
 *  agent's own (of which the store may have been restored from before). */
export function registered(
  instance: ContainerInstance,
  request: SyncRequest,
  arns: Arns,
  nowMs: number,
): ContainerInstanceStatus {
  const { metadata, spec, status = {} } = instance;
  const anew = status.status === "INACTIVE" && mayReturn(instance);
  const { state: begun } = advanceContainerInstance(status.status ?? "REGISTERING", anew ? "JOINED" : "RETRIED");
  const { state } = advanceContainerInstance(begun, "REGISTERED");
  const hasLeft = state === "INACTIVE";
  const { disconnectedAt: _, deregisteredAt, portRange: __, statusReason, ...kept } = status;
  // That of a machine which has joined is what its id is made of, and not the agent's to choose.
  const machineId = (status.publicKey && status.machineId) ?? request.machineId ?? status.machineId;
  return said(
    instance,
    {
      ...kept,
      ...(statusReason !== undefined && (hasLeft || state === "DEREGISTERING") && { statusReason }),
      ...(deregisteredAt !== undefined && hasLeft && { deregisteredAt }),
      containerInstanceArn: arns.containerInstance(clusterNameOf(spec.cluster), metadata.name),
      // A machine's own id where there is no cloud that gives it one.
      ec2InstanceId: status.ec2InstanceId ?? request.hostname,
      ...(machineId !== undefined && { machineId }),
      ...(request.bootId !== undefined && { bootId: request.bootId }),
      hostname: request.hostname,
      address: request.address,
      ...(request.portRange !== undefined && { portRange: request.portRange }),
      status: isDrainWanted(spec, nowMs) ? advanceContainerInstance(state, "DRAIN").state : state,
      agentConnected: !hasLeft,
      epoch: Math.max(status.epoch ?? 0, request.epoch ?? 0) + 1,
      versionInfo: {
        agentVersion: request.agentVersion,
        agentHash: request.agentHash ?? "",
        ...(request.dockerVersion !== undefined && { dockerVersion: `DockerVersion: ${request.dockerVersion}` }),
      },
      registeredResources: request.resources,
      remainingResources: status.remainingResources ?? request.resources,
      attributes: request.attributes,
      runningTasksCount: status.runningTasksCount ?? 0,
      pendingTasksCount: status.pendingTasksCount ?? 0,
      registeredAt: (anew ? undefined : status.registeredAt) ?? isoOf(nowMs),
      // A stranger with its identity was turned away lately, and may still be there: `rivals.ts` takes that back.
      conditions: refusedAs(status) === "Cloned" ? status.conditions : removeCondition(status.conditions, REFUSED),
    },
    nowMs,
  );
}

const REFUSED = "Refused";
const refusedAs = ({ conditions }: ContainerInstanceStatus): string | undefined => {
  const condition = getCondition(conditions, REFUSED);
  return condition?.status === "True" ? condition.reason : undefined;
};

/** Its registration was refused; undefined where it is said already. One that has yet to register has failed. */
export function refused(
  instance: ContainerInstance,
  { reason, message }: Pick<Refused, "reason" | "message">,
  nowMs: number,
): ContainerInstanceStatus | undefined {
  const { status = {}, metadata } = instance;
  const { state } = advanceContainerInstance(status.status ?? "REGISTERING", "REGISTRATION_FAILED");
  const conditions = setCondition(
    status.conditions,
    { type: REFUSED, status: "True", reason, message, observedGeneration: metadata.generation },
    nowMs,
  );
  if (conditions === status.conditions && state === status.status) return undefined;
  const failed = state === "REGISTRATION_FAILED";
  return said(instance, { ...status, status: state, conditions, ...(failed && { statusReason: message }) }, nowMs);
}

/** The stranger with its identity is not heard of any more. */
export function undisturbed(instance: ContainerInstance, nowMs: number): ContainerInstanceStatus | undefined {
  const { status = {} } = instance;
  if (refusedAs(status) !== "Cloned") return undefined;
  return said(instance, { ...status, conditions: removeCondition(status.conditions, REFUSED) }, nowMs);
}
