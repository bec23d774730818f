// What an agent is told of a task: its whole desired state on that machine. Pure.
import { ecsId } from "../../api/arn.js";
import { clusterNameOf } from "../../api/names.js";
import type { Task } from "../../api/types.gen.js";
import type { Assignment } from "../../bus/messages.js";

/** Bound and let in: its agent has to know of it. A task that is only bound still waits for its room. */
export function isAssigned(task: Task): boolean {
  const state = task.status?.lastStatus;
  return (
    task.spec.containerInstance !== undefined &&
    state !== undefined &&
    state !== "PROVISIONING" &&
    state !== "STOPPED" &&
    task.status?.taskDefinition !== undefined
  );
}

export const wantedOf = (task: Task): "RUNNING" | "STOPPED" =>
  task.spec.desiredStatus === "STOPPED" || task.metadata.deletionTimestamp !== undefined ? "STOPPED" : "RUNNING";

/** @param stopWhenLostAfterMs so long after its agent has lost the control plane the task stops by itself */
export function assignmentOf(task: Task, stopWhenLostAfterMs?: number): Assignment {
  const { spec, status = {}, metadata } = task;
  const { overrides, stopCode, stopReason } = spec;
  const group = status.group ?? spec.group;
  return {
    task: ecsId(metadata.uid),
    namespace: metadata.namespace,
    name: metadata.name,
    cluster: clusterNameOf(spec.cluster),
    revision: status.taskDefinition ?? "",
    desiredStatus: wantedOf(task),
    ...(status.lastStatus && { lastStatus: status.lastStatus }),
    taskArn: status.taskArn ?? "",
    ...(overrides && { overrides }),
    ...(stopCode && { stopCode }),
    ...(stopReason !== undefined && { stopReason }),
    ...(group !== undefined && { group }),
    ...(spec.startedBy !== undefined && { startedBy: spec.startedBy }),
    ...(stopWhenLostAfterMs !== undefined && { stopWhenLostAfterMs }),
  };
}
