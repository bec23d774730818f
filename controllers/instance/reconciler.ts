// A container instance's own status: what an operator wants of it at once, what its tasks hold of it at most once a
// second (decision A19); and its tasks, when it comes, is lost, or leaves.
import { parseKey } from "../../api/references.js";
import type { ContainerInstance } from "../../api/types.gen.js";
import type { ObjectClient, Ref } from "../../client/object-client.js";
import { again, done } from "../../client/work-queue.js";
import type { Deps, Reconcile } from "../deps.js";
import { FINALIZER, MANAGER } from "../labels.js";
import type { LostSide } from "../lost/lost.js";
import type { Scheduler } from "../scheduler.js";
import { isPending, isRunning } from "../task/view.js";
import { depart } from "./depart.js";
import { planDeparture } from "./departure.js";
import type { Sessions } from "./sessions.js";
import { asWanted, type Load, loaded, registering } from "./status.js";

const LOAD_GAP_MS = 1_000;

export interface InstanceReconcilerDeps extends Deps {
  scheduler: Scheduler;
  lost: LostSide;
  sessions: Sessions;
  /** How long the object of a machine that has left stays. */
  keepInactiveMs: number;
}

export function createInstanceReconciler(deps: InstanceReconcilerDeps): Reconcile {
  const { world, objects, now, scheduler, lost, keepInactiveMs } = deps;
  /** When a change that was seen is to be written, ms: changes come in swarms, and one write tells of them all. */
  const dueMs = new Map<string, number>();

  const loadOf = (instance: ContainerInstance): Load => {
    let running = 0;
    let pending = 0;
    for (const task of world.tasksOn(instance.metadata)) {
      if (isRunning(task)) running++;
      else if (isPending(task)) pending++;
    }
    return { remaining: scheduler.remaining(instance), running, pending };
  };

  /** @returns when to look again, ms */
  async function writeLoad(key: string, ref: Ref, client: ObjectClient): Promise<number | undefined> {
    const instance = objects.newest("ContainerInstance", ref);
    const load = instance && loadOf(instance);
    if (instance === undefined || load === undefined) return undefined;
    if (loaded(instance, load, now()) === undefined) return undefined;
    const due = dueMs.get(key) ?? now() + LOAD_GAP_MS;
    dueMs.set(key, due);
    if (due > now()) return due;
    dueMs.delete(key);
    await objects.changeStatus("ContainerInstance", ref, (current) => loaded(current, load, now()), client);
    return undefined;
  }

  /** Tasks of a machine that is there or not. @returns when to look again, ms */
  async function tend(instance: ContainerInstance, client: ObjectClient): Promise<number | undefined> {
    const session = deps.sessions.of(instance.metadata);
    if (session !== undefined) {
      await lost.back(client, instance, (id) => session.hasLeftover(id));
      // One that has left was let in again only to clean up.
      if (instance.status?.status === "INACTIVE" && session.leftoverCount === 0) deps.sessions.end(instance.metadata);
    } else if (instance.status?.agentConnected === false) return lost.away(client, instance);
    return undefined;
  }

  return async (key, client) => {
    const ref = parseKey(key);
    const instance = world.informers.ContainerInstance.get(ref);
    if (instance === undefined) {
      dueMs.delete(key);
      return lost.gone(client, ref);
    }
    await keepUntilDeregistered(instance, client);
    const status = (change: Parameters<typeof objects.changeStatus<"ContainerInstance">>[2]) =>
      objects.changeStatus("ContainerInstance", ref, change, client);
    await status((current) => registering(current, now()));
    await status((current) => asWanted(current, now()));
    const newest = objects.newest("ContainerInstance", ref) ?? instance;
    if (newest.spec.revoked) await deps.sessions.turnOut(ref);
    const tendMs = await tend(newest, client);
    const tasks = world.tasksOn(ref);
    const outcome = await depart(deps, client, newest, planDeparture(newest, tasks, keepInactiveMs, now()));
    const loadMs = await writeLoad(key, ref, client);
    if (outcome?.kind === "again") return outcome;
    const next = [tendMs, loadMs].filter((ms) => ms !== undefined);
    return next.length === 0 ? done() : again(Math.max(0, Math.min(...next) - now()));
  };
}

/** Deleting the object of a machine is to deregister it: it goes when that is done. */
async function keepUntilDeregistered({ metadata, status }: ContainerInstance, client: ObjectClient): Promise<void> {
  const { finalizers = [], deletionTimestamp } = metadata;
  if (deletionTimestamp !== undefined || finalizers.includes(FINALIZER.instance) || status?.status === "INACTIVE")
    return;
  const patch = { metadata: { finalizers: [...finalizers, FINALIZER.instance] } };
  await client.patch("ContainerInstance", metadata, patch, { fieldManager: MANAGER });
}
