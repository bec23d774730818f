// Keeps one task set per deployment of a service, and tells how the service stands.

import { getCondition } from "../../api/conditions.js";
import { fieldsWithoutEffect, notImplementedMessage } from "../../api/fields.js";
import { clusterNameOf, parseRevisionReference, serviceNameOf } from "../../api/names.js";
import { controllerOf, controllerReference, isControlledBy, keyOf, parseKey } from "../../api/references.js";
import type { Service, Task } from "../../api/types.gen.js";
import type { ObjectClient } from "../../client/object-client.js";
import { again, done } from "../../client/work-queue.js";
import type { Deps, Reconcile } from "../deps.js";
import { FINALIZER, LABEL, labelValue, MANAGER } from "../labels.js";
import { createPace } from "../pace.js";
import { type Counts, countTask, healthyLater, isStopped, noCounts, sooner } from "../task/view.js";
import { THROTTLED_AFTER } from "../taskset/backoff.js";
import { isNotRunnable } from "../taskset/reconciler.js";
import { addEvents, steadyMessage } from "./events.js";
import type { Journal } from "./journal.js";
import { lastFailure } from "./last-failure.js";
import { type Problem, planService, type ServicePlan, type ServiceSteps, type SetView, type Step } from "./plan.js";
import { type Resolution, resolveRevision } from "./resolve.js";
import { isSteady, type ServiceFacts, serviceStatus } from "./status.js";

export interface ServiceDeps extends Deps {
  journal: Journal;
}

const PASS_GAP_MS = 10;
const TASKS_PER_MS = 12;
/** Between two writes of one service's status while it changes. */
const STATUS_GAP_MS = 300;

type Run = {
  [K in keyof ServiceSteps]: (client: ObjectClient, service: Service, step: ServiceSteps[K]) => Promise<void>;
};

/** A step without an executor does not compile. */
const run: Run = {
  async createTaskSet(client, service, { name, template, desiredCount }) {
    const cluster = clusterNameOf(template.cluster);
    const labels = { [LABEL.service]: labelValue(service.metadata.name), [LABEL.cluster]: labelValue(cluster) };
    const { namespace } = service.metadata;
    const metadata = { name, namespace, labels, ownerReferences: [controllerReference(service)] };
    const spec = { ...template, cluster, role: "PRIMARY" as const, desiredCount };
    await client.create(
      "TaskSet",
      { apiVersion: "davit.dev/v1", kind: "TaskSet", metadata, spec },
      { fieldManager: MANAGER },
    );
  },
  async setTaskSet(client, _service, { set, role, desiredCount }) {
    await client.patch("TaskSet", set.metadata, { spec: { role, desiredCount } }, { fieldManager: MANAGER });
  },
  async deleteTaskSet(client, _service, { set }) {
    await client.delete("TaskSet", set.metadata, { uid: set.metadata.uid });
  },
  async release(client, service) {
    const finalizers = (service.metadata.finalizers ?? []).filter((name) => name !== FINALIZER.service);
    await client.patch("Service", service.metadata, { metadata: { finalizers } }, { fieldManager: MANAGER });
  },
};
const execute = <K extends keyof ServiceSteps>(client: ObjectClient, service: Service, step: Step<K>): Promise<void> =>
  run[step.kind as K](client, service, step as Step<K> & ServiceSteps[K]);

