// What a task needs besides its agent's reports: stops that were asked for, and deletion.
import { parseKey } from "../../api/references.js";
import type { Task } from "../../api/types.gen.js";
import { done } from "../../client/work-queue.js";
import type { Deps, Reconcile } from "../deps.js";
import { FINALIZER, MANAGER } from "../labels.js";
import { removeTask } from "../taskset/retention.js";
import { STOPPED_BY_USER, stopAskedStatus } from "./status.js";
import { isStopped, stopAsked } from "./view.js";

/** Whether a look at this task would do anything: most changes of most tasks need none. */
export function needsLook(task: Task): boolean {
  if (isStopped(task)) return task.metadata.deletionTimestamp !== undefined;
  return stopAsked(task) && task.status?.desiredStatus !== "STOPPED";
}

export function createTaskReconciler({ world, objects, now }: Deps): Reconcile {
  return async (key, client) => {
    const task = world.informers.Task.get(parseKey(key));
    if (task === undefined || !needsLook(task)) return done();
    const { metadata, spec } = task;
    if (isStopped(task)) {
      await removeTask(client, task);
      return done();
    }
    if (metadata.deletionTimestamp !== undefined && spec.desiredStatus !== "STOPPED") {
      const stop = { desiredStatus: "STOPPED", stopCode: "UserInitiated", stopReason: STOPPED_BY_USER };
      await client.patch("Task", metadata, { spec: stop }, { fieldManager: MANAGER });
      return done(); // Its own change brings it back.
    }
    await objects.changeStatus("Task", metadata, (current) => stopAskedStatus(current, now()), client);
    return done();
  };
}

export const withFinalizer = ({ metadata }: Task): string[] =>
  metadata.finalizers?.includes(FINALIZER.task)
    ? metadata.finalizers
    : [...(metadata.finalizers ?? []), FINALIZER.task];
