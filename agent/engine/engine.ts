// Makes the containers of this machine match its assignments. It decides by `planTask`, does by `createSteps`, and
// tells by `report`; whatever happens ends in looking at the task again.

import type { Log } from "../../api/log.js";
import type { Resource, TaskDefinitionRevisionSpec } from "../../api/types.gen.js";
import type { Assignment, Revisions, TaskId, TaskReport } from "../../bus/messages.js";
import type { Runtime } from "../runtimes/runtime.js";
import { createAlarm } from "./alarm.js";
import { type ResolvedTask, resolve } from "./definition.js";
import { createFindings } from "./findings.js";
import type { Images } from "./images.js";
import { refusal } from "./ledger.js";
import { NOT_ASSIGNED, planTask } from "./plan.js";
import { graceMs, newContainer, type TaskRecord } from "./record.js";
import { describe, fingerprint } from "./report.js";
import { createSteps } from "./steps.js";

export interface EngineOptions {
  /** Between SIGTERM and SIGKILL where the definition has no `stopTimeout`. */
  stopTimeoutMs: number;
  /** How long the runtime may fail to create or start a container before the task fails. */
  startTimeoutMs: number;
  /** How long stopped containers stay, for their logs, after the control plane has the task as STOPPED. */
  cleanupWaitMs: number;
  /** A launch slower than this is reported while it goes on. */
  slowLaunchMs: number;
  /** A stop slower than this is reported as STOPPING. */
  slowStopMs: number;
  /** Wait after a failed step; it doubles up to the maximum. */
  retryMs: number;
  maxRetryMs: number;
}

export interface Engine {
  /** Takes over what the runtime holds. @throws when the runtime does not answer. */
  adopt(): Promise<void>;
  /** A sync answer: the complete list. What is missing from it is stopped and removed. */
  replaceAll(assignments: readonly Assignment[], revisions: Revisions): boolean;
  /** New or changed assignments; false if a definition they refer to is not known: sync again. */
  assign(assignments: readonly Assignment[], revisions: Revisions): boolean;
  /** These tasks are STOPPED in the store. */
  forget(tasks: readonly TaskId[]): void;
  /** The whole state of every task that this machine has anything of. */
  inventory(): TaskReport[];
  /** Runtime ids by container name, of one task; undefined if it is not known here. */
  containersOf(task: TaskId): Map<string, string> | undefined;
  /** The runtime says that something happened to this container. */
  changed(id: string): void;
  /** Compares with all that the runtime holds. @throws when it does not answer. */
  relist(): Promise<void>;
  /** Live tasks. */
  size(): number;
  close(): void;
}

export interface EngineDeps {
  agent: string;
  runtime: Runtime;
  images: Images;
  registered: () => readonly Resource[];
  options: EngineOptions;
  now: () => number;
  random: () => number;
  log: Log;
  report(report: TaskReport): void;
}

