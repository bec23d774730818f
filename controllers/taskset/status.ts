// A task set's status. Pure.
import type { Arns } from "../../api/arn.js";
import { setCondition } from "../../api/conditions.js";
import { clusterNameOf } from "../../api/names.js";
import type { TaskSet, TaskSetStatus } from "../../api/types.gen.js";
import { LABEL, labelValue } from "../labels.js";
import { deploymentId } from "../service/template.js";
import type { Counts } from "../task/view.js";

export interface TaskSetFacts {
  counts: Counts;
  serviceName: string;
  /** Failed starts in a row. */
  attempts: number;
  /** Why neither a start nor a stop is allowed, and nothing is under way. */
  stuck?: string;
  arns: Arns;
  nowMs: number;
}

/** Reason of `Ready=False`: the percents leave no room for any move. */
export const STUCK = "Stuck";

/** Undefined where it is said already. */
export function taskSetStatus(set: TaskSet, facts: TaskSetFacts): TaskSetStatus | undefined {
  const { metadata, spec, status = {} } = set;
  const { counts, arns, nowMs, serviceName } = facts;
  const cluster = clusterNameOf(spec.cluster);
  const id = deploymentId(metadata.uid);
  const steady = counts.healthy === spec.desiredCount && counts.alive === spec.desiredCount;
  const draining = spec.role === "ACTIVE" && counts.alive > 0;
  const next: TaskSetStatus = {
    ...status,
    observedGeneration: metadata.generation,
    taskSetArn: arns.taskSet(cluster, serviceName, id),
    serviceArn: arns.service(cluster, serviceName),
    clusterArn: arns.cluster(cluster),
    id,
    status: draining ? "DRAINING" : spec.role,
    computedDesiredCount: spec.desiredCount,
    pendingCount: counts.pending,
    runningCount: counts.running,
    healthyCount: counts.healthy,
    failedTasks: facts.attempts,
    stabilityStatus: steady ? "STEADY_STATE" : "STABILIZING",
    createdAt: status.createdAt ?? metadata.creationTimestamp,
    selector: `${LABEL.taskSet}=${labelValue(metadata.name)}`,
    conditions: setCondition(
      status.conditions,
      {
        type: "Ready",
        status: steady ? "True" : "False",
        reason: steady ? "SteadyState" : facts.stuck !== undefined ? STUCK : "Stabilizing",
        message: steady ? "" : (facts.stuck ?? `${counts.healthy} of ${spec.desiredCount} tasks are healthy`),
        observedGeneration: metadata.generation,
      },
      nowMs,
    ),
  };
  return isSame(status, next) ? undefined : next;
}

/** Flat but for the conditions, which keep their array while they are the same. */
const isSame = (before: TaskSetStatus, after: TaskSetStatus): boolean =>
  Object.entries(after).every(([field, value]) => before[field as keyof TaskSetStatus] === value);
