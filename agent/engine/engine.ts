// Makes the containers of this machine match its assignments. It decides by `planTask`, does by `createSteps`, and
// tells by `report`; whatever happens ends in looking at the task again.

import type { Log } from "../../api/log.js";
import type { PortRange } from "../../api/port-range.js";
import type { Resource } from "../../api/types.gen.js";
import type { Assignment, Revisions, TaskId, TaskReport } from "../../bus/messages.js";
import type { Runtime } from "../runtimes/runtime.js";
import { createAlarm } from "./alarm.js";
import { createFence } from "./fence.js";
import { createFindings } from "./findings.js";
import type { Images } from "./images.js";
import { planTask } from "./plan.js";
import type { TaskRecord } from "./record.js";
import { describe, fingerprint } from "./report.js";
import { createSteps } from "./steps.js";
import { createWants } from "./wants.js";

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
  /** A stop that takes so much longer than its timeout hangs. */
  hangingMs: number;
  /** The share of the host's ports that tasks may ask for by number; absent: all. */
  portRange?: PortRange;
  /** Wait after a failed step; it doubles up to the maximum. */
  retryMs: number;
  maxRetryMs: number;
}

export interface Engine {
  /** Takes over what the runtime holds. @throws when the runtime does not answer. */
  adopt(): Promise<void>;
  /** A sync answer: the complete list. What is missing from it is stopped and removed, before anything is started. */
  replaceAll(assignments: readonly Assignment[], revisions: Revisions): boolean;
  /** Resolves when what a sync answer did not name is gone, or does not go in time; undefined if nothing is waited for. */
  clearing(): Promise<void> | undefined;
  /** New or changed assignments; false if a definition they refer to is not known: sync again. */
  assign(assignments: readonly Assignment[], revisions: Revisions): boolean;
  /** These tasks are STOPPED in the store. */
  forget(tasks: readonly TaskId[]): void;
  /** All that runs runs on, and is left alone for good. */
  letGo(): void;
  /** So long without the control plane, ms: tasks that are not to outlive that are stopped. */
  lostFor(ms: number): void;
  /** What is stopped is removed now, not after `cleanupWaitMs`. */
  sweep(): void;
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
  /** All that is known, to look at. */
  records(): Iterable<Readonly<TaskRecord>>;
  /** What holds everything up, for a person. */
  problems(): string[];
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
  const alarm = createAlarm(now, (task: TaskRecord) => consider(task));
  const fence = createFence({ tasks, hangingMs: options.hangingMs, log, onDown: considerHeld });
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
    dismiss: (task) => wants.dismiss(task, now()),
    consider,
    look: (task, container) => step(task, { kind: "look", container: container.name }),
  });
  const step = createSteps({ ...deps, findings, again: consider });
  const wants = createWants({ tasks, fence, registered: deps.registered, options, now, log, add, consider });

  // ---- deciding

  function consider(task: TaskRecord): void {
    if (closed || tasks.get(task.key) !== task) return;
    const plan = planTask(task, now(), fence.holds());
    if (plan.held && heldTooLong(task)) {
      consider(task);
      return;
    }
    if (plan.cause && !task.cause) {
      task.cause = plan.cause;
      task.sinceMs = now();
    }
    task.state = plan.state;
    if (plan.gone) drop(task);
    else {
      for (const next of plan.steps) step(task, next);
      if (plan.recheckAtMs !== undefined) alarm.set(task, plan.recheckAtMs);
      publish(task);
    }
    fence.look(task);
  }

  /** A launch that is held back ends in time, too: its place may be somewhere else. */
  function heldTooLong(task: TaskRecord): boolean {
    task.heldSinceMs ??= now();
    const dueMs = task.heldSinceMs + options.startTimeoutMs;
    if (dueMs > now()) {
      alarm.set(task, dueMs);
      return false;
    }
    const why = fence.problems().join("; ") || "containers that have to go first do not stop";
    for (const container of task.containers.values())
      if (container.observed?.lastStatus !== "RUNNING")
        container.failure ??= `DockerTimeoutError: Could not transition to started; timed out: ${why}`;
    return true;
  }

  function considerHeld(): void {
    for (const task of [...tasks.values()]) {
      if (task.heldSinceMs === undefined) continue;
      delete task.heldSinceMs;
      consider(task);
    }
  }

  function publish(task: TaskRecord): void {
    if (task.desired !== "RUNNING" && task.desired !== "STOPPED") return;
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
    replaceAll(assignments, revisions) {
      synced = true;
      return wants.replaceAll(assignments, revisions);
    },
    clearing: fence.clearing,
    assign: wants.assign,
    forget: wants.forget,
    letGo: wants.letGo,
    lostFor: wants.lostFor,
    sweep: wants.sweep,
    relist: findings.relist,
    changed: findings.changed,
    inventory() {
      const reports: TaskReport[] = [];
      for (const task of tasks.values()) {
        if (task.key !== task.task || task.desired === "LET_GO") continue;
        if (task.desired === "ABSENT" && task.state === "STOPPED") continue;
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
    size: () => [...tasks.values()].filter(({ state, desired }) => state !== "STOPPED" && desired !== "LET_GO").length,
    records: () => tasks.values(),
    problems: fence.problems,
    close() {
      closed = true;
      fence.close();
      alarm.close();
    },
  };
}
