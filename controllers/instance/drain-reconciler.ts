// Tells how the drain of a machine goes, in its condition `Drained`, and begins one whose time has come. The moves
// themselves are those of the services' plans.
import { removeCondition, setCondition } from "../../api/conditions.js";
import { serviceNameOf } from "../../api/names.js";
import { keyOf, parseKey } from "../../api/references.js";
import type { ContainerInstance, ContainerInstanceStatus, Task } from "../../api/types.gen.js";
import type { Ref } from "../../client/object-client.js";
import { again, done } from "../../client/work-queue.js";
import type { Deps, Reconcile } from "../deps.js";
import { createPace } from "../pace.js";
import { unableToDrainMessage } from "../service/events.js";
import type { Journal } from "../service/journal.js";
import type { LastPlans } from "../taskset/last-plans.js";
import { drainDueMs } from "./drain.js";
import { type DrainProgress, drainedCondition, drainProgress } from "./drain-progress.js";
import { asWanted } from "./status.js";

export interface DrainDeps extends Deps {
  journal: Journal;
  plans: LastPlans;
}

/** Between two writes of one machine's condition. */
const WRITE_GAP_MS = 1_000;

/** Keys are those of machines. */
export function createDrainReconciler(deps: DrainDeps): Reconcile {
  const { world, objects, now } = deps;
  const pace = createPace(now);
  /** What was said to services about machines that they cannot leave. */
  const said = new Map<string, string>();

  return async (key, client) => {
    const ref = parseKey(key);
    const instance = world.informers.ContainerInstance.get(ref);
    if (instance === undefined) {
      said.delete(key);
      return done();
    }
    if (instance.spec.drainAt !== undefined)
      await objects.changeStatus("ContainerInstance", ref, (current) => asWanted(current, now()), client);
    const current = objects.newest("ContainerInstance", ref) ?? instance;
    const progress = isGoing(current) ? look(deps, current) : undefined;
    tellServices(deps, said, ref, progress);
    const dueMs = drainDueMs(current, now());
    const later = dueMs === undefined ? done() : again(Math.max(0, dueMs - now()));
    const change = (each: ContainerInstance): ContainerInstanceStatus | undefined =>
      withProgress(each, isGoing(each) ? progress : undefined, now());
    if (change(current) === undefined) return later;
    const waitMs = pace.wait(key);
    if (waitMs > 0) return again(waitMs);
    pace.did(key, WRITE_GAP_MS);
    await objects.changeStatus("ContainerInstance", ref, change, client);
    return later;
  };
}

/** It drains, or is about to leave for good. */
export const isGoing = ({ status }: ContainerInstance): boolean =>
  status?.status === "DRAINING" || status?.status === "DEREGISTERING";

function look({ world, objects, plans }: DrainDeps, { metadata, status }: ContainerInstance): DrainProgress {
  return drainProgress({
    tasks: world.tasksOn(metadata).map((task) => objects.newest("Task", task.metadata) ?? task),
    serviceOf(task: Task) {
      const set = world.taskSetOf(task);
      if (set === undefined) return undefined;
      const ref = { namespace: set.metadata.namespace, name: set.spec.service };
      const service = world.informers.Service.get(ref);
      return { key: keyOf(ref), name: service === undefined ? ref.name : serviceNameOf(service) };
    },
    planOf: plans.of,
    agentConnected: status?.agentConnected ?? false,
  });
}

/** Undefined where it is said already. */
function withProgress(
  { metadata, status }: ContainerInstance,
  progress: DrainProgress | undefined,
  nowMs: number,
): ContainerInstanceStatus | undefined {
  if (status === undefined) return undefined;
  const before = status.conditions ?? [];
  const conditions =
    progress === undefined
      ? removeCondition(before, "Drained")
      : setCondition(before, { ...drainedCondition(progress), observedGeneration: metadata.generation }, nowMs);
  return conditions === before ? undefined : { ...status, conditions, version: (status.version ?? 0) + 1 };
}

/** Each service that the machine waits for in vain hears of it, once as long as it stays so. */
function tellServices(
  { journal }: DrainDeps,
  said: Map<string, string>,
  instance: Ref,
  progress: DrainProgress | undefined,
): void {
  const key = keyOf(instance);
  const unable = progress?.unable ?? new Map<string, never>();
  const text = JSON.stringify([...unable]);
  if (unable.size === 0) said.delete(key);
  else if (said.get(key) !== text) {
    said.set(key, text);
    for (const [service, { name, why }] of unable) journal.say(service, unableToDrainMessage(name, instance.name, why));
  }
}
