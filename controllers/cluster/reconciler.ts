// A cluster's status: ACTIVE, its ARN, and the four counters (spec/09 §2.1), at most once a second.
import type { Arns } from "../../api/arn.js";
import { setCondition } from "../../api/conditions.js";
import { clusterNameOf, clusterNameOfObject } from "../../api/names.js";
import { parseKey } from "../../api/references.js";
import type { Cluster, ClusterStatus, Task } from "../../api/types.gen.js";
import { again, done } from "../../client/work-queue.js";
import type { Deps, Reconcile } from "../deps.js";
import { ignoredCondition } from "../ignored.js";
import { createPace } from "../pace.js";
import { isPending, isRunning, isStopped } from "../task/view.js";
import { clusterObjectKey } from "./keys.js";

const STATUS_GAP_MS = 1_000;

export interface ClusterCounts {
  registeredContainerInstancesCount: number;
  runningTasksCount: number;
  pendingTasksCount: number;
  activeServicesCount: number;
}

/** Undefined where it is said already. */
export function clusterStatus(
  { metadata, spec, status = {} }: Cluster,
  counts: ClusterCounts,
  arns: Arns,
  nowMs: number,
): ClusterStatus | undefined {
  const { generation: observedGeneration } = metadata;
  const ready = { type: "Ready", status: "True" as const, reason: "Active", message: "" };
  const next: ClusterStatus = {
    ...status,
    observedGeneration,
    clusterArn: arns.cluster(clusterNameOfObject({ metadata, spec })),
    status: "ACTIVE",
    ...counts,
    conditions: ignoredCondition(
      setCondition(status.conditions, { ...ready, observedGeneration }, nowMs),
      "Cluster",
      spec,
      observedGeneration,
      nowMs,
    ),
  };
  const fields = Object.keys(next) as (keyof ClusterStatus)[];
  return fields.every((field) => status[field] === next[field]) ? undefined : next;
}

/** Running and pending tasks by cluster object, kept by what changes: no look at all tasks is ever needed. */
export interface TaskTally {
  changed(before: Task | undefined, after: Task | undefined): void;
  of(clusterKey: string): { running: number; pending: number };
}

export function createTaskTally(onChange: (clusterKey: string) => void): TaskTally {
  const counts = new Map<string, { running: number; pending: number }>();
  const count = (task: Task | undefined, by: 1 | -1): string | undefined => {
    if (task === undefined || isStopped(task)) return undefined;
    const key = clusterObjectKey(task.metadata.namespace, task.spec.cluster);
    const tally = counts.get(key) ?? { running: 0, pending: 0 };
    if (isRunning(task)) tally.running += by;
    else if (isPending(task)) tally.pending += by;
    counts.set(key, tally);
    return key;
  };
  return {
    changed(before, after) {
      if (before?.status?.lastStatus === after?.status?.lastStatus && before && after) return;
      for (const key of new Set([count(before, -1), count(after, 1)])) if (key !== undefined) onChange(key);
    },
    of: (key) => counts.get(key) ?? { running: 0, pending: 0 },
  };
}

export function createClusterReconciler({ world, objects, now, arnsOf }: Deps, tally: TaskTally): Reconcile {
  const pace = createPace(now);
  return async (key, client) => {
    const ref = parseKey(key);
    const cluster = world.informers.Cluster.get(ref);
    if (cluster === undefined) return done();
    const waitMs = pace.wait(key);
    if (waitMs > 0) return again(waitMs);
    const name = clusterNameOfObject(cluster);
    const { running, pending } = tally.of(key);
    const counts: ClusterCounts = {
      registeredContainerInstancesCount: world.informers.ContainerInstance.list(ref.namespace).filter(
        ({ spec, status }) => clusterNameOf(spec.cluster) === name && status?.status !== "INACTIVE",
      ).length,
      runningTasksCount: running,
      pendingTasksCount: pending,
      activeServicesCount: world
        .servicesOfCluster(ref.namespace, name)
        .filter(({ metadata }) => metadata.deletionTimestamp === undefined).length,
    };
    const make = (current: Cluster) => clusterStatus(current, counts, arnsOf(ref.namespace), now());
    if (make(objects.newest("Cluster", ref) ?? cluster) === undefined) return done();
    pace.did(key, STATUS_GAP_MS);
    await objects.changeStatus("Cluster", ref, make, client);
    return done();
  };
}
