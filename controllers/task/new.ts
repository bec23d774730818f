// Tasks as they are made, and their first status. Pure.
import { type Arns, ecsId } from "../../api/arn.js";
import { clusterNameOf } from "../../api/names.js";
import { controllerReference } from "../../api/references.js";
import type {
  ContainerInstance,
  New,
  Service,
  TaskContainer,
  TaskDefinitionRevision,
  TaskDefinitionRevisionSpec,
  TaskSet,
  TaskStatus,
} from "../../api/types.gen.js";
import { initialTaskState } from "../../state-machines/task.js";
import { ANNOTATION, FINALIZER, LABEL, labelValue } from "../labels.js";
import { nameOfRevision } from "../service/resolve.js";
import type { Start } from "../taskset/slots.js";
import { notPlaced, placed, readyCondition } from "./status.js";
import { type GivenTags, serviceTaskTags } from "./tags.js";

export interface FirstStatus {
  uid: string;
  cluster: string;
  group: string;
  revision: TaskDefinitionRevision;
  /** The machine it is bound to; or why there is none. */
  place: { instance: ContainerInstance | undefined } | { reason?: string; message: string };
  createdAt: string;
  generation: number;
  nowMs: number;
  arns: Arns;
  tags?: GivenTags;
}

/** PENDING on its machine, or PROVISIONING with the reason (decision A8). Version 1. */
export function firstStatus({ place, revision, ...of }: FirstStatus): TaskStatus {
  const bound = "instance" in place;
  const status: TaskStatus = {
    observedGeneration: of.generation,
    taskArn: of.arns.task(of.cluster, ecsId(of.uid)),
    clusterArn: of.arns.cluster(of.cluster),
    taskDefinitionArn: of.arns.taskDefinition(revision.spec.family, revision.spec.revision),
    taskDefinition: nameOfRevision(revision),
    lastStatus: initialTaskState(bound),
    desiredStatus: "RUNNING",
    version: 1,
    healthStatus: "UNKNOWN",
    group: of.group,
    containers: newContainers(revision.spec),
    createdAt: of.createdAt,
    ...(revision.spec.cpu !== undefined && { cpu: revision.spec.cpu }),
    ...(revision.spec.memory !== undefined && { memory: revision.spec.memory }),
    ...of.tags,
  };
  if (bound) Object.assign(status, onInstance(place.instance, of.cluster, of.arns));
  status.conditions = bound
    ? placed(status, of.generation, of.nowMs)
    : notPlaced(status, place, of.generation, of.nowMs);
  status.conditions = readyCondition(status, of.generation, of.nowMs);
  return status;
}

/** What a task's status says of its machine. */
export function onInstance(instance: ContainerInstance | undefined, cluster: string, arns: Arns): Partial<TaskStatus> {
  if (instance === undefined) return { connectivity: "CONNECTED" };
  const { metadata, status = {} } = instance;
  return {
    containerInstanceArn: arns.containerInstance(cluster, metadata.name),
    connectivity: status.agentConnected === false ? "DISCONNECTED" : "CONNECTED",
    host: status.hostname ?? metadata.name,
  };
}

/** Shared by all tasks of a revision until something happens to them. */
const containersOf = new WeakMap<TaskDefinitionRevisionSpec, TaskContainer[]>();
function newContainers(definition: TaskDefinitionRevisionSpec): TaskContainer[] {
  const known = containersOf.get(definition);
  if (known !== undefined) return known;
  const containers = definition.containerDefinitions.map(
    ({ name, image, cpu, memory, memoryReservation }): TaskContainer => ({
      name,
      image,
      lastStatus: "PENDING",
      healthStatus: "UNKNOWN",
      networkBindings: [],
      ...(cpu !== undefined && { cpu: String(cpu) }),
      ...(memory !== undefined && { memory: String(memory) }),
      ...(memoryReservation !== undefined && { memoryReservation: String(memoryReservation) }),
    }),
  );
  containersOf.set(definition, containers);
  return containers;
}

/** The group of a service's tasks (spec/06 §5). */
export const serviceGroup = (serviceName: string): string => `service:${serviceName}`;

export interface ServiceTask extends Start {
  set: TaskSet;
  service: Service;
  /** The deployment's id. */
  startedBy: string;
  group: string;
  name: string;
  uid: string;
  revision: TaskDefinitionRevision;
  place: { name: string; instance: ContainerInstance | undefined } | { message: string };
  nowMs: number;
  arns: Arns;
}

function annotationsOf({ attempt, standsInFor }: Start): Partial<Pick<New<"Task">["metadata"], "annotations">> {
  if (attempt === 0 && standsInFor === undefined) return {};
  const annotations = {
    ...(attempt > 0 && { [ANNOTATION.attempt]: String(attempt) }),
    ...(standsInFor !== undefined && { [ANNOTATION.standsInFor]: standsInFor }),
  };
  return { annotations };
}

export function serviceTask(parts: ServiceTask): New<"Task"> {
  const { set, service, slot, name, uid, revision, place, group, startedBy, nowMs, arns } = parts;
  const { namespace } = set.metadata;
  const { launchType, placementConstraints, placementStrategy, networkConfiguration } = set.spec;
  const cluster = clusterNameOf(set.spec.cluster);
  const { tags, ...given } = serviceTaskTags(service, revision);
  return {
    apiVersion: "davit.dev/v1",
    kind: "Task",
    metadata: {
      name,
      namespace,
      uid,
      labels: {
        [LABEL.cluster]: labelValue(cluster),
        [LABEL.service]: labelValue(service.metadata.name),
        [LABEL.taskSet]: labelValue(set.metadata.name),
        [LABEL.slot]: String(slot),
      },
      ...annotationsOf(parts),
      ownerReferences: [controllerReference(set)],
      finalizers: [FINALIZER.task],
    },
    spec: {
      cluster,
      taskDefinition: nameOfRevision(revision),
      group,
      startedBy,
      desiredStatus: "RUNNING",
      ...("name" in place && { containerInstance: place.name }),
      ...(launchType && { launchType }),
      ...(placementConstraints && { placementConstraints }),
      ...(placementStrategy && { placementStrategy }),
      ...(networkConfiguration && { networkConfiguration }),
      ...(tags && { tags }),
    },
    status: firstStatus({
      uid,
      cluster,
      group,
      revision,
      place,
      createdAt: new Date(nowMs).toISOString(),
      generation: 1,
      nowMs,
      arns,
      tags: given,
    }),
  };
}