export function createServiceReconciler(deps: ServiceDeps): Reconcile {
  const { world, now } = deps;
  const pace = createPace(now);
  const statusPace = createPace(now);

  return async (key, client) => {
    const waitMs = pace.wait(key);
    if (waitMs > 0) return again(waitMs);
    const service = world.informers.Service.get(parseKey(key));
    if (service === undefined) {
      deps.journal.take(key);
      return done();
    }
    if (needsFinalizer(service)) {
      const finalizers = [...(service.metadata.finalizers ?? []), FINALIZER.service];
      await client.patch("Service", service.metadata, { metadata: { finalizers } }, { fieldManager: MANAGER });
    }
    const nowMs = now();
    const tasks = world.tasksOfService(service.metadata);
    pace.did(key, PASS_GAP_MS + tasks.length / TASKS_PER_MS);
    const tally = tallyOf(tasks, nowMs);
    const sets = viewsOf(deps, service, tally);
    const plan = decide(deps, service, sets, nowMs);
    for (const step of plan.steps) await execute(client, service, step);
    if (plan.steps.some(({ kind }) => kind === "release")) return done();

    const facts = factsOf(deps, service, { sets, plan, tally, nowMs });
    const written = await writeStatus(deps, client, service, { facts, waitMs: statusPace.wait(key) });
    if (written === "written") statusPace.did(key, STATUS_GAP_MS);
    const statusDueMs = typeof written === "number" ? written : undefined;
    const dueMs = [plan.recheckAtMs, statusDueMs, tally.nextHealthyMs].filter((ms) => ms !== undefined);
    return dueMs.length === 0 ? done() : again(Math.max(0, Math.min(...dueMs) - now()));
  };
}

const needsFinalizer = ({ metadata }: Service): boolean =>
  metadata.deletionTimestamp === undefined && !metadata.finalizers?.includes(FINALIZER.service);

/** All that a look at a service needs to know of its tasks, taken in one go over them. */
interface Tally {
  /** By the uid of the task set. */
  counts: ReadonlyMap<string, Counts>;
  nextHealthyMs: number | undefined;
  /** One that has no machine, if there is one. */
  waiting: Task | undefined;
}

function tallyOf(tasks: readonly Task[], nowMs: number): Tally {
  const counts = new Map<string, Counts>();
  let waiting: Task | undefined;
  let healthyAt: string | undefined;
  for (const task of tasks) {
    if (isStopped(task)) continue;
    if (task.status?.lastStatus === "PROVISIONING") waiting ??= task;
    healthyAt = sooner(healthyAt, healthyLater(task, nowMs));
    const owner = controllerOf(task)?.uid ?? "";
    let ofOwner = counts.get(owner);
    if (ofOwner === undefined) {
      ofOwner = noCounts();
      counts.set(owner, ofOwner);
    }
    countTask(ofOwner, task, nowMs);
  }
  return { counts, nextHealthyMs: healthyAt === undefined ? undefined : Date.parse(healthyAt), waiting };
}

const viewsOf = ({ world }: ServiceDeps, service: Service, { counts }: Tally): SetView[] =>
  world
    .taskSetsOf(service.metadata)
    .filter((set) => isControlledBy(set, service))
    .map((set) => ({ set, counts: counts.get(set.metadata.uid) ?? noCounts() }));

function decide({ world }: ServiceDeps, service: Service, sets: readonly SetView[], nowMs: number): ServicePlan {
  const { metadata, spec, status } = service;
  const { namespace } = metadata;
  const current = sets.find(({ set }) => set.spec.role === "PRIMARY")?.set.spec.taskDefinition;
  const reference = parseRevisionReference(spec.taskDefinition ?? "");
  const resolution: Resolution = reference
    ? resolveRevision(reference, world.revisionsOf(namespace, reference.family), {
        ...(current !== undefined && { current }),
        ...(status?.rejectedRevisions && { rejected: status.rejectedRevisions }),
      })
    : { ok: false, reason: "TaskDefinitionNotFound", message: "TaskDefinition not found." };
  const definition = reference && world.definitionOfFamily(namespace, reference.family);
  const definitionPending =
    definition !== undefined &&
    definition.metadata.deletionTimestamp === undefined &&
    definition.status?.observedGeneration !== definition.metadata.generation;
  const problem = problemOf(world, service, resolution);
  return planService({
    service,
    cluster: clusterNameOf(spec.cluster),
    sets,
    resolution,
    definitionPending,
    nowMs,
    ...(problem && { problem }),
  });
}

