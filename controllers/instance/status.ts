// A container instance's status. Pure; the version rises by one with each change that is written (07-55).
import type { Arns } from "../../api/arn.js";
import { setCondition } from "../../api/conditions.js";
import { clusterNameOf } from "../../api/names.js";
import type { ContainerInstance, ContainerInstanceStatus, Resource } from "../../api/types.gen.js";
import type { SyncRequest } from "../../bus/messages.js";
import { advanceContainerInstance } from "../../state-machines/container-instance.js";
import { ignoredCondition } from "../ignored.js";
import { isDrainWanted } from "./drain.js";

/** A session opens: what the agent says of its machine, connected, and the next epoch. */
export function registered(
  instance: ContainerInstance,
  request: SyncRequest,
  arns: Arns,
  nowMs: number,
): ContainerInstanceStatus {
  const { metadata, spec, status = {} } = instance;
  const state = status.status === undefined || status.status === "INACTIVE" ? "REGISTERING" : status.status;
  const active = advanceContainerInstance(state, "REGISTERED").state;
  return ready(
    instance,
    {
      ...status,
      containerInstanceArn: arns.containerInstance(clusterNameOf(spec.cluster), metadata.name),
      // A machine's own id where there is no cloud that gives it one.
      ec2InstanceId: status.ec2InstanceId ?? request.hostname,
      hostname: request.hostname,
      address: request.address,
      status: isDrainWanted(spec, nowMs) ? advanceContainerInstance(active, "DRAIN").state : active,
      agentConnected: true,
      epoch: (status.epoch ?? 0) + 1,
      versionInfo: {
        agentVersion: request.agentVersion,
        agentHash: status.versionInfo?.agentHash ?? "",
        ...(request.dockerVersion !== undefined && { dockerVersion: `DockerVersion: ${request.dockerVersion}` }),
      },
      registeredResources: request.resources,
      remainingResources: status.remainingResources ?? request.resources,
      attributes: request.attributes,
      runningTasksCount: status.runningTasksCount ?? 0,
      pendingTasksCount: status.pendingTasksCount ?? 0,
      registeredAt: status.registeredAt ?? new Date(nowMs).toISOString(),
    },
    nowMs,
  );
}

/** Undefined where it is said already. */
export function connected(
  instance: ContainerInstance,
  agentConnected: boolean,
  nowMs: number,
): ContainerInstanceStatus | undefined {
  const { status = {} } = instance;
  if (status.agentConnected === agentConnected) return undefined;
  return ready(instance, { ...status, agentConnected }, nowMs);
}

/** What an operator wants of the machine, as far as it is not so already. */
export function asWanted(instance: ContainerInstance, nowMs: number): ContainerInstanceStatus | undefined {
  const { spec, status } = instance;
  if (status?.status === undefined) return undefined;
  const moved = advanceContainerInstance(status.status, isDrainWanted(spec, nowMs) ? "DRAIN" : "ACTIVATE");
  if (!moved.moved) return undefined;
  return ready(instance, { ...status, status: moved.state }, nowMs);
}

export interface Load {
  remaining: Resource[] | undefined;
  running: number;
  pending: number;
}

/** What its tasks hold of it. Undefined where it is said already. */
export function loaded(
  instance: ContainerInstance,
  { remaining, running, pending }: Load,
  nowMs: number,
): ContainerInstanceStatus | undefined {
  const { status } = instance;
  if (status?.registeredResources === undefined) return undefined;
  const remainingResources = remaining ?? status.remainingResources;
  if (
    status.runningTasksCount === running &&
    status.pendingTasksCount === pending &&
    JSON.stringify(status.remainingResources) === JSON.stringify(remainingResources)
  ) {
    return undefined;
  }
  return ready(
    instance,
    { ...status, remainingResources, runningTasksCount: running, pendingTasksCount: pending },
    nowMs,
  );
}

function ready(
  { metadata: { generation: observedGeneration }, spec }: ContainerInstance,
  status: ContainerInstanceStatus,
  nowMs: number,
): ContainerInstanceStatus {
  const condition = status.agentConnected
    ? { status: "True" as const, reason: status.status === "DRAINING" ? "Draining" : "Connected", message: "" }
    : { status: "False" as const, reason: "AgentDisconnected", message: "The agent has not been heard of." };
  return {
    ...status,
    observedGeneration,
    version: (status.version ?? 0) + 1,
    conditions: ignoredCondition(
      setCondition(status.conditions, { type: "Ready", ...condition, observedGeneration }, nowMs),
      "ContainerInstance",
      spec,
      observedGeneration,
      nowMs,
    ),
  };
}
