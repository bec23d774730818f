// Looks after the tasks of a machine that is not heard of, and takes them back when it is.
import { ecsId } from "../../api/arn.js";
import { keyOf } from "../../api/references.js";
import type { ContainerInstance, LostInstances, Task } from "../../api/types.gen.js";
import type { ObjectClient, Ref } from "../../client/object-client.js";
import { again, done, type Outcome } from "../../client/work-queue.js";
import { clusterKey } from "../cluster/keys.js";
import type { Deps } from "../deps.js";
import { deafened } from "../instance/status.js";
import { createGate, inParallel } from "../parallel.js";
import { isAssigned } from "../task/assignment.js";
import { type Hearing, isUnconfirmed, type LostPolicy, type LostTask, lostPolicy, lostSince } from "../task/lost.js";
import {
  backStatus,
  confirmedGoneStatus,
  hostGone,
  isOutOfReach,
  setAsideStatus,
  strandedStatus,
  unreachableStatus,
} from "../task/lost-status.js";
import type { World } from "../world.js";
import { planLost } from "./plan.js";

/** Between SIGTERM and SIGKILL where a container does not say: ECS_CONTAINER_STOP_TIMEOUT's default. */
const STOP_TIMEOUT_MS = 30_000;

/** A machine's object that was deleted in spite of its tasks may be made anew by its agent. */
const GONE_MS = 60_000;

/** What its service, or its cluster, says of a task. */
export function policyFor(world: World, task: Task): LostPolicy {
  const set = world.taskSetOf(task);
  const { namespace } = task.metadata;
  const service = set && world.informers.Service.get({ namespace, name: set.spec.service });
  return lostPolicy(service?.spec.lostInstances, world.cluster(namespace, task.spec.cluster)?.spec.lostInstances);
}

/** For the task's assignment. */
export function stopWhenLostAfterMs(world: World, task: Task): number | undefined {
  const { action, afterMs } = policyFor(world, task);
  return action === "STOP" ? afterMs : undefined;
}

export const isSamePolicy = (a: LostInstances = {}, b: LostInstances = {}): boolean =>
  a === b || (a.action === b.action && a.afterSeconds === b.afterSeconds && a.onReturn === b.onReturn);

export interface LostDeps extends Deps {
  hearing: (clusterKey: string) => Hearing;
}

export interface LostSide {
  /** The machine is not heard. @returns when to look again, ms; undefined: when something changes */
  away(client: ObjectClient, instance: ContainerInstance): Promise<number | undefined>;
  /** Its session is open. `isLeftover`: it still has this task of old. */
  back(client: ObjectClient, instance: ContainerInstance, isLeftover: (id: string) => boolean): Promise<void>;
  /** The machine's object is gone, and may come again. */
  gone(client: ObjectClient, ref: Ref): Promise<Outcome>;
}

/** Writes that go on at a time for all machines together: when half of a fleet is lost, whoever starts a task
 *  elsewhere is not to wait behind thousands of them. */
const IN_FLIGHT = 32;

export function createLostSide(deps: LostDeps): LostSide {
  const { world, objects, now } = deps;
  const gate = createGate(IN_FLIGHT);
  /** Since when nothing could be decided for want of hearing. */
  const deafSinceMs = new Map<string, number>();
  /** Since when a machine that has tasks has no object. */
  const goneSinceMs = new Map<string, number>();

  const lostTask = (task: Task): LostTask => {
    const set = world.taskSetOf(task);
    const service = set && world.informers.Service.get({ namespace: set.metadata.namespace, name: set.spec.service });
    const containers = world.definitionOf(task)?.containerDefinitions ?? [];
    return {
      task,
      policy: policyFor(world, task),
      wantedBack:
        set?.spec.role === "PRIMARY" &&
        set.metadata.deletionTimestamp === undefined &&
        service !== undefined &&
        service.metadata.deletionTimestamp === undefined,
      stopTimeoutMs: Math.max(
        ...containers.map(({ stopTimeout }) => (stopTimeout === undefined ? STOP_TIMEOUT_MS : stopTimeout * 1000)),
        0,
      ),
    };
  };

  async function write(
    client: ObjectClient,
    tasks: readonly Task[],
    change: (task: Task) => Task["status"],
  ): Promise<void> {
    await inParallel(tasks, ({ metadata }) =>
      gate(async () => {
        await objects.changeStatus("Task", metadata, change, client);
      }),
    );
  }

  return {
    async away(client, instance) {
      const { metadata, spec } = instance;
      const key = keyOf(metadata);
      const tasks = newestOf(deps, world.tasksOn(metadata)).filter(isAssigned);
      await write(client, tasks, unreachableStatus);
      const sinceMs = lostSince(instance);
      if (sinceMs === undefined) return undefined;
      const hearing = deps.hearing(clusterKey(metadata.namespace, spec.cluster));
      const plan = planLost(newestOf(deps, tasks).map(lostTask), sinceMs, hearing, now());
      // It may have come back in the meantime: then it is asked what it has first.
      const still = () => objects.newest("ContainerInstance", metadata)?.status?.agentConnected === false;
      const words = { stopCode: "InfrastructureHealth" as const, stopReason: hostGone(instance) };
      await write(client, plan.stop, (task) =>
        still() ? strandedStatus(task, words, "MachineLost", now()) : undefined,
      );
      await write(client, plan.setAside, (task) => (still() ? setAsideStatus(task, instance, now()) : undefined));
      const deafMs = deafFor(key, plan.deaf, hearing.graceMs);
      if (deafMs === undefined || deafMs === 0)
        await objects.changeStatus(
          "ContainerInstance",
          metadata,
          (current) => deafened(current, plan.deaf, now()),
          client,
        );
      return plan.dueMs ?? (deafMs ? now() + deafMs : undefined);
    },
    async back(client, { metadata }, isLeftover) {
      const apart = newestOf(deps, world.tasksOn(metadata).filter(isOutOfReach));
      await write(client, apart, (task) => backStatus(task, now()));
      const gone = world.unconfirmedTasks(metadata).filter((task) => !isLeftover(ecsId(task.metadata.uid)));
      await write(client, newestOf(deps, gone).filter(isUnconfirmed), (task) => confirmedGoneStatus(task, now()));
    },
    async gone(client, ref) {
      const key = keyOf(ref);
      deafSinceMs.delete(key);
      const tasks = world.tasksOn(ref).filter(isAssigned);
      if (tasks.length === 0) {
        goneSinceMs.delete(key);
        return done();
      }
      const firstMs = goneSinceMs.get(key) ?? now();
      goneSinceMs.set(key, firstMs);
      if (firstMs + GONE_MS > now()) return again(firstMs + GONE_MS - now());
      const words = {
        stopCode: "InfrastructureHealth" as const,
        stopReason: `Host EC2 (instance ${ref.name}) stopped/terminated`,
      };
      await write(client, newestOf(deps, tasks), (task) => strandedStatus(task, words, "MachineLost", now()));
      goneSinceMs.delete(key);
      return done();
    },
  };

  /** How long, ms, until it is worth saying; 0: now; undefined: it is not so. */
  function deafFor(key: string, deaf: boolean, graceMs: number): number | undefined {
    if (!deaf) {
      deafSinceMs.delete(key);
      return undefined;
    }
    const firstMs = deafSinceMs.get(key) ?? now();
    deafSinceMs.set(key, firstMs);
    return Math.max(0, firstMs + graceMs - now());
  }
}

const newestOf = ({ objects }: Deps, tasks: readonly Task[]): Task[] =>
  tasks.map((task) => objects.newest("Task", task.metadata) ?? task);