/** What keeps anything from being started, told by the objects around the service (decision A11). */
function problemOf(world: ServiceDeps["world"], service: Service, resolution: Resolution): Problem | undefined {
  const { notImplemented } = fieldsWithoutEffect("Service", service.spec);
  if (notImplemented !== undefined) {
    return { reason: "NotImplemented", message: notImplementedMessage(notImplemented) };
  }
  const cluster = world.cluster(service.metadata.namespace, service.spec.cluster);
  if (cluster === undefined) return { reason: "ClusterNotFound", message: "Cluster not found." };
  if (!resolution.ok || !isNotRunnable(resolution.revision)) return undefined;
  const message = getCondition(resolution.revision.status?.conditions, "Runnable")?.message ?? "";
  return { reason: "NotImplemented", message };
}

interface Seen {
  sets: readonly SetView[];
  plan: ServicePlan;
  tally: Tally;
  nowMs: number;
}

function factsOf({ arnsOf, world }: ServiceDeps, service: Service, { sets, plan, tally, nowMs }: Seen): ServiceFacts {
  const { waiting } = tally;
  const unplaced = waiting && getCondition(waiting.status?.conditions, "Placed")?.message;
  const primary = sets.find(({ set }) => set.metadata.name === plan.primary);
  return {
    cluster: clusterNameOf(service.spec.cluster),
    serviceName: serviceNameOf(service),
    sets,
    throttled: (primary?.set.status?.failedTasks ?? 0) >= THROTTLED_AFTER,
    arns: arnsOf(service.metadata.namespace),
    nowMs,
    ...(plan.primary !== undefined && { primary: plan.primary }),
    ...(plan.problem && { problem: plan.problem }),
    ...(unplaced !== undefined && { unplaced }),
    lastFailure: () => primary && lastFailure(world.tasksOfService(service.metadata), primary.set.metadata.uid),
  };
}

/** @returns when a status that was held back is due, ms */
async function writeStatus(
  { objects, journal, newUid }: ServiceDeps,
  client: ObjectClient,
  service: Service,
  { facts, waitMs }: { facts: ServiceFacts; waitMs: number },
): Promise<number | "written" | "same"> {
  const key = keyOf(service.metadata);
  const { nowMs, serviceName } = facts;
  const messages = journal.take(key);
  const make = (current: Service) => {
    const status = serviceStatus(current, facts);
    const wasSteady = getCondition(current.status?.conditions, "Ready")?.reason === "SteadyState";
    const steady = isSteady(current, facts) && !wasSteady ? [steadyMessage(serviceName)] : [];
    const problem = facts.problem ? [`(service ${serviceName}) ${facts.problem.message}`] : [];
    const events = addEvents(current.status?.events, [...problem, ...messages, ...steady], nowMs, newUid);
    if (events.length > 0) status.events = events;
    return { status, steadyNow: steady.length > 0, changed: !isSame(current.status, status) };
  };
  const preview = make(objects.newest("Service", service.metadata) ?? service);
  if (!preview.changed) return "same";
  // A first word, a steady state or a new generation is told at once; counts on their way may wait.
  const { observedGeneration, status } = service.status ?? {};
  const urgent =
    preview.steadyNow || preview.status.observedGeneration !== observedGeneration || preview.status.status !== status;
  if (waitMs > 0 && !urgent) {
    journal.back(key, messages);
    return nowMs + waitMs;
  }
  try {
    await objects.changeStatus(
      "Service",
      service.metadata,
      (current) => {
        const { status, changed } = make(current);
        return changed ? status : undefined;
      },
      client,
    );
  } catch (error) {
    journal.back(key, messages);
    throw error;
  }
  return "written";
}

/** Flat; deployments, events and conditions keep their arrays while they are the same. */
function isSame(before: Service["status"], after: NonNullable<Service["status"]>): boolean {
  if (before === undefined) return false;
  const fields = new Set([...Object.keys(before), ...Object.keys(after)]) as Set<keyof typeof after>;
  return [...fields].every((field) => before[field] === after[field]);
}
