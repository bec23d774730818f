// A cluster's status, as a whole. Pure.
import type { Arns } from "../../api/arn.js";
import { setCondition } from "../../api/conditions.js";
import { clusterNameOfObject, objectName } from "../../api/names.js";
import type { Cluster, ClusterStatus } from "../../api/types.gen.js";
import { ignoredCondition } from "../ignored.js";
import type { ClusterCounts } from "./counts.js";
import { type ClusterDeletion, isDeleting } from "./deletion.js";

export interface ClusterFacts {
  counts: ClusterCounts;
  /** While it is being deleted. */
  waitsFor?: ClusterDeletion["waitsFor"];
  arns: Arns;
  nowMs: number;
}

/** Undefined where it is said already. */
export function clusterStatus(cluster: Cluster, facts: ClusterFacts): ClusterStatus | undefined {
  const { metadata, spec, status = {} } = cluster;
  const { generation: observedGeneration } = metadata;
  const { counts, arns, nowMs } = facts;
  const ready = { type: "Ready", ...readyWord(cluster, facts), observedGeneration };
  const same = JSON.stringify(status.statistics) === JSON.stringify(counts.statistics);
  const next: ClusterStatus = {
    ...status,
    observedGeneration,
    clusterArn: arns.cluster(clusterNameOfObject(cluster)),
    status: isDeleting(cluster) ? "DEPROVISIONING" : "ACTIVE",
    ...counts,
    ...(same && status.statistics && { statistics: status.statistics }),
    conditions: ignoredCondition(
      setCondition(status.conditions, ready, nowMs),
      "Cluster",
      spec,
      observedGeneration,
      nowMs,
    ),
  };
  const fields = Object.keys(next) as (keyof ClusterStatus)[];
  return fields.every((field) => status[field] === next[field]) ? undefined : next;
}

function readyWord(cluster: Cluster, { waitsFor }: ClusterFacts) {
  if (waitsFor) return { status: "False" as const, ...waitsFor };
  const name = clusterNameOfObject(cluster);
  const wanted = objectName(name);
  // Services and machines look for the cluster under the name that its own is derived to.
  if (wanted !== cluster.metadata.name) {
    const message = `Nothing finds the cluster ${name} under metadata.name ${cluster.metadata.name}: name the object ${wanted}.`;
    return { status: "False" as const, reason: "NameMismatch", message };
  }
  return { status: "True" as const, reason: "Active", message: "" };
}
