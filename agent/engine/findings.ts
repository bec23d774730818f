// What the runtime shows, noted in the records: by its list, by its changes, and by the steps that look.

import type { Log } from "../../api/log.js";
import type { TaskId } from "../../bus/messages.js";
import { LABELS } from "../runtimes/labels.js";
import type { Runtime, RuntimeContainer } from "../runtimes/runtime.js";
import type { Images } from "./images.js";
import { type ContainerRecord, graceMs, newContainer, type TaskRecord } from "./record.js";

export interface Findings {
  observe(task: TaskRecord, container: ContainerRecord, seen: RuntimeContainer): void;
  /** The runtime does not have it any more, without our doing. */
  vanished(container: ContainerRecord): void;
  /** We removed it. */
  removed(container: ContainerRecord): void;
  /** The runtime says that something happened to this container. */
  changed(id: string): void;
  /** Compares the records with all that the runtime holds. @throws when it does not answer. */
  relist(): Promise<void>;
}

export function createFindings(deps: {
  runtime: Pick<Runtime, "list">;
  images: Pick<Images, "seen">;
  tasks: ReadonlyMap<string, TaskRecord>;
  stopTimeoutMs: number;
  log: Log;
  add(key: string, task: TaskId, namespace: string, name: string): TaskRecord;
  /** Whether the assignments are known, so that a container without one is nobody's. */
  isUnwanted(): boolean;
  dismiss(task: TaskRecord): void;
  consider(task: TaskRecord): void;
  look(task: TaskRecord, container: ContainerRecord): void;
}): Findings {
  const { runtime, tasks, log } = deps;
  const byRuntimeId = new Map<string, { task: TaskRecord; container: ContainerRecord }>();
  /** Counts what was seen, so that a list knows what is newer than itself. */
  let events = 0;

  function observe(task: TaskRecord, container: ContainerRecord, seen: RuntimeContainer): void {
    container.observed = seen;
    events += 1;
    container.seenAt = events;
    byRuntimeId.set(seen.id, { task, container });
  }

  function vanished(container: ContainerRecord): void {
    events += 1;
    container.seenAt = events;
    if (!container.observed || container.observed.lastStatus === "STOPPED") return;
    container.lost = true;
    container.observed = { ...container.observed, lastStatus: "STOPPED" };
  }

  function removed(container: ContainerRecord): void {
    if (container.observed) byRuntimeId.delete(container.observed.id);
    container.observed = undefined;
    container.lost = true;
  }

  /** A container that no record has yet: of an earlier life of this agent, or of a step that timed out. */
  function found(seen: RuntimeContainer): TaskRecord | undefined {
    const known = tasks.get(seen.task);
    const container = known?.containers.get(seen.name);
    if (container?.busy === "create") return undefined;
    const second = container?.observed && container.observed.id !== seen.id;
    const key = second ? `${seen.task}#${seen.id}` : seen.task;
    const { labels } = seen;
    const task =
      (second ? undefined : known) ??
      deps.add(key, seen.task, labels[LABELS.namespace] ?? "", labels[LABELS.taskName] ?? "");
    task.size = Math.max(task.size, Number(labels[LABELS.containers] ?? 1));
    if (!task.assignment && labels[LABELS.stopWhenLost] !== undefined)
      task.stopWhenLostAfterMs = Number(labels[LABELS.stopWhenLost]);
    const record =
      task.containers.get(seen.name) ??
      newContainer(
        seen.name,
        seen.image,
        labels[LABELS.essential] !== "false",
        graceMs(labels[LABELS.stopTimeout], deps.stopTimeoutMs),
      );
    record.pulled = true;
    task.containers.set(seen.name, record);
    deps.images.seen(seen.image);
    observe(task, record, seen);
    if (second) log.error({ task: seen.task, id: seen.id }, "two containers under one name, the second is removed");
    if ((deps.isUnwanted() && task !== known) || second) deps.dismiss(task);
    return task;
  }

  async function relist(): Promise<void> {
    const listedAt = events;
    const listed = new Map((await runtime.list()).map((seen) => [seen.id, seen]));
    const touched = new Set<TaskRecord>();
    for (const seen of listed.values()) {
      const entry = byRuntimeId.get(seen.id);
      if (!entry) {
        const task = found(seen);
        if (task) touched.add(task);
      } else if (entry.container.seenAt <= listedAt && !entry.container.busy) {
        observe(entry.task, entry.container, seen);
        entry.container.uncertain = false;
        touched.add(entry.task);
      }
    }
    for (const [id, { task, container }] of byRuntimeId) {
      if (listed.has(id) || container.seenAt > listedAt || container.busy) continue;
      vanished(container);
      touched.add(task);
    }
    for (const task of touched) deps.consider(task);
  }

  function changed(id: string): void {
    const entry = byRuntimeId.get(id);
    if (!entry) return;
    const { task, container } = entry;
    if (container.busy) {
      container.dirty = true;
      return;
    }
    // Until the look succeeds nothing is sure, unless it was over already: that is never taken back.
    container.uncertain = container.observed?.lastStatus !== "STOPPED";
    container.retryAtMs = 0;
    deps.look(task, container);
  }

  return { observe, vanished, removed, changed, relist };
}
