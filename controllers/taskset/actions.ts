// What a pass over a service's task sets does: starts and statuses; its stops are in `stops.ts`.
import { keyOf } from "../../api/references.js";
import type { Service, Task, TaskDefinitionRevision, TaskSet } from "../../api/types.gen.js";
import { ApiError, type ObjectClient } from "../../client/object-client.js";
import { unplacedServiceEvent } from "../../scheduling/why-not.js";
import type { Deps } from "../deps.js";
import { MANAGER } from "../labels.js";
import type { Pace } from "../pace.js";
import { inParallel } from "../parallel.js";
import type { Scheduler } from "../scheduler.js";
import type { Journal } from "../service/journal.js";
import { serviceTask } from "../task/new.js";
import { countTasks } from "../task/view.js";
import type { LastPlans } from "./last-plans.js";
import type { MachineFacts } from "./machines.js";
import { taskName } from "./names.js";
import type { SetInput, TasksPlan } from "./plan.js";
import type { Start } from "./slots.js";
import { taskSetStatus } from "./status.js";

export interface TaskSetDeps extends Deps {
  plans: LastPlans;
  scheduler: Scheduler;
  journal: Journal;
}

/** What one pass works with. */
export interface Pass {
  service: Service;
  serviceName: string;
  cluster: string;
  group: string;
  machines: MachineFacts | undefined;
  /** `set` is absent for tasks whose set is gone. */
  sets: readonly (SetInput & { set?: TaskSet })[];
  primary: TaskSet | undefined;
  /** Of the primary set. */
  revision: TaskDefinitionRevision | undefined;
  /** Ids of the deployments, by the uid of their task sets. */
  deployments: ReadonlyMap<string, string>;
  graceMs: number;
  minimumHealthyPercent: number;
  maximumPercent: number;
  nowMs: number;
}

/** @returns the tasks that were made, placed or not */
export async function startAll(
  deps: TaskSetDeps,
  client: ObjectClient,
  pass: Pass,
  { starts }: TasksPlan,
): Promise<Task[]> {
  const made: Task[] = [];
  const { primary, revision } = pass;
  if (primary === undefined || revision === undefined) return made;
  await inParallel(starts, async (start) => {
    const task = await startOne(deps, client, pass, { primary, revision, start });
    if (task) made.push(task);
  });
  return made;
}

async function startOne(
  { world, scheduler, journal, random, newUid, arnsOf, objects }: TaskSetDeps,
  client: ObjectClient,
  { service, serviceName, cluster, group, deployments, nowMs }: Pass,
  { primary, revision, start }: { primary: TaskSet; revision: TaskDefinitionRevision; start: Start },
): Promise<Task | undefined> {
  const { namespace } = primary.metadata;
  const name = taskName(service.metadata.name, start.slot, random);
  const { placementConstraints, placementStrategy } = primary.spec;
  const placement = scheduler.assign({
    namespace,
    name,
    cluster,
    group,
    kind: "service",
    definition: revision.spec,
    ...(placementConstraints && { constraints: placementConstraints }),
    ...(placementStrategy && { strategy: placementStrategy }),
  });
  if ("unplaced" in placement) {
    journal.say(keyOf(service.metadata), unplacedServiceEvent(serviceName, placement.unplaced));
  }
  const place =
    "instance" in placement
      ? {
          name: placement.instance,
          instance: world.informers.ContainerInstance.get({ namespace, name: placement.instance }),
        }
      : { message: placement.unplaced.message };
  const arns = arnsOf(namespace);
  const uid = newUid();
  const startedBy = deployments.get(primary.metadata.uid) ?? "";
  const task = serviceTask({
    ...start,
    set: primary,
    startedBy,
    service,
    group,
    name,
    uid,
    revision,
    place,
    nowMs,
    arns,
  });
  try {
    const made = await client.create("Task", task, { fieldManager: MANAGER });
    objects.wrote("Task", made);
    return made;
  } catch (error) {
    scheduler.release({ namespace, name }, cluster);
    // Another one of this name is there: the next pass takes another name.
    if (error instanceof ApiError && error.reason === "AlreadyExists") return undefined;
    throw error;
  }
}

/** Between two writes of one task set's status while it changes. */
const STATUS_GAP_MS = 300;

/** @returns when a status that was held back is due, ms */
export async function writeStatuses(
  { objects, arnsOf }: TaskSetDeps,
  client: ObjectClient,
  { sets, serviceName, nowMs, service }: Pass,
  { attempts, outcome, floor, ceiling }: TasksPlan,
  pace: Pace,
): Promise<number | undefined> {
  let dueMs: number | undefined;
  for (const { set, alive, primary } of sets) {
    if (set === undefined) continue;
    const key = keyOf(set.metadata);
    const facts = {
      counts: countTasks(alive, nowMs),
      serviceName,
      attempts: primary ? attempts : 0,
      ...(primary && outcome === "stuck" && { stuck: stuckText(service, floor, ceiling) }),
      arns: arnsOf(set.metadata.namespace),
      nowMs,
    };
    const newest = objects.newest("TaskSet", set.metadata) ?? set;
    if (taskSetStatus(newest, facts) === undefined) continue;
    const waitMs = pace.wait(key);
    if (waitMs > 0) {
      dueMs = Math.min(dueMs ?? Number.POSITIVE_INFINITY, nowMs + waitMs);
      continue;
    }
    pace.did(key, STATUS_GAP_MS);
    await objects.changeStatus("TaskSet", set.metadata, (current) => taskSetStatus(current, facts), client);
  }
  return dueMs;
}

function stuckText({ spec: { desiredCount = 1 } }: Service, floor: number, ceiling: number): string {
  const bounds = `of ${desiredCount} at least ${floor} must stay healthy and at most ${ceiling} may run`;
  return `the deployment cannot go on: ${bounds}; raise maximumPercent or lower minimumHealthyPercent`;
}
