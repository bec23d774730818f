// The decision about one task: what it is now, and what to do next. Pure; the engine gathers, asks, and does.
import type { ContainerState } from "../../api/types.gen.js";
import type { TaskReport } from "../../bus/messages.js";
import { isOrphan, ORPHAN_PREFIX } from "../runtimes/labels.js";
import type { Cause, ContainerRecord, TaskRecord } from "./record.js";

interface Steps {
  pull: { container: string };
  /** The pull is no longer wanted. */
  abandonPull: { container: string };
  create: { container: string };
  start: { container: string; id: string };
  stop: { container: string; id: string; graceMs: number };
  remove: { container: string; id: string };
  rename: { container: string; id: string; runtimeName: string };
  look: { container: string };
}
export type StepKind = keyof Steps;
export type Step<K extends StepKind = StepKind> = { [P in K]: { kind: P } & Steps[P] }[K];

export interface Plan {
  steps: Step[];
  state: TaskReport["state"];
  /** Set once the task goes down. */
  cause?: Cause;
  /** Nothing is left of a task that is not assigned, or it has been let go of. */
  gone: boolean;
  /** Something would be created or started now if that were allowed. */
  held?: boolean;
  /** When to plan again if nothing happens before. */
  recheckAtMs?: number;
}

const STOPPED_BY_EXIT = "Essential container in task exited";
const FAILED_TO_START = "Task failed to start";
const stoppedWhenLost = (ms: number): string =>
  `Stopped by its agent after ${Math.floor(ms / 1000)} s without the control plane (lostInstances: STOP)`;
export const NOT_ASSIGNED = "Task is not assigned to this container instance";

/** What a container has come to, in ECS's words. `PENDING`: nothing is there yet. */
export function containerState(container: ContainerRecord): ContainerState {
  const { observed } = container;
  if (observed?.lastStatus === "RUNNING") return "RUNNING";
  if (ended(container)) return "STOPPED";
  if (observed) return "CREATED";
  return container.pulled ? "PULLED" : "PENDING";
}

/** Over for good, and surely not alive: a doubt or a start under way keeps the task from being STOPPED. */
function ended({ observed, lost, failure, uncertain, busy }: ContainerRecord): boolean {
  if (observed?.lastStatus === "RUNNING" || uncertain || busy === "start" || busy === "create") return false;
  return observed?.lastStatus === "STOPPED" || lost || failure !== undefined;
}

/** No process of it lives, and none is about to: also a container that never came to start. */
export const stillDown = (container: ContainerRecord): boolean =>
  container.observed?.lastStatus !== "RUNNING" &&
  !container.uncertain &&
  container.busy !== "start" &&
  container.busy !== "create";

/** @param held nothing may be created or started now */
export function planTask(task: TaskRecord, nowMs: number, held = false): Plan {
  const containers = [...task.containers.values()];
  if (task.desired === "LET_GO") return planLetGo(task, containers, nowMs);
  const cause = task.cause ?? causeOf(task, containers);
  if (cause) return planDown(task, containers, cause, nowMs);
  if (task.desired === "UNKNOWN") return { steps: [], state: stateUp(task, containers), gone: false };
  return planUp(task, containers, nowMs, held);
}

function causeOf(task: TaskRecord, containers: ContainerRecord[]): Cause | undefined {
  // What happened by itself comes before what was asked: an exit that is already there explains the stop.
  const over = containers.find((container) => container.essential && ended(container));
  const allOver = containers.length > 0 && containers.length >= task.size && containers.every(ended);
  if (over || allOver) {
    return containers.some((container) => container.failure !== undefined && (!over || container === over))
      ? { code: "TaskFailedToStart", reason: FAILED_TO_START, asked: false }
      : { code: "EssentialContainerExited", reason: STOPPED_BY_EXIT, asked: false };
  }
  if (task.lostForMs !== undefined)
    return { code: "InfrastructureHealth", reason: stoppedWhenLost(task.lostForMs), asked: false };
  if (task.desired === "ABSENT") return { reason: NOT_ASSIGNED, asked: true };
  if (task.desired !== "STOPPED") return undefined;
  const { stopCode, stopReason = "" } = task.assignment ?? {};
  return { ...(stopCode && { code: stopCode }), reason: stopReason, asked: true };
}

