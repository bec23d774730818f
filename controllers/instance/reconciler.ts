// A container instance's own status: what an operator wants of it at once, what its tasks hold of it at most once a
// second (decision A19).
import { parseKey } from "../../api/references.js";
import { again, done } from "../../client/work-queue.js";
import type { Deps, Reconcile } from "../deps.js";
import type { Scheduler } from "../scheduler.js";
import { isPending, isRunning } from "../task/view.js";
import { asWanted, loaded } from "./status.js";

const LOAD_GAP_MS = 1_000;

export function createInstanceReconciler({ world, objects, now }: Deps, scheduler: Scheduler): Reconcile {
  /** When a change that was seen is to be written, ms: changes come in swarms, and one write tells of them all. */
  const dueMs = new Map<string, number>();
  return async (key, client) => {
    const ref = parseKey(key);
    const instance = world.informers.ContainerInstance.get(ref);
    if (instance === undefined) {
      dueMs.delete(key);
      return done();
    }
    await objects.changeStatus("ContainerInstance", ref, (current) => asWanted(current, now()), client);

    let running = 0;
    let pending = 0;
    for (const task of world.tasksOn(ref)) {
      if (isRunning(task)) running++;
      else if (isPending(task)) pending++;
    }
    const load = { remaining: scheduler.remaining(instance), running, pending };
    if (loaded(objects.newest("ContainerInstance", ref) ?? instance, load, now()) === undefined) return done();
    const due = dueMs.get(key) ?? now() + LOAD_GAP_MS;
    dueMs.set(key, due);
    if (due > now()) return again(due - now());
    dueMs.delete(key);
    await objects.changeStatus("ContainerInstance", ref, (current) => loaded(current, load, now()), client);
    return done();
  };
}
