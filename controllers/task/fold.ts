// An agent's report folded into a task's status. Pure: the same report again changes nothing.
import { type Arns, ecsId } from "../../api/arn.js";
import { clusterNameOf } from "../../api/names.js";
import type {
  ContainerDefinition,
  Task,
  TaskContainer,
  TaskState,
  TaskStatus,
  TaskStopCode,
} from "../../api/types.gen.js";
import type { ContainerReport, TaskReport } from "../../bus/messages.js";
import { observeContainer } from "../../state-machines/container.js";
import { observe } from "../../state-machines/task.js";
import { hasCheck, taskHealth } from "./health.js";
import { portsColumn } from "./ports.js";
import { readyCondition } from "./status.js";

/** What a report is read with. */
export interface FoldFacts {
  /** The control plane's clock orders; an agent's is only shown. */
  nowMs: number;
  definitions: readonly ContainerDefinition[];
  /** For a task without any check: seconds after RUNNING until it counts as healthy (decision C7). */
  minHealthySeconds: number;
  /** Of the machine, for the ports column. */
  address: string;
  arns: Arns;
}

/** The status after the report, one version on; undefined where it says nothing new. */
export function foldReport(task: Task, report: TaskReport, facts: FoldFacts): TaskStatus | undefined {
  const status = task.status ?? {};
  const from = status.lastStatus ?? "PROVISIONING";
  if (from === "STOPPED") return undefined;
  const lastStatus = observe(from, report.state);
  const arnOf = (name: string): string => {
    const id = ecsId(task.metadata.uid);
    return facts.arns.container(clusterNameOf(task.spec.cluster), id, containerId(id, name));
  };
  const containers = foldContainers(status.containers ?? [], report, lastStatus, arnOf);
  const healthStatus = taskHealth(
    facts.definitions,
    (name) => containers.find((container) => container.name === name)?.healthStatus,
  );
  const pulled =
    (report.pullStartedAtMs !== undefined && status.pullStartedAt === undefined) ||
    (report.pullStoppedAtMs !== undefined && status.pullStoppedAt === undefined);
  const sameHealth = healthStatus === (status.healthStatus ?? "UNKNOWN");
  if (lastStatus === from && containers === status.containers && sameHealth && !pulled) return undefined;

  // A plain copy first, and then field by field: of all ways to write this the one that costs least.
  const next: TaskStatus = { ...status };
  next.observedGeneration = task.metadata.generation;
  next.lastStatus = lastStatus;
  next.desiredStatus = lastStatus === "STOPPED" ? "STOPPED" : desiredOf(task);
  next.healthStatus = healthStatus;
  next.version = (status.version ?? 0) + 1;
  next.taskArn = facts.arns.task(clusterNameOf(task.spec.cluster), ecsId(task.metadata.uid));
  if (containers !== status.containers) {
    next.containers = containers;
    next.ports = portsColumn(containers, facts.address);
  }
  setTimes(next, report, facts.nowMs);
  const healthyAt = healthyTime(next, facts);
  if (healthyAt !== undefined) next.healthyAt = healthyAt;
  else if (next.healthyAt !== undefined) delete next.healthyAt;
  if (lastStatus === "STOPPED" || lastStatus === "STOPPING") Object.assign(next, stopWords(task, report));
  next.conditions = readyCondition(next, task.metadata.generation, facts.nowMs);
  return next;
}

/** 32 hex digits, the same each time they are asked for: the task's own, the last eight turned by the name (FNV-1a). */
function containerId(taskId: string, name: string): string {
  let hash = 0x811c9dc5;
  for (const char of `${taskId}/${name}`) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  return taskId.slice(0, 24) + (hash >>> 0).toString(16).padStart(8, "0");
}

const desiredOf = (task: Task): "RUNNING" | "STOPPED" =>
  task.spec.desiredStatus === "STOPPED" || task.status?.desiredStatus === "STOPPED" ? "STOPPED" : "RUNNING";

/** The same array if nothing changed. */
function foldContainers(
  known: readonly TaskContainer[],
  report: TaskReport,
  lastStatus: TaskState,
  arnOf: (name: string) => string,
): TaskContainer[] {
  let changed = false;
  const folded = known.map((container) => {
    const seen = report.containers.find(({ name }) => name === container.name);
    const next = foldContainer(container, seen, lastStatus, arnOf);
    changed ||= next !== container;
    return next;
  });
  return changed ? folded : (known as TaskContainer[]);
}

