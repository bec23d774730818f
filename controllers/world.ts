// What controllers see: an informer for each kind, with the indexes by which they look.

import type { Log } from "../api/log.js";
import { clusterNameOf, objectName, parseRevisionReference } from "../api/names.js";
import { controllerOf, keyOf } from "../api/references.js";
import type {
  Cluster,
  ContainerInstance,
  Kind,
  Kinds,
  Service,
  Task,
  TaskDefinition,
  TaskDefinitionRevision,
  TaskDefinitionRevisionSpec,
  TaskSet,
} from "../api/types.gen.js";
import { createInformer, type Informer } from "../client/informer.js";
import type { ObjectClient, Ref } from "../client/object-client.js";
import { clusterKey } from "./cluster/keys.js";
import { isLeaving, isSilent } from "./instance/drain.js";
import { LABEL, labelValue } from "./labels.js";
import { isUnconfirmed } from "./task/lost.js";
import { isRemovable } from "./task/retention.js";
import { isStopped, isWaiting } from "./task/view.js";

export type Informers = { readonly [K in Kind]: Informer<Kinds[K]> };

export interface World {
  readonly informers: Informers;
  cluster(namespace: string, name: string | undefined): Cluster | undefined;
  definitionOfFamily(namespace: string, family: string): TaskDefinition | undefined;
  /** `family:N` */
  revision(namespace: string, name: string): TaskDefinitionRevision | undefined;
  revisionsOf(namespace: string, family: string): readonly TaskDefinitionRevision[];
  /** What a task runs, once that is resolved. */
  definitionOf(task: Task): TaskDefinitionRevisionSpec | undefined;
  servicesOfFamily(namespace: string, family: string): readonly Service[];
  servicesOfCluster(namespace: string, cluster: string): readonly Service[];
  taskSetsOf(service: Ref): readonly TaskSet[];
  taskSetOf(task: Task): TaskSet | undefined;
  /** Of all its task sets, also of those that are gone already; stopped ones too. */
  tasksOfService(service: Ref): readonly Task[];
  /** Bound to this machine and not STOPPED. */
  tasksOn(instance: Ref): readonly Task[];
  /** STOPPED, and its machine has not said yet that its containers are gone. */
  unconfirmedTasks(instance: Ref): readonly Task[];
  instanceOf(task: Task): ContainerInstance | undefined;
  /** Those of a cluster (`<namespace>/<cluster>`) that drain, leave or are silent. */
  machinesApart(clusterKey: string): readonly ContainerInstance[];
  /** Without a machine yet. `clusterKey`: `<namespace>/<cluster>`. */
  waitingTasks(clusterKey: string): readonly Task[];
  /** Stopped tasks that nobody would miss. */
  removableTasks(clusterKey: string): readonly Task[];
}

/** Index values of names within a namespace. */
const within = (namespace: string, name: string): string => `${namespace}/${name}`;
const familyIn = (namespace: string, reference: string): readonly string[] => {
  const family = parseRevisionReference(reference)?.family;
  return family === undefined ? [] : [within(namespace, family)];
};

