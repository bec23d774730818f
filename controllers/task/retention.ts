// How many stopped tasks a cluster keeps as objects (decision A29). Keys are those of clusters.

import { controllerOf, parseKey } from "../../api/references.js";
import type { Task } from "../../api/types.gen.js";
import { done } from "../../client/work-queue.js";
import type { Deps, Reconcile } from "../deps.js";
import { LABEL } from "../labels.js";
import { inParallel } from "../parallel.js";
import { removeTask } from "../taskset/retention.js";
import { isStopped } from "./view.js";

const KEPT_PER_CLUSTER = 1_000;

/** Somebody made it who does not miss it: a task set, or `davit run`. One that a manifest declares stays. */
export const isRemovable = (task: Task): boolean =>
  isStopped(task) && (controllerOf(task) !== undefined || task.metadata.labels?.[LABEL.run] !== undefined);

/** @param keptByDefault where the cluster says nothing else in `stoppedTaskRetention` */
export function createRetentionReconciler({ world }: Deps, keptByDefault = KEPT_PER_CLUSTER): Reconcile {
  return async (clusterKey, client) => {
    const { namespace, name } = parseKey(clusterKey);
    const kept = world.cluster(namespace, name)?.spec.stoppedTaskRetention?.perCluster ?? keptByDefault;
    const stopped = [...world.removableTasks(clusterKey)];
    // Some more than are kept, so that not each further one is a reason to sort them all.
    if (stopped.length <= kept + kept / 10) return done();
    const newestFirst = stopped.sort((a, b) => ((a.status?.stoppedAt ?? "") < (b.status?.stoppedAt ?? "") ? 1 : -1));
    await inParallel(newestFirst.slice(kept), (task) => removeTask(client, task));
    return done();
  };
}
