// What brings a machine up to be looked at, besides its own changes: what its tasks do, and what those who own them
// want to happen to them while it is not heard of.
import { clusterNameOf, clusterNameOfObject } from "../../api/names.js";
import { controllerOf, keyOf } from "../../api/references.js";
import type { Task } from "../../api/types.gen.js";
import { keyOfObject, type Source, source } from "../../client/controller.js";
import { isSamePolicy } from "../lost/lost.js";
import type { World } from "../world.js";

export const instanceSources = (world: World): readonly Source[] => [
  source(world.informers.ContainerInstance, (instance) => [keyOfObject(instance)]),
  source(world.informers.Task, ({ metadata, spec: { containerInstance } }) =>
    containerInstance === undefined ? [] : [`${metadata.namespace}/${containerInstance}`],
  ),
  policySource(world),
  deploymentSource(world),
];

/** Keys of the machines of a cluster whose agents are not heard. */
export const lostMachines = (world: World, namespace: string, cluster: string): string[] =>
  world.informers.ContainerInstance.list(namespace)
    .filter(({ spec, status }) => status?.agentConnected === false && clusterNameOf(spec.cluster) === cluster)
    .map(keyOfObject);

/** Tells which tasks' policy for lost machines may have changed. */
export function onPolicyChange(world: World, changed: (tasks: Iterable<Task>) => void): () => void {
  const { Service, Cluster, Task } = world.informers;
  const off = [
    Service.on({
      updated(service, before) {
        if (!isSamePolicy(service.spec.lostInstances, before.spec.lostInstances))
          changed(world.tasksOfService(service.metadata));
      },
    }),
    Cluster.on({
      updated(cluster, before) {
        if (isSamePolicy(cluster.spec.lostInstances, before.spec.lostInstances)) return;
        const name = clusterNameOfObject(cluster);
        changed(Task.list(cluster.metadata.namespace).filter(({ spec }) => clusterNameOf(spec.cluster) === name));
      },
    }),
  ];
  return () => {
    for (const each of off) each();
  };
}

const policySource = (world: World): Source => ({
  informer: world.informers.Service,
  connect: (add) =>
    onPolicyChange(world, (tasks) => {
      const machines = new Set<string>();
      for (const { metadata, spec } of tasks)
        if (spec.containerInstance !== undefined) machines.add(`${metadata.namespace}/${spec.containerInstance}`);
      machines.forEach(add);
    }),
});

/** A deployment that is not the present one any more does not want its tasks back. */
const deploymentSource = (world: World): Source => ({
  informer: world.informers.TaskSet,
  connect: (add) =>
    world.informers.TaskSet.on({
      updated({ metadata, spec }, before) {
        if (spec.role === before.spec.role && metadata.deletionTimestamp === before.metadata.deletionTimestamp) return;
        const { namespace } = metadata;
        for (const task of world.tasksOfService({ namespace, name: spec.service })) {
          const { containerInstance: name } = task.spec;
          if (name === undefined || controllerOf(task)?.uid !== metadata.uid) continue;
          const instance = world.informers.ContainerInstance.get({ namespace, name });
          if (instance?.status?.agentConnected === false) add(keyOf({ namespace, name }));
        }
      },
    }),
});