/** Informers start at once, and end with the signal. */
export function createWorld(options: {
  client: ObjectClient;
  signal: AbortSignal;
  log: Log;
  random: () => number;
}): World {
  const { client, ...rest } = options;
  const informers: Informers = {
    Cluster: createInformer(client, "Cluster", rest),
    AccessToken: createInformer(client, "AccessToken", rest),
    TaskDefinition: createInformer(client, "TaskDefinition", rest),
    TaskDefinitionFamily: createInformer(client, "TaskDefinitionFamily", rest),
    TaskDefinitionRevision: createInformer(client, "TaskDefinitionRevision", {
      ...rest,
      indexes: { family: ({ metadata, spec }) => [within(metadata.namespace, spec.family)] },
    }),
    Service: createInformer(client, "Service", {
      ...rest,
      indexes: {
        family: ({ metadata, spec }) => familyIn(metadata.namespace, spec.taskDefinition ?? ""),
        cluster: ({ metadata, spec }) => [within(metadata.namespace, clusterNameOf(spec.cluster))],
      },
    }),
    TaskSet: createInformer(client, "TaskSet", {
      ...rest,
      indexes: { service: ({ metadata, spec }) => [within(metadata.namespace, spec.service)] },
    }),
    Task: createInformer(client, "Task", {
      ...rest,
      indexes: {
        service: (task) => {
          const service = task.metadata.labels?.[LABEL.service];
          return service !== undefined && controllerOf(task)?.kind === "TaskSet"
            ? [within(task.metadata.namespace, service)]
            : [];
        },
        waiting: (task) => (isWaiting(task) ? [clusterKey(task.metadata.namespace, task.spec.cluster)] : []),
        removable: (task) => (isRemovable(task) ? [clusterKey(task.metadata.namespace, task.spec.cluster)] : []),
        unconfirmed: (task) =>
          isUnconfirmed(task) && task.spec.containerInstance !== undefined
            ? [within(task.metadata.namespace, task.spec.containerInstance)]
            : [],
        instance: (task) => {
          const { containerInstance } = task.spec;
          return containerInstance === undefined || isStopped(task)
            ? []
            : [within(task.metadata.namespace, containerInstance)];
        },
      },
    }),
    ContainerInstance: createInformer(client, "ContainerInstance", {
      ...rest,
      indexes: {
        name: ({ metadata }) => [metadata.name],
        apart: (instance) =>
          isLeaving(instance) || isSilent(instance)
            ? [clusterKey(instance.metadata.namespace, instance.spec.cluster)]
            : [],
      },
    }),
  };
  const revision = (namespace: string, name: string): TaskDefinitionRevision | undefined => {
    const colon = name.lastIndexOf(":");
    const objectNamed = `${objectName(name.slice(0, colon))}.${name.slice(colon + 1)}`;
    return informers.TaskDefinitionRevision.get({ namespace, name: objectNamed });
  };
  return {
    informers,
    cluster: (namespace, name) => informers.Cluster.get({ namespace, name: objectName(clusterNameOf(name)) }),
    definitionOfFamily: (namespace, family) => informers.TaskDefinition.get({ namespace, name: objectName(family) }),
    revision,
    revisionsOf: (namespace, family) => informers.TaskDefinitionRevision.byIndex("family", within(namespace, family)),
    definitionOf: ({ metadata, status }) =>
      status?.taskDefinition === undefined ? undefined : revision(metadata.namespace, status.taskDefinition)?.spec,
    servicesOfFamily: (namespace, family) => informers.Service.byIndex("family", within(namespace, family)),
    servicesOfCluster: (namespace, cluster) => informers.Service.byIndex("cluster", within(namespace, cluster)),
    taskSetsOf: (service) => informers.TaskSet.byIndex("service", keyOf(service)),
    taskSetOf(task) {
      const owner = controllerOf(task);
      return owner?.kind === "TaskSet"
        ? informers.TaskSet.get({ namespace: task.metadata.namespace, name: owner.name })
        : undefined;
    },
    tasksOfService: ({ namespace, name }) => informers.Task.byIndex("service", within(namespace, labelValue(name))),
    unconfirmedTasks: (instance) => informers.Task.byIndex("unconfirmed", keyOf(instance)),
    tasksOn: (instance) => informers.Task.byIndex("instance", keyOf(instance)),
    waitingTasks: (key) => informers.Task.byIndex("waiting", key),
    removableTasks: (key) => informers.Task.byIndex("removable", key),
    machinesApart: (key) => informers.ContainerInstance.byIndex("apart", key),
    instanceOf({ metadata, spec }) {
      const { containerInstance: name } = spec;
      return name === undefined ? undefined : informers.ContainerInstance.get({ namespace: metadata.namespace, name });
    },
  };
}
