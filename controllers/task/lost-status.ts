// What tasks say while their machine is not there, and when it is back. Pure.
import { getCondition, removeCondition, setCondition } from "../../api/conditions.js";
import type { ContainerInstance, Task, TaskStatus, TaskStopCode } from "../../api/types.gen.js";
import { isAssigned } from "./assignment.js";
import { CONFIRMED_GONE, isUnconfirmed } from "./lost.js";
import { stoppedStatus } from "./status.js";
import { isSetAside, isStopped, SET_ASIDE } from "./view.js";

export interface StopWords {
  stopCode: TaskStopCode;
  stopReason: string;
}

/** ECS's words for tasks whose machine is no more (09-32). */
export const hostGone = ({ metadata, status }: ContainerInstance): string =>
  `Host EC2 (instance ${status?.ec2InstanceId ?? status?.hostname ?? metadata.name}) stopped/terminated`;

/** STOPPED without its agent's word: it may still live. Undefined for a task that is STOPPED already. */
export function strandedStatus(
  task: Task,
  { stopCode, stopReason }: StopWords,
  reason: "MachineLost" | "MachineStopped" | "Deregistered" | "Orphaned",
  nowMs: number,
): TaskStatus | undefined {
  if (isStopped(task)) return undefined;
  const next = stoppedStatus(task, stopCode, stopReason, nowMs);
  // No agent has ever been told of it.
  if (!isAssigned(task)) return next;
  const message =
    reason === "Orphaned"
      ? "Its containers were left to themselves."
      : "Its machine has not said yet that its containers are gone; it removes them before anything else when it is back.";
  next.conditions = setCondition(
    removeCondition(next.conditions, SET_ASIDE),
    { type: CONFIRMED_GONE, status: "False", reason, message, observedGeneration: task.metadata.generation },
    nowMs,
  );
  return next;
}

/** Its machine has nothing of it any more. */
export function confirmedGoneStatus(task: Task, nowMs: number): TaskStatus | undefined {
  if (!isUnconfirmed(task)) return undefined;
  const { status = {}, metadata } = task;
  const gone = { type: CONFIRMED_GONE, status: "True" as const, reason: "Removed", message: "" };
  return changed(task, {
    conditions: setCondition(status.conditions, { ...gone, observedGeneration: metadata.generation }, nowMs),
  });
}

/** Its machine is lost, and another is to take its place until that is back. */
export function setAsideStatus(task: Task, instance: ContainerInstance, nowMs: number): TaskStatus | undefined {
  if (isStopped(task) || isSetAside(task)) return undefined;
  const { hostname, disconnectedAt } = instance.status ?? {};
  const message = `${hostname ?? instance.metadata.name} was last heard of at ${disconnectedAt}: another task has its place until that is back.`;
  const aside = { type: SET_ASIDE, status: "True" as const, reason: "MachineLost", message };
  return changed(task, {
    connectivity: "DISCONNECTED",
    conditions: setCondition(
      task.status?.conditions,
      { ...aside, observedGeneration: task.metadata.generation },
      nowMs,
    ),
  });
}

/** Its machine is out of reach. Undefined where that is said already. */
export function unreachableStatus(task: Task): TaskStatus | undefined {
  if (isStopped(task) || task.status?.connectivity === "DISCONNECTED" || !isAssigned(task)) return undefined;
  return changed(task, { connectivity: "DISCONNECTED" });
}

/** Its machine is back: it is in reach, and counts again. Undefined where it always has been. */
export function backStatus(task: Task, nowMs: number): TaskStatus | undefined {
  const { status = {} } = task;
  if (isStopped(task) || !isOutOfReach(task)) return undefined;
  return changed(task, {
    connectivity: "CONNECTED",
    connectivityAt: new Date(nowMs).toISOString(),
    ...(status.conditions && { conditions: removeCondition(status.conditions, SET_ASIDE) }),
  });
}

/** Has been told so, that is. */
export const isOutOfReach = ({ status }: Task): boolean =>
  status?.connectivity === "DISCONNECTED" || getCondition(status?.conditions, SET_ASIDE) !== undefined;

const changed = ({ status = {} }: Task, change: Partial<TaskStatus>): TaskStatus => ({
  ...status,
  ...change,
  version: (status.version ?? 0) + 1,
});
