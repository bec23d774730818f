// The parts of a task's status that do not come from an agent. Pure.
import { setCondition } from "../../api/conditions.js";
import type { Condition } from "../../api/meta.js";
import type { Task, TaskState, TaskStatus, TaskStopCode } from "../../api/types.gen.js";
import { whyStopped } from "../../api/why-stopped.js";
import { advanceTask } from "../../state-machines/task.js";

const READY: Readonly<Record<TaskState, { status: Condition["status"]; reason: string }>> = {
  PROVISIONING: { status: "False", reason: "Provisioning" },
  PENDING: { status: "False", reason: "Pending" },
  ACTIVATING: { status: "False", reason: "Activating" },
  RUNNING: { status: "True", reason: "Running" },
  DEACTIVATING: { status: "False", reason: "Deactivating" },
  STOPPING: { status: "False", reason: "Stopping" },
  DEPROVISIONING: { status: "False", reason: "Deprovisioning" },
  STOPPED: { status: "False", reason: "Stopped" },
};

/** `Ready` as the state has it: True while RUNNING and not UNHEALTHY. */
export function readyCondition(status: TaskStatus, observedGeneration: number, nowMs: number): Condition[] {
  const { lastStatus = "PROVISIONING", healthStatus, conditions } = status;
  const unhealthy = lastStatus === "RUNNING" && healthStatus === "UNHEALTHY";
  const ready = unhealthy ? { status: "False" as const, reason: "Unhealthy" } : READY[lastStatus];
  const message = lastStatus === "STOPPED" ? whyStopped(status) : "";
  return setCondition(conditions, { type: "Ready", ...ready, message, observedGeneration }, nowMs);
}

export const placed = (status: TaskStatus, observedGeneration: number, nowMs: number): Condition[] =>
  setCondition(
    status.conditions,
    { type: "Placed", status: "True", reason: "Placed", message: "", observedGeneration },
    nowMs,
  );

export const notPlaced = (
  status: TaskStatus,
  { reason = "NoRoom", message }: { reason?: string; message: string },
  observedGeneration: number,
  nowMs: number,
): Condition[] =>
  setCondition(status.conditions, { type: "Placed", status: "False", reason, message, observedGeneration }, nowMs);

/** What a stopped task says when nobody gave words of their own. */
export const STOPPED_BY_USER = "Task stopped by user";

/** The status after a stop was asked for in `spec` (06-35): `desiredStatus` at once, while `lastStatus` still has its
 *  way to go. A task that no agent has heard of is STOPPED with it. Undefined where nothing is left to say. */
export function stopAskedStatus(task: Task, nowMs: number): TaskStatus | undefined {
  const status = task.status ?? {};
  const from = status.lastStatus ?? "PROVISIONING";
  if (from === "STOPPED") return undefined;
  const neverBound = from === "PROVISIONING";
  if (!neverBound && status.desiredStatus === "STOPPED") return undefined;
  const stopCode = task.spec.stopCode ?? "UserInitiated";
  const stoppedReason = task.spec.stopReason ?? STOPPED_BY_USER;
  if (neverBound) return stoppedStatus(task, stopCode, stoppedReason, nowMs);
  const next: TaskStatus = {
    ...status,
    observedGeneration: task.metadata.generation,
    desiredStatus: "STOPPED",
    stopCode,
    stoppedReason,
    version: (status.version ?? 0) + 1,
  };
  next.conditions = readyCondition(next, task.metadata.generation, nowMs);
  return next;
}

/** STOPPED without an agent's word: never started, or its machine has lost it. */
export function stoppedStatus(task: Task, stopCode: TaskStopCode, stoppedReason: string, nowMs: number): TaskStatus {
  const status = task.status ?? {};
  const { state } = advanceTask(status.lastStatus ?? "PROVISIONING", "STOPPED");
  const next: TaskStatus = {
    ...status,
    observedGeneration: task.metadata.generation,
    lastStatus: state,
    desiredStatus: "STOPPED",
    stopCode: status.stopCode ?? stopCode,
    stoppedReason: status.stoppedReason ?? stoppedReason,
    createdAt: status.createdAt ?? task.metadata.creationTimestamp,
    stoppedAt: new Date(nowMs).toISOString(),
    version: (status.version ?? 0) + 1,
  };
  if (status.containers) {
    next.containers = status.containers.map((container) => ({ ...container, lastStatus: "STOPPED" }));
  }
  next.conditions = readyCondition(next, task.metadata.generation, nowMs);
  return next;
}