/** RUNNING once every container has been started, however short it ran. */
function stateUp(task: TaskRecord, containers: ContainerRecord[]): Plan["state"] {
  const started = (container: ContainerRecord) => containerState(container) === "RUNNING" || ended(container);
  return containers.length >= task.size && containers.every(started) ? "RUNNING" : "PENDING";
}

/** Images first, then all containers, then all starts: nothing of a task runs before everything of it can. */
function planUp(task: TaskRecord, containers: ContainerRecord[], nowMs: number, held: boolean): Plan {
  const steps: Step[] = [];
  const launches: Step[] = [];
  const waits = new Waits(nowMs);
  const allPulled = containers.every((container) => container.pulled || container.observed || ended(container));
  const allCreated = containers.every((container) => container.observed || ended(container));
  for (const container of containers) {
    const { name, observed, busy } = container;
    if (busy || ended(container) || observed?.lastStatus === "RUNNING" || waits.holds(container)) continue;
    if (container.uncertain) steps.push({ kind: "look", container: name });
    else if (observed) {
      if (allCreated) launches.push({ kind: "start", container: name, id: observed.id });
    } else if (!container.pulled) steps.push({ kind: "pull", container: name });
    else if (allPulled) launches.push({ kind: "create", container: name });
  }
  if (!held) steps.push(...launches);
  return {
    steps,
    state: stateUp(task, containers),
    gone: false,
    ...(held && launches.length > 0 && { held }),
    ...waits.recheck(),
  };
}

/** It runs on under a name that tells every agent to leave it alone. */
function planLetGo(task: TaskRecord, containers: ContainerRecord[], nowMs: number): Plan {
  const steps: Step[] = [];
  const waits = new Waits(nowMs);
  const kept = ({ observed }: ContainerRecord) => observed !== undefined && !isOrphan(observed.runtimeName);
  for (const container of containers) {
    const { name, observed, busy } = container;
    if (busy === "pull") steps.push({ kind: "abandonPull", container: name });
    if (busy || waits.holds(container)) continue;
    if (observed && kept(container))
      steps.push({
        kind: "rename",
        container: name,
        id: observed.id,
        runtimeName: `${ORPHAN_PREFIX}${observed.runtimeName}`,
      });
    else if (container.uncertain) steps.push({ kind: "look", container: name });
  }
  const gone = containers.every((container) => !container.busy && !container.uncertain && !kept(container));
  return { steps, state: task.state, gone, ...waits.recheck() };
}

function planDown(task: TaskRecord, containers: ContainerRecord[], cause: Cause, nowMs: number): Plan {
  const steps: Step[] = [];
  const waits = new Waits(nowMs);
  // Before the sync answer nothing is stopped or removed, unless the time without one is up.
  const acts = task.desired !== "UNKNOWN" || task.lostForMs !== undefined;
  const down = containers.every(stillDown);
  const removes = task.desired === "ABSENT" && down && !waits.until(task.keepUntilMs);
  for (const container of acts ? containers : []) {
    const { name, observed, busy, graceMs } = container;
    if (busy === "pull") steps.push({ kind: "abandonPull", container: name });
    if (busy || waits.holds(container)) continue;
    if (container.uncertain) steps.push({ kind: "look", container: name });
    else if (observed?.lastStatus === "RUNNING")
      steps.push({ kind: "stop", container: name, id: observed.id, graceMs });
    else if (observed && removes) steps.push({ kind: "remove", container: name, id: observed.id });
  }
  const gone = removes && containers.every(({ observed, busy }) => !observed && !busy);
  return { steps, state: down ? "STOPPED" : "STOPPING", cause, gone, ...waits.recheck() };
}

/** Collects the earliest time at which something that must wait now is due. */
class Waits {
  private atMs = Number.POSITIVE_INFINITY;
  constructor(private readonly nowMs: number) {}

  until(atMs: number): boolean {
    if (atMs <= this.nowMs) return false;
    this.atMs = Math.min(this.atMs, atMs);
    return true;
  }
  holds({ retryAtMs }: ContainerRecord): boolean {
    return this.until(retryAtMs);
  }
  recheck(): { recheckAtMs?: number } {
    return Number.isFinite(this.atMs) ? { recheckAtMs: this.atMs } : {};
  }
}
