// What the control plane is told about a task: the whole observed state, and only when it says something new.
import type { ContainerReport, TaskReport } from "../../bus/messages.js";
import { containerState, type Plan } from "./plan.js";
import type { ContainerRecord, TaskRecord } from "./record.js";

const OUT_OF_MEMORY = "OutOfMemoryError: Container killed due to memory usage";

/** SIGKILL's exit code: the flag alone also shows when only a child process was killed. */
const KILLED = 137;

export function describe(task: TaskRecord, plan: Pick<Plan, "state" | "cause">, nowMs: number): TaskReport {
  const { cause, state } = plan;
  return {
    task: task.task,
    namespace: task.namespace,
    name: task.name,
    seq: task.seq,
    state,
    containers: Array.from(task.containers.values(), (container) => describeContainer(container, state)),
    ...(task.pullStartedAtMs !== undefined && { pullStartedAtMs: task.pullStartedAtMs }),
    ...(task.pullStoppedAtMs !== undefined && { pullStoppedAtMs: task.pullStoppedAtMs }),
    ...(cause?.code && { stopCode: cause.code }),
    ...(cause && { stoppedReason: cause.reason }),
    observedAtMs: nowMs,
  };
}

function describeContainer(container: ContainerRecord, state: TaskReport["state"]): ContainerReport {
  const { name, image, observed } = container;
  const reason = reasonOf(container);
  return {
    name,
    image,
    // Of a stopped task nothing will come any more, also of a container that was never started.
    lastStatus: state === "STOPPED" ? "STOPPED" : containerState(container),
    health: observed?.health ?? "UNKNOWN",
    networkBindings: observed?.networkBindings ?? [],
    ...(observed && { runtimeId: observed.id }),
    ...(observed?.imageDigest && { imageDigest: observed.imageDigest }),
    ...(observed?.exitCode !== undefined && { exitCode: observed.exitCode }),
    ...(reason && { reason }),
    ...(observed?.startedAtMs !== undefined && { startedAtMs: observed.startedAtMs }),
    ...(observed?.finishedAtMs !== undefined && { finishedAtMs: observed.finishedAtMs }),
  };
}

function reasonOf({ failure, lost, observed }: ContainerRecord): string | undefined {
  if (failure) return failure;
  if (lost) return `CannotInspectContainerError: No such container${observed ? `: ${observed.id}` : ""}`;
  if (observed?.oomKilled && observed.exitCode === KILLED) return OUT_OF_MEMORY;
  return observed?.error;
}

/** Two reports with the same fingerprint tell the control plane the same. */
export function fingerprint(report: TaskReport): string {
  let text = report.state;
  for (const { lastStatus, health, exitCode, reason, runtimeId } of report.containers)
    text += `|${runtimeId} ${lastStatus} ${health} ${exitCode} ${reason}`;
  return text;
}