/** The same object if nothing changed. */
function foldContainer(
  known: TaskContainer,
  seen: ContainerReport | undefined,
  task: TaskState,
  arnOf: (name: string) => string,
): TaskContainer {
  if (seen === undefined) {
    // Never made, and now never will be.
    return task === "STOPPED" && known.lastStatus !== "STOPPED" ? { ...known, lastStatus: "STOPPED" } : known;
  }
  const lastStatus = task === "STOPPED" ? "STOPPED" : observeContainer(known.lastStatus, seen.lastStatus);
  const health = lastStatus === "STOPPED" ? (known.healthStatus ?? seen.health) : seen.health;
  const same =
    lastStatus === known.lastStatus &&
    health === (known.healthStatus ?? "UNKNOWN") &&
    (seen.runtimeId ?? known.runtimeId) === known.runtimeId &&
    (seen.imageDigest ?? known.imageDigest) === known.imageDigest &&
    (seen.exitCode ?? known.exitCode) === known.exitCode &&
    (seen.reason ?? known.reason) === known.reason &&
    sameBindings(known, seen);
  if (same) return known;
  const next: TaskContainer = { ...known, lastStatus, healthStatus: health };
  // A container that is gone keeps what it had: its ports tell where it was.
  if (seen.networkBindings.length > 0) next.networkBindings = seen.networkBindings;
  for (const field of ["runtimeId", "imageDigest", "reason"] as const) {
    const value = seen[field];
    if (value !== undefined) next[field] = value;
  }
  if (seen.exitCode !== undefined) next.exitCode = seen.exitCode;
  if (next.runtimeId !== undefined) next.containerArn ??= arnOf(known.name);
  return next;
}

function sameBindings(known: TaskContainer, seen: ContainerReport): boolean {
  const { networkBindings: before } = known;
  const { networkBindings: now } = seen;
  if (now.length === 0) return true;
  return (
    before.length === now.length &&
    now.every(({ bindIP, hostPort, containerPort, protocol }, index) => {
      const other = before[index];
      return (
        other !== undefined &&
        other.bindIP === bindIP &&
        other.hostPort === hostPort &&
        other.containerPort === containerPort &&
        other.protocol === protocol
      );
    })
  );
}

/** Each is set once. A state that was skipped or not seen leaves its time out. */
function setTimes(next: TaskStatus, report: TaskReport, nowMs: number): void {
  const { lastStatus } = next;
  if (report.pullStartedAtMs !== undefined) next.pullStartedAt ??= isoOf(report.pullStartedAtMs);
  if (report.pullStoppedAtMs !== undefined) next.pullStoppedAt ??= isoOf(report.pullStoppedAtMs);
  if (lastStatus === "RUNNING" || (lastStatus !== "PENDING" && hasRun(report))) next.startedAt ??= isoOf(nowMs);
  if (lastStatus === "STOPPING") next.stoppingAt ??= isoOf(nowMs);
  if (lastStatus !== "STOPPED") return;
  next.stoppedAt ??= isoOf(nowMs);
  const ended = report.containers.reduce((last, { finishedAtMs = 0 }) => Math.max(last, finishedAtMs), 0);
  if (ended > 0) next.executionStoppedAt ??= isoOf(ended);
}

/** A task whose containers all started and whose RUNNING nobody saw did run: it is no failed start (07-43). */
const hasRun = (report: TaskReport): boolean =>
  report.stopCode !== "TaskFailedToStart" &&
  report.containers.length > 0 &&
  report.containers.every(({ startedAtMs }) => startedAtMs !== undefined);

const isoOf = (ms: number): string => new Date(ms).toISOString();

/** When the task counts as healthy: with a check, while that says so; without, a while after RUNNING, which may
 *  still be to come. */
function healthyTime(
  { lastStatus, healthStatus, startedAt, healthyAt }: TaskStatus,
  { definitions, minHealthySeconds, nowMs }: FoldFacts,
): string | undefined {
  if (lastStatus !== "RUNNING" || startedAt === undefined) return healthyAt;
  if (hasCheck(definitions)) return healthStatus === "HEALTHY" ? (healthyAt ?? isoOf(nowMs)) : undefined;
  return healthyAt ?? isoOf(Date.parse(startedAt) + minHealthySeconds * 1000);
}

/** Who asked for a stop says why; else the agent does. */
function stopWords(task: Task, report: TaskReport): { stopCode?: TaskStopCode; stoppedReason?: string } {
  const { status, spec } = task;
  const stopCode = status?.stopCode ?? report.stopCode ?? spec.stopCode;
  const stoppedReason = status?.stoppedReason ?? report.stoppedReason ?? spec.stopReason;
  return { ...(stopCode && { stopCode }), ...(stoppedReason !== undefined && { stoppedReason }) };
}
