// Objects as events show them: in the shapes of ECS's describe calls, with one block of Davit's own.

import { ecsId } from "../api/arn.js";
import type { Condition } from "../api/meta.js";
import { clusterNameOf, clusterNameOfObject, familyOf } from "../api/names.js";
import { tagsOf } from "../api/tags.js";
import type { ContainerInstance, ContainerInstanceStatus, Kind, Kinds, Task, TaskContainer } from "../api/types.gen.js";
import type { EventDavit } from "../bus/event-messages.js";
import type { EventAddress } from "../bus/subjects.js";

export type AnyObject = Kinds[Kind];

/** Where the events of an object go. */
export function addressOf(object: AnyObject): EventAddress {
  const { namespace, name } = object.metadata;
  const at = (cluster: string, group: string, id = name) => ({ namespace, cluster, kind: object.kind, group, id });
  switch (object.kind) {
    case "Task":
      return at(clusterNameOf(object.spec.cluster), object.status?.group ?? object.spec.group ?? "", uidHex(object));
    case "Service":
      return at(clusterNameOf(object.spec.cluster), `service:${object.spec.serviceName ?? name}`);
    case "TaskSet":
      return at(clusterNameOf(object.spec.cluster), `service:${object.spec.service}`);
    case "ContainerInstance":
      return at(clusterNameOf(object.spec.cluster), "");
    case "Cluster":
      return at(clusterNameOfObject(object), "");
    case "AccessToken":
      return at(object.spec.cluster ?? "", "");
    case "TaskDefinition":
      return at("", `family:${familyOf(object)}`);
    case "TaskDefinitionFamily":
    case "TaskDefinitionRevision":
      return at("", `family:${object.spec.family}`);
  }
}

/** A task's ECS id; for any object, what tells it from a successor of the same name. */
export const uidHex = (object: AnyObject): string => ecsId(object.metadata.uid);

/** ECS counts the versions of these itself, in their status. */
export const ownVersion = (object: AnyObject): number | undefined =>
  object.kind === "Task" || object.kind === "ContainerInstance" ? (object.status?.version ?? 0) : undefined;

export const detailType = (kind: Kind): string =>
  kind === "Task"
    ? "ECS Task State Change"
    : kind === "ContainerInstance"
      ? "ECS Container Instance State Change"
      : `Davit ${kind} State Change`;

export function arnOf(object: AnyObject): string | undefined {
  switch (object.kind) {
    case "Task":
      return object.status?.taskArn;
    case "ContainerInstance":
      return object.status?.containerInstanceArn;
    case "Cluster":
      return object.status?.clusterArn;
    case "Service":
      return object.status?.serviceArn;
    case "TaskSet":
      return object.status?.taskSetArn;
    case "TaskDefinition":
    case "TaskDefinitionRevision":
      return object.status?.taskDefinitionArn;
    case "TaskDefinitionFamily":
    case "AccessToken":
      return undefined;
  }
}

/** All of `detail` but what tells one delivery from another; an object of the caller's own. */
export function describe(object: AnyObject): Record<string, unknown> {
  switch (object.kind) {
    case "Task":
      return describeTask(object);
    case "ContainerInstance":
      return describeContainerInstance(object);
    case "TaskDefinitionFamily":
      return { ...object.spec };
    case "AccessToken": {
      const { hash, ...spec } = object.spec;
      return { ...spec, ...object.status };
    }
    default: {
      const { conditions, observedGeneration, ...status } = object.status ?? {};
      return { ...object.spec, ...status };
    }
  }
}

