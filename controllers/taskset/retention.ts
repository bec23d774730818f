// Which stopped tasks of a task set are kept as objects (decision A29).
import type { Task } from "../../api/types.gen.js";
import { ApiError, type ObjectClient } from "../../client/object-client.js";
import { FINALIZER } from "../labels.js";
import { inParallel } from "../parallel.js";
import { failedToStart, stopAsked } from "../task/view.js";
import { lastOfEach, type SetTasks, slotOf } from "./slots.js";

/** Stopped tasks kept per task set, where the cluster says nothing else in `stoppedTaskRetention`. */
const KEPT = 5;

/** The stopped tasks that may go: all but the newest `kept`, and but those that tell a free slot how long to wait. */
export function surplusStopped({ alive, stopped }: SetTasks, kept = KEPT): Task[] {
  if (stopped.length <= kept) return [];
  const taken = new Set(alive.filter((task) => !stopAsked(task)).map(slotOf));
  const last = lastOfEach(stopped);
  return [...stopped]
    .sort((a, b) => ((b.status?.stoppedAt ?? "") < (a.status?.stoppedAt ?? "") ? -1 : 1))
    .slice(kept)
    .filter((task) => taken.has(slotOf(task)) || last.get(slotOf(task)) !== task || !failedToStart(task));
}

/** In one pass, where there is nothing to start; and where there is: what waits to be started comes first. */
const MOST = 256;
const MOST_BESIDE_STARTS = 64;

/** @returns whether there is more to remove, for a later pass */
export async function retire(
  client: ObjectClient,
  sets: readonly SetTasks[],
  { kept, starting }: { kept?: number | undefined; starting: boolean },
): Promise<boolean> {
  const surplus = sets.flatMap((set) => surplusStopped(set, kept));
  const now = surplus.slice(0, starting ? MOST_BESIDE_STARTS : MOST);
  await inParallel(now, (task) => removeTask(client, task));
  return now.length < surplus.length;
}

/** Deletes a stopped task, with the finalizer that kept it until then. */
export async function removeTask(client: ObjectClient, task: Task): Promise<void> {
  const finalizers = (task.metadata.finalizers ?? []).filter((name) => name !== FINALIZER.task);
  const { uid } = task.metadata;
  try {
    if (finalizers.length < (task.metadata.finalizers?.length ?? 0)) {
      await client.patch("Task", task.metadata, { metadata: { uid, finalizers } });
    }
    if (task.metadata.deletionTimestamp === undefined) await client.delete("Task", task.metadata, { uid });
  } catch (error) {
    if (!(error instanceof ApiError && (error.code === 404 || error.code === 409))) throw error;
  }
}
