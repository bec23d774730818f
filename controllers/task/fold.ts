// An agent's report folded into a task's status. Pure: the same report again changes nothing.
import { createHash } from "node:crypto";
import { type Arns, ecsId } from "../../api/arn.js";
import { clusterNameOf } from "../../api/names.js";
import type {
  ContainerDefinition,
  HealthStatus,
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
  const containers = foldContainers(status.containers ?? [], report, lastStatus);
  const healthStatus = taskHealth(
    facts.definitions,
    (name) => containers.find((container) => container.name === name)?.healthStatus,
  );
  const times = timesOf(status, lastStatus, report, new Date(facts.nowMs).toISOString());
  const same =
    lastStatus === from &&
    containers === status.containers &&
    healthStatus === (status.healthStatus ?? "UNKNOWN") &&
    times.pullStartedAt === status.pullStartedAt &&
    times.pullStoppedAt === status.pullStoppedAt;
  if (same) return undefined;

  const { healthyAt: healthyBefore, ...rest } = status;
  const healthyAt = healthyTime(healthyBefore, { lastStatus, healthStatus, startedAt: times.startedAt }, facts);
  const next: TaskStatus = {
    ...rest,
    ...times,
    observedGeneration: task.metadata.generation,
    lastStatus,
    desiredStatus: lastStatus === "STOPPED" ? "STOPPED" : desiredOf(task),
    healthStatus,
    containers,
    version: (status.version ?? 0) + 1,
  };
  const id = ecsId(task.metadata.uid);
  const cluster = clusterNameOf(task.spec.cluster);
  next.taskArn = facts.arns.task(cluster, id);
  for (const container of containers) {
    if (container.runtimeId === undefined || container.containerArn !== undefined) continue;
    container.containerArn = facts.arns.container(cluster, id, containerId(task.metadata.uid, container.name));
  }
  if (healthyAt !== undefined) next.healthyAt = healthyAt;
  if (containers !== status.containers) next.ports = portsColumn(containers, facts.address);
  if (lastStatus === "STOPPED" || lastStatus === "STOPPING") Object.assign(next, stopWords(task, report));
  next.conditions = readyCondition(next, task.metadata.generation, facts.nowMs);
  return next;
}

/** 32 hex digits, the same each time they are asked for. */
const containerId = (uid: string, name: string): string =>
  createHash("sha256").update(`${uid}/${name}`).digest("hex").slice(0, 32);

const desiredOf = (task: Task): "RUNNING" | "STOPPED" =>
  task.spec.desiredStatus === "STOPPED" || task.status?.desiredStatus === "STOPPED" ? "STOPPED" : "RUNNING";

/** The same array if nothing changed. */
function foldContainers(known: readonly TaskContainer[], report: TaskReport, lastStatus: TaskState): TaskContainer[] {
  let changed = false;
  const folded = known.map((container) => {
    const seen = report.containers.find(({ name }) => name === container.name);
    const next = foldContainer(container, seen, lastStatus);
    changed ||= next !== container;
    return next;
  });
  return changed ? folded : (known as TaskContainer[]);
}

/** The same object if nothing changed. */
function foldContainer(known: TaskContainer, seen: ContainerReport | undefined, task: TaskState): TaskContainer {
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

type Times = Pick<
  TaskStatus,
  "pullStartedAt" | "pullStoppedAt" | "startedAt" | "stoppingAt" | "executionStoppedAt" | "stoppedAt"
>;

/** Each is set once. A state that was skipped or not seen leaves its time out. */
function timesOf(status: TaskStatus, lastStatus: TaskState, report: TaskReport, now: string): Times {
  const times: Times = {};
  const set = (field: keyof Times, value: string | undefined) => {
    const kept = status[field] ?? value;
    if (kept !== undefined) times[field] = kept;
  };
  const ran = lastStatus === "RUNNING" || report.containers.some(({ startedAtMs }) => startedAtMs !== undefined);
  set("pullStartedAt", isoOf(report.pullStartedAtMs));
  set("pullStoppedAt", isoOf(report.pullStoppedAtMs));
  set("startedAt", lastStatus === "RUNNING" || (ran && everEssentialRan(report)) ? now : undefined);
  set("stoppingAt", lastStatus === "STOPPING" ? now : undefined);
  const ended = Math.max(...report.containers.map(({ finishedAtMs }) => finishedAtMs ?? 0), 0);
  set("executionStoppedAt", lastStatus === "STOPPED" && ended > 0 ? isoOf(ended) : undefined);
  set("stoppedAt", lastStatus === "STOPPED" ? now : undefined);
  return times;
}

/** A task whose containers all started and whose RUNNING nobody saw did run: it is no failed start (07-43). */
const everEssentialRan = (report: TaskReport): boolean =>
  report.stopCode !== "TaskFailedToStart" && report.containers.every(({ startedAtMs }) => startedAtMs !== undefined);

const isoOf = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : new Date(ms).toISOString();

/** When the task counts as healthy: with a check, while that says so; without, a while after RUNNING, which may
 *  still be to come. */
function healthyTime(
  before: string | undefined,
  {
    lastStatus,
    healthStatus,
    startedAt,
  }: { lastStatus: TaskState; healthStatus: HealthStatus; startedAt?: string | undefined },
  { definitions, minHealthySeconds, nowMs }: FoldFacts,
): string | undefined {
  if (lastStatus !== "RUNNING" || startedAt === undefined) return before;
  if (hasCheck(definitions)) return healthStatus === "HEALTHY" ? (before ?? new Date(nowMs).toISOString()) : undefined;
  return before ?? new Date(Date.parse(startedAt) + minHealthySeconds * 1000).toISOString();
}

/** Who asked for a stop says why; else the agent does. */
function stopWords(task: Task, report: TaskReport): { stopCode?: TaskStopCode; stoppedReason?: string } {
  const { status, spec } = task;
  const stopCode = status?.stopCode ?? report.stopCode ?? spec.stopCode;
  const stoppedReason = status?.stoppedReason ?? report.stoppedReason ?? spec.stopReason;
  return { ...(stopCode && { stopCode }), ...(stoppedReason !== undefined && { stoppedReason }) };
}
