// What is wanted of this machine's tasks: by sync answers, pushes, and the time without either.

import type { Log } from "../../api/log.js";
import type { Resource, TaskDefinitionRevisionSpec } from "../../api/types.gen.js";
import type { Assignment, Revisions, TaskId } from "../../bus/messages.js";
import { type ResolvedTask, resolve } from "./definition.js";
import type { EngineOptions } from "./engine.js";
import type { Fence } from "./fence.js";
import { refusal } from "./ledger.js";
import { NOT_ASSIGNED, stillDown } from "./plan.js";
import { graceMs, newContainer, type TaskRecord } from "./record.js";

/** The parts of `Engine` that say what is wanted: see there. */
export interface Wants {
  replaceAll(assignments: readonly Assignment[], revisions: Revisions): boolean;
  assign(assignments: readonly Assignment[], revisions: Revisions): boolean;
  forget(tasks: readonly TaskId[]): void;
  letGo(): void;
  lostFor(ms: number): void;
  sweep(): void;
  /** It is not assigned (any more). */
  dismiss(task: TaskRecord, keepUntilMs: number): void;
}

export function createWants(deps: {
  tasks: ReadonlyMap<string, TaskRecord>;
  fence: Pick<Fence, "add">;
  registered: () => readonly Resource[];
  options: EngineOptions;
  now: () => number;
  log: Log;
  add(key: string, task: TaskId, namespace: string, name: string): TaskRecord;
  consider(task: TaskRecord): void;
}): Wants {
  const { tasks, fence, options, now, log, add, consider } = deps;
  /** Definitions of this session, by `<namespace>/<family:N>`. */
  const definitions = new Map<string, TaskDefinitionRevisionSpec>();

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
    if (known?.desired === "LET_GO") return true;
    const definition = definitions.get(`${assignment.namespace}/${assignment.revision}`);
    if (!known?.resolved && !definition && assignment.desiredStatus === "RUNNING") {
      log.warn({ task: assignment.task, revision: assignment.revision }, "an assignment's definition is not known");
      return false;
    }
    const resolved = known?.resolved ?? (definition && resolve(assignment, definition));
    const task = known ?? add(assignment.task, assignment.task, assignment.namespace, assignment.name);
    task.assignment = assignment;
    // It may have changed since the containers got their labels.
    if (assignment.stopWhenLostAfterMs === undefined) delete task.stopWhenLostAfterMs;
    else task.stopWhenLostAfterMs = assignment.stopWhenLostAfterMs;
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
    const why = refusal(deps.registered(), heldBesides(task), resolved, options.portRange);
    if (!why) return;
    log.warn({ task: task.task, why }, "assignment refused");
    task.cause = { code: "TaskFailedToStart", reason: why, asked: false };
  }

  function* heldBesides(task: TaskRecord): Iterable<ResolvedTask> {
    for (const other of tasks.values())
      if (other !== task && other.resolved && other.state !== "STOPPED") yield other.resolved;
  }

  function replaceAll(assignments: readonly Assignment[], revisions: Revisions): boolean {
    definitions.clear();
    const assigned = new Set(assignments.map(({ task }) => task));
    // First what goes, then what stays, then what comes: so that room is counted right.
    for (const task of [...tasks.values()]) if (!assigned.has(task.task) || task.key !== task.task) fenceOff(task);
    const stays = (assignment: Assignment) => tasks.has(assignment.task);
    const complete = assign(assignments.filter(stays), revisions);
    return (
      assign(
        assignments.filter((assignment) => !stays(assignment)),
        {},
      ) && complete
    );
  }

  function fenceOff(task: TaskRecord): void {
    if (task.desired === "LET_GO") return;
    // What is down and only kept for its logs is in nobody's way.
    const kept = task.desired === "ABSENT" && task.state === "STOPPED";
    dismiss(task, now());
    if (!kept) fence.add(task);
  }

  function letGo(): void {
    for (const task of [...tasks.values()]) {
      if (task.desired === "ABSENT" || task.desired === "LET_GO") continue;
      const lives = [...task.containers.values()].some((container) => !stillDown(container));
      if (task.cause || !lives) dismiss(task, now());
      else {
        task.desired = "LET_GO";
        consider(task);
      }
    }
  }

  function lostFor(ms: number): void {
    for (const task of [...tasks.values()]) {
      const { stopWhenLostAfterMs = Number.POSITIVE_INFINITY, lostForMs, desired } = task;
      if (stopWhenLostAfterMs > ms || lostForMs !== undefined) continue;
      if (desired !== "UNKNOWN" && desired !== "RUNNING") continue;
      task.lostForMs = stopWhenLostAfterMs;
      log.warn({ task: task.task, afterMs: stopWhenLostAfterMs }, "too long without the control plane: task stopped");
      consider(task);
    }
  }

  function sweep(): void {
    for (const task of [...tasks.values()]) {
      if (task.state !== "STOPPED" || task.desired === "UNKNOWN") continue;
      dismiss(task, now());
      task.keepUntilMs = Math.min(task.keepUntilMs, now());
      consider(task);
    }
  }

  function dismiss(task: TaskRecord, keepUntilMs: number): void {
    if (task.desired === "ABSENT" || task.desired === "LET_GO") return;
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

  return { replaceAll, assign, forget, letGo, lostFor, sweep, dismiss };
}