/** DescribeTasks' Task. Fields without a value stay out of the JSON; naming each costs a fraction of copying objects. */
function describeTask(task: Task): Record<string, unknown> {
  const { spec, status = {} } = task;
  return {
    attachments: status.attachments,
    attributes: status.attributes,
    availabilityZone: status.availabilityZone,
    capacityProviderName: status.capacityProviderName,
    clusterArn: status.clusterArn,
    connectivity: status.connectivity,
    connectivityAt: status.connectivityAt,
    containerInstanceArn: status.containerInstanceArn,
    containers: status.containers?.map((container) => describeContainer(container, status.taskArn)) ?? [],
    cpu: status.cpu,
    createdAt: status.createdAt,
    desiredStatus: status.desiredStatus ?? "RUNNING",
    enableExecuteCommand: spec.enableExecuteCommand,
    ephemeralStorage: status.ephemeralStorage,
    executionStoppedAt: status.executionStoppedAt,
    fargateEphemeralStorage: status.fargateEphemeralStorage,
    group: status.group ?? spec.group,
    healthStatus: status.healthStatus,
    inferenceAccelerators: status.inferenceAccelerators,
    lastStatus: status.lastStatus ?? "PROVISIONING",
    launchType: status.launchType ?? spec.launchType,
    memory: status.memory,
    overrides: spec.overrides ? { containerOverrides: [], ...spec.overrides } : { containerOverrides: [] },
    platformFamily: status.platformFamily,
    platformVersion: status.platformVersion ?? spec.platformVersion,
    pullStartedAt: status.pullStartedAt,
    pullStoppedAt: status.pullStoppedAt,
    startedAt: status.startedAt,
    startedBy: status.startedBy ?? spec.startedBy,
    stopCode: status.stopCode,
    stoppedAt: status.stoppedAt,
    stoppedReason: status.stoppedReason,
    stoppingAt: status.stoppingAt,
    tags: tagsOf(task),
    taskArn: status.taskArn,
    taskDefinitionArn: status.taskDefinitionArn,
  };
}
function describeContainer(container: TaskContainer, taskArn: string | undefined): Record<string, unknown> {
  return { ...container, taskArn };
}

const NO_INSTANCE_FIELDS: { [K in keyof ContainerInstanceStatus]?: undefined } = {
  conditions: undefined,
  observedGeneration: undefined,
  hostname: undefined,
  address: undefined,
  epoch: undefined,
};

/** DescribeContainerInstances' ContainerInstance. */
function describeContainerInstance({ spec, status = {} }: ContainerInstance): Record<string, unknown> {
  return {
    tags: spec.tags,
    status: "REGISTERING",
    agentConnected: false,
    ...status,
    ...NO_INSTANCE_FIELDS,
    attributes: status.attributes ?? [],
    registeredResources: status.registeredResources ?? [],
    remainingResources: status.remainingResources ?? [],
  };
}

/** @param addresses of the machines, by the name of their ContainerInstance */
export function davitBlock(object: AnyObject, addresses: ReadonlyMap<string, string>): EventDavit {
  const { name, namespace, uid } = object.metadata;
  const block: EventDavit = { kind: object.kind, namespace, name, uid };
  const reason = reasonOf(object);
  if (reason !== undefined) block.reason = reason;
  if (object.kind === "ContainerInstance") {
    if (object.status?.hostname !== undefined) block.host = object.status.hostname;
    if (object.status?.address !== undefined) block.hostAddress = object.status.address;
  }
  if (object.kind === "Task" && object.spec.containerInstance !== undefined) {
    block.containerInstance = object.spec.containerInstance;
    if (object.status?.host !== undefined) block.host = object.status.host;
    const address = addresses.get(machineKey(namespace, object.spec.containerInstance));
    if (address !== undefined) block.hostAddress = address;
  }
  return block;
}
export const machineKey = (namespace: string, name: string): string => `${namespace}/${name}`;

function reasonOf(object: AnyObject): string | undefined {
  if (object.kind === "TaskDefinitionFamily" || object.kind === "AccessToken") return undefined;
  const conditions: readonly Condition[] = object.status?.conditions ?? [];
  return conditions.find(({ status, type }) => status === "False" && type !== "Ready")?.reason ?? notReady(conditions);
}
const notReady = (conditions: readonly Condition[]): string | undefined =>
  conditions.find(({ status }) => status === "False")?.reason;
