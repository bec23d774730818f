// Running and pending tasks by cluster and launch type, kept by what changes: no look at all tasks is ever needed.
import type { LaunchType, Task } from "../../api/types.gen.js";
import { isPending, isRunning, isStopped } from "../task/view.js";
import { clusterObjectKey } from "./keys.js";

export interface TaskCount {
  running: number;
  pending: number;
}
export type TasksByLaunchType = ReadonlyMap<LaunchType, Readonly<TaskCount>>;

export interface TaskTally {
  changed(before: Task | undefined, after: Task | undefined): void;
  /** @param clusterKey `<namespace>/<metadata.name>` of the Cluster object */
  of(clusterKey: string): TasksByLaunchType;
}

/** ECS's own default. */
export const launchTypeOf = ({ launchType }: { launchType?: LaunchType }): LaunchType => launchType ?? "EC2";

const NONE: TasksByLaunchType = new Map();

export function createTaskTally(onChange: (clusterKey: string) => void): TaskTally {
  const counts = new Map<string, Map<LaunchType, TaskCount>>();

  const slot = (key: string, launchType: LaunchType): TaskCount => {
    const known = counts.get(key) ?? new Map<LaunchType, TaskCount>();
    counts.set(key, known);
    const count = known.get(launchType) ?? { running: 0, pending: 0 };
    known.set(launchType, count);
    return count;
  };
  const count = (task: Task | undefined, by: 1 | -1): string | undefined => {
    if (task === undefined || isStopped(task)) return undefined;
    const key = clusterObjectKey(task.metadata.namespace, task.spec.cluster);
    const tally = slot(key, launchTypeOf(task.spec));
    if (isRunning(task)) tally.running += by;
    else if (isPending(task)) tally.pending += by;
    return key;
  };
  return {
    changed(before, after) {
      if (before?.status?.lastStatus === after?.status?.lastStatus && before && after) return;
      for (const key of new Set([count(before, -1), count(after, 1)])) if (key !== undefined) onChange(key);
    },
    of: (key) => counts.get(key) ?? NONE,
  };
}