export function createEngine(deps: EngineDeps): Engine {
  const { runtime, options, now, log } = deps;
  const tasks = new Map<string, TaskRecord>();
  /** Definitions of this session, by `<namespace>/<family:N>`. */
  const definitions = new Map<string, TaskDefinitionRevisionSpec>();
  const alarm = createAlarm(now, (task: TaskRecord) => consider(task));
  let synced = false;
  let closed = false;

  const findings = createFindings({
    runtime,
    images: deps.images,
    tasks,
    stopTimeoutMs: options.stopTimeoutMs,
    log,
    add,
    isUnwanted: () => synced,
    dismiss: (task) => dismiss(task, now()),
    consider,
    look: (task, container) => step(task, { kind: "look", container: container.name }),
  });
  const step = createSteps({ ...deps, findings, again: consider });

  // ---- deciding

  function consider(task: TaskRecord): void {
    if (closed || tasks.get(task.key) !== task) return;
    const plan = planTask(task, now());
    if (plan.cause && !task.cause) {
      task.cause = plan.cause;
      task.sinceMs = now();
    }
    task.state = plan.state;
    if (plan.gone) {
      drop(task);
      return;
    }
    for (const next of plan.steps) step(task, next);
    if (plan.recheckAtMs !== undefined) alarm.set(task, plan.recheckAtMs);
    publish(task);
  }

  function publish(task: TaskRecord): void {
    if (task.desired === "UNKNOWN" || task.desired === "ABSENT") return;
    const quietUntilMs = task.sinceMs + quietMs(task);
    if (quietUntilMs > now()) {
      alarm.set(task, quietUntilMs);
      return;
    }
    const report = describe(task, task, now());
    const print = fingerprint(report);
    if (print === task.reported) return;
    // STOPPED is final, also if somebody starts the container again by hand: then it is only stopped again.
    if (task.reported?.startsWith("STOPPED") && task.state !== "STOPPED") return;
    task.reported = print;
    task.seq += 1;
    report.seq = task.seq;
    deps.report(report);
  }

  /** Steps on the way are news only when the way is long: one report per launch, one per stop. */
  function quietMs({ state, cause }: TaskRecord): number {
    if (state === "PENDING") return options.slowLaunchMs;
    return state === "STOPPING" && cause?.asked ? options.slowStopMs : 0;
  }

  function drop(task: TaskRecord): void {
    tasks.delete(task.key);
    alarm.clear(task);
    for (const container of task.containers.values()) findings.removed(container);
  }

  // ---- what is wanted

  function assign(assignments: readonly Assignment[], revisions: Revisions): boolean {
    // Immutable: the copy that is already resolved serves on.
    for (const key in revisions) {
      const revision = revisions[key];
      if (revision && !definitions.has(key)) definitions.set(key, revision);
    }
    let complete = true;
    for (const assignment of assignments) complete = assignOne(assignment) && complete;
    return complete;
  }

  function assignOne(assignment: Assignment): boolean {
    const known = tasks.get(assignment.task);
    const definition = definitions.get(`${assignment.namespace}/${assignment.revision}`);
    if (!known?.resolved && !definition && assignment.desiredStatus === "RUNNING") {
      log.warn({ task: assignment.task, revision: assignment.revision }, "an assignment's definition is not known");
      return false;
    }
    const resolved = known?.resolved ?? (definition && resolve(assignment, definition));
    const task = known ?? add(assignment.task, assignment.task, assignment.namespace, assignment.name);
    task.assignment = assignment;
    if (resolved && !task.resolved) define(task, resolved);
    want(task, assignment.desiredStatus);
    if (!known && resolved) refuseWhatDoesNotFit(task, resolved);
    consider(task);
    return true;
  }

  function define(task: TaskRecord, resolved: ResolvedTask): void {
    task.resolved = resolved;
    task.size = resolved.containers.length;
    // A task that the control plane has seen running is never started a second time.
    const { lastStatus = "PENDING", desiredStatus } = task.assignment ?? {};
    const hasRun = desiredStatus === "RUNNING" && lastStatus !== "PROVISIONING" && lastStatus !== "PENDING";
    const found = task.containers;
    task.containers = new Map();
    for (const { name, image, essential, stopTimeout } of resolved.containers) {
      const container =
        found.get(name) ?? newContainer(name, image, essential !== false, graceMs(stopTimeout, options.stopTimeoutMs));
      if (hasRun && !container.observed) container.lost = true;
      if (hasRun && container.observed?.lastStatus === "CREATED")
        container.failure = "CannotStartContainerError: it was not started when the task was";
      task.containers.set(name, container);
    }
  }

  function want(task: TaskRecord, desired: Assignment["desiredStatus"]): void {
    if (task.desired === "ABSENT") {
      // It was being removed; a second start would be a second copy.
      task.cause ??= { reason: NOT_ASSIGNED, asked: true };
      task.desired = "STOPPED";
    } else if (task.desired !== "STOPPED") task.desired = desired;
  }

  function refuseWhatDoesNotFit(task: TaskRecord, resolved: ResolvedTask): void {
    if (task.desired !== "RUNNING") return;
    const why = refusal(deps.registered(), heldBesides(task), resolved);
    if (!why) return;
    log.warn({ task: task.task, why }, "assignment refused");
    task.cause = { code: "TaskFailedToStart", reason: why, asked: false };
  }

  function* heldBesides(task: TaskRecord): Iterable<ResolvedTask> {
    for (const other of tasks.values())
      if (other !== task && other.resolved && other.state !== "STOPPED") yield other.resolved;
  }

  function replaceAll(assignments: readonly Assignment[], revisions: Revisions): boolean {
    synced = true;
    definitions.clear();
    const assigned = new Set(assignments.map(({ task }) => task));
    // First what goes, then what stays, then what comes: so that room is counted right.
    for (const task of [...tasks.values()])
      if (!assigned.has(task.task) || task.key !== task.task) dismiss(task, now());
    const stays = (assignment: Assignment) => tasks.has(assignment.task);
    const complete = assign(assignments.filter(stays), revisions);
    return (
      assign(
        assignments.filter((assignment) => !stays(assignment)),
        {},
      ) && complete
    );
  }

  function dismiss(task: TaskRecord, keepUntilMs: number): void {
    if (task.desired === "ABSENT") return;
    task.desired = "ABSENT";
    task.keepUntilMs = keepUntilMs;
    consider(task);
  }

  function forget(ids: readonly TaskId[]): void {
    for (const id of ids) {
      const task = tasks.get(id);
      if (task) dismiss(task, task.state === "STOPPED" ? now() + options.cleanupWaitMs : now());
    }
  }

  function add(key: string, task: TaskId, namespace: string, name: string): TaskRecord {
    const record: TaskRecord = {
      key,
      task,
      namespace,
      name,
      desired: "UNKNOWN",
      size: 0,
      containers: new Map(),
      sinceMs: now(),
      keepUntilMs: 0,
      state: "PENDING",
      seq: 0,
    };
    tasks.set(key, record);
    return record;
  }

  return {
    adopt: findings.relist,
    replaceAll,
    assign,
    forget,
    relist: findings.relist,
    changed: findings.changed,
    inventory() {
      const reports: TaskReport[] = [];
      for (const task of tasks.values()) {
        if (task.key !== task.task || (task.desired === "ABSENT" && task.state === "STOPPED")) continue;
        const plan = planTask(task, now());
        task.seq += 1;
        reports.push(describe(task, { state: plan.state, ...(plan.cause && { cause: plan.cause }) }, now()));
      }
      return reports;
    },
    containersOf(id) {
      const task = tasks.get(id);
      if (!task) return undefined;
      const ids = new Map<string, string>();
      for (const { name, observed } of task.containers.values()) if (observed) ids.set(name, observed.id);
      return ids;
    },
    size: () => [...tasks.values()].filter(({ state }) => state !== "STOPPED").length,
    close() {
      closed = true;
      alarm.close();
    },
  };
}
