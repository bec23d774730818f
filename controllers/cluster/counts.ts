// What a cluster holds, in numbers, with ECS's names. Pure.
import type { ClusterStatus, ContainerInstance, LaunchType, Service } from "../../api/types.gen.js";
import { countsInMetrics } from "../../api/utilization.js";
import { launchTypeOf, type TasksByLaunchType } from "./tally.js";

export interface Held {
  /** Also those that are being deleted. */
  services: readonly Service[];
  /** Also those that have left. */
  instances: readonly ContainerInstance[];
  tasks: TasksByLaunchType;
}

export type ClusterCounts = Required<
  Pick<
    ClusterStatus,
    | "registeredContainerInstancesCount"
    | "runningTasksCount"
    | "pendingTasksCount"
    | "activeServicesCount"
    | "statistics"
  >
>;

/** The same machines as in the cluster's metrics. */
const isRegistered = ({ status }: ContainerInstance): boolean =>
  countsInMetrics({ status: status?.status ?? "REGISTERING" });

/** A service that is being deleted is DRAINING until its tasks have stopped. */
export const isActiveService = ({ metadata }: Service): boolean => metadata.deletionTimestamp === undefined;

/** As statistics name them. */
const WORDS: Readonly<Record<LaunchType, string>> = {
  EC2: "EC2",
  FARGATE: "Fargate",
  EXTERNAL: "External",
  MANAGED_INSTANCES: "ManagedInstances",
};

export function clusterCounts({ services, instances, tasks }: Held): ClusterCounts {
  let [running, pending] = [0, 0];
  for (const count of tasks.values()) {
    running += count.running;
    pending += count.pending;
  }
  return {
    registeredContainerInstancesCount: instances.filter(isRegistered).length,
    runningTasksCount: running,
    pendingTasksCount: pending,
    activeServicesCount: services.filter(isActiveService).length,
    statistics: statisticsOf(services, tasks),
  };
}

/** Tasks and services are counted apart by launch type (01-26). */
function statisticsOf(services: readonly Service[], tasks: TasksByLaunchType): { name: string; value: string }[] {
  const count = { active: new Map<LaunchType, number>(), draining: new Map<LaunchType, number>() };
  for (const service of services) {
    const counts = isActiveService(service) ? count.active : count.draining;
    const launchType = launchTypeOf(service.spec);
    counts.set(launchType, (counts.get(launchType) ?? 0) + 1);
  }
  const statistics: { name: string; value: string }[] = [];
  const add = (name: (word: string) => string, value: (launchType: LaunchType) => number | undefined): void => {
    for (const launchType of Object.keys(WORDS) as LaunchType[])
      statistics.push({ name: name(WORDS[launchType]), value: String(value(launchType) ?? 0) });
  };
  add(
    (word) => `running${word}TasksCount`,
    (launchType) => tasks.get(launchType)?.running,
  );
  add(
    (word) => `pending${word}TasksCount`,
    (launchType) => tasks.get(launchType)?.pending,
  );
  add(
    (word) => `active${word}ServiceCount`,
    (launchType) => count.active.get(launchType),
  );
  add(
    (word) => `draining${word}ServiceCount`,
    (launchType) => count.draining.get(launchType),
  );
  return statistics;
}
