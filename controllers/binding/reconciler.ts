// Gives tasks that wait a machine. One pass over all that wait in a cluster, woken when one joins them, or when room
// or what they lack appears. Keys are `<namespace>/<cluster>`.

import { ecsId } from "../../api/arn.js";
import { getCondition } from "../../api/conditions.js";
import { fieldsWithoutEffect, notImplementedMessage } from "../../api/fields.js";
import type { Condition } from "../../api/meta.js";
import { clusterNameOf, parseRevisionReference, serviceNameOf } from "../../api/names.js";
import { controllerOf, keyOf } from "../../api/references.js";
import type { Task, TaskDefinitionRevision, TaskDefinitionRevisionSpec, TaskStatus } from "../../api/types.gen.js";
import { ApiError, type ObjectClient } from "../../client/object-client.js";
import { done } from "../../client/work-queue.js";
import { unplacedServiceEvent } from "../../scheduling/why-not.js";
import type { Deps, Reconcile } from "../deps.js";
import { ignoredCondition } from "../ignored.js";
import { MANAGER } from "../labels.js";
import { inParallel } from "../parallel.js";
import type { Applicant, Scheduler } from "../scheduler.js";
import { startedMessages } from "../service/events.js";
import type { Journal } from "../service/journal.js";
import { resolveRevision } from "../service/resolve.js";
import { firstStatus, type onInstance } from "../task/new.js";
import { withFinalizer } from "../task/reconciler.js";
import { notPlaced, placed, readyCondition, stoppedStatus } from "../task/status.js";
import { declaredTaskTags, tooManyTags } from "../task/tags.js";
import { isWaiting } from "../task/view.js";
import { isNotRunnable } from "../taskset/reconciler.js";

export interface BindingDeps extends Deps {
  scheduler: Scheduler;
  journal: Journal;
}

/** What is done about one waiting task. */
type Verdict =
  | { kind: "bind"; revision: TaskDefinitionRevision; instance: string }
  | { kind: "wait"; reason: string; message: string; revision?: TaskDefinitionRevision }
  /** It can never run. */
  | { kind: "refuse"; message: string };

export function createBindingReconciler(deps: BindingDeps): Reconcile {
  return async (clusterKey, client) => {
    const waiting = [...deps.world.waitingTasks(clusterKey)]
      .map((task) => deps.objects.newest("Task", task.metadata) ?? task)
      .filter(isWaiting)
      .sort((a, b) => (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? -1 : 1));
    // Of a thousand equal tasks one that finds no room speaks for all.
    const failed = new Map<TaskDefinitionRevisionSpec, Verdict>();
    const verdicts = waiting.map((task) => ({ task, verdict: judge(deps, task, failed) }));
    await inParallel(verdicts, ({ task, verdict }) => carryOut(deps, client, task, verdict));
    return done();
  };
}

function judge(deps: BindingDeps, task: Task, failed: Map<TaskDefinitionRevisionSpec, Verdict>): Verdict {
  const found = revisionOf(deps, task);
  if (found.kind !== "found") return found;
  const { revision } = found;
  const { scheduler } = deps;
  const tooMany = tooManyTags(task, declaredTaskTags(deps.world, task, revision));
  if (tooMany !== undefined) return { kind: "refuse", message: tooMany };
  const applicant = applicantOf(task, revision.spec);
  const wished = task.spec.containerInstance;
  if (wished !== undefined) {
    const answer = scheduler.assignTo(wished, applicant);
    if (answer.ok) return { kind: "bind", revision, instance: wished };
    return { kind: "wait", reason: "NoRoom", message: answer.message, revision };
  }
  const plain = applicant.overrides === undefined && applicant.constraints === undefined;
  const before = plain ? failed.get(revision.spec) : undefined;
  if (before !== undefined) return before;
  const placement = scheduler.assign(applicant);
  if ("instance" in placement) return { kind: "bind", revision, instance: placement.instance };
  const verdict: Verdict = { kind: "wait", reason: "NoRoom", message: placement.unplaced.message, revision };
  if (plain) failed.set(revision.spec, verdict);
  const service = serviceOf(deps, task);
  if (service) {
    deps.journal.say(keyOf(service.metadata), unplacedServiceEvent(serviceNameOf(service), placement.unplaced));
  }
  return verdict;
}

/** The revision that it runs, resolved once; or what stands against that. */
function revisionOf({ world }: BindingDeps, task: Task): Verdict | { kind: "found"; revision: TaskDefinitionRevision } {
  const { namespace } = task.metadata;
  if (task.status?.taskDefinition !== undefined) {
    const revision = world.revision(namespace, task.status.taskDefinition);
    if (revision) return { kind: "found", revision };
  }
  if (world.cluster(namespace, task.spec.cluster) === undefined) {
    return { kind: "wait", reason: "ClusterNotFound", message: "Cluster not found." };
  }
  const reference = parseRevisionReference(task.spec.taskDefinition);
  if (reference === undefined) {
    return { kind: "wait", reason: "TaskDefinitionNotFound", message: "TaskDefinition not found." };
  }
  const resolution = resolveRevision(reference, world.revisionsOf(namespace, reference.family));
  if (!resolution.ok) return { kind: "wait", reason: resolution.reason, message: resolution.message };
  const { notImplemented } = fieldsWithoutEffect("Task", task.spec);
  if (notImplemented !== undefined) return { kind: "refuse", message: notImplementedMessage(notImplemented) };
  if (isNotRunnable(resolution.revision)) {
    return {
      kind: "refuse",
      message: getCondition(resolution.revision.status?.conditions, "Runnable")?.message ?? "NotImplemented",
    };
  }
  return { kind: "found", revision: resolution.revision };
}

const serviceOf = ({ world }: BindingDeps, task: Task) => {
  const set = world.taskSetOf(task);
  return set && world.informers.Service.get({ namespace: set.metadata.namespace, name: set.spec.service });
};

/** The default for a task without one (spec/06 §5). */
const groupOf = (task: Task, definition: TaskDefinitionRevisionSpec): string =>
  task.status?.group ?? task.spec.group ?? `family:${definition.family}`;

function applicantOf(task: Task, definition: TaskDefinitionRevisionSpec): Applicant {
  const { overrides, placementConstraints, placementStrategy, cluster } = task.spec;
  const sized = overrides?.cpu !== undefined || overrides?.memory !== undefined || overrides?.containerOverrides;
  return {
    namespace: task.metadata.namespace,
    name: task.metadata.name,
    cluster: clusterNameOf(cluster),
    group: groupOf(task, definition),
    kind: controllerOf(task)?.kind === "TaskSet" ? "service" : "standalone",
    definition,
    ...(sized && overrides && { overrides }),
    ...(placementConstraints && { constraints: placementConstraints }),
    ...(placementStrategy && { strategy: placementStrategy }),
  };
}

async function carryOut(deps: BindingDeps, client: ObjectClient, task: Task, verdict: Verdict): Promise<void> {
  const nowMs = deps.now();
  switch (verdict.kind) {
    case "bind":
      return bind(deps, client, task, verdict);
    case "refuse":
      await deps.objects.changeStatus(
        "Task",
        task.metadata,
        (current) =>
          isWaiting(current) ? stoppedStatus(current, "TaskFailedToStart", verdict.message, nowMs) : undefined,
        client,
      );
      return;
    case "wait":
      await deps.objects.changeStatus(
        "Task",
        task.metadata,
        (current) => (isWaiting(current) ? waitingStatus(deps, current, verdict, nowMs) : undefined),
        client,
      );
  }
}

async function bind(
  deps: BindingDeps,
  client: ObjectClient,
  task: Task,
  { revision, instance: name }: Extract<Verdict, { kind: "bind" }>,
): Promise<void> {
  const { objects, scheduler, world, journal } = deps;
  const { namespace } = task.metadata;
  const cluster = clusterNameOf(task.spec.cluster);
  try {
    const group = groupOf(task, revision.spec);
    if (task.spec.containerInstance === undefined) {
      const patch = { metadata: { finalizers: withFinalizer(task) }, spec: { containerInstance: name, group } };
      objects.wrote("Task", await client.patch("Task", task.metadata, patch, { fieldManager: MANAGER }));
    }
    const instance = world.informers.ContainerInstance.get({ namespace, name });
    const bound = await objects.changeStatus(
      "Task",
      task.metadata,
      (current) => (isWaiting(current) ? boundStatus(deps, current, { revision, group, instance }) : undefined),
      client,
    );
    // Somebody stopped it meanwhile, or took it away.
    if (bound?.status?.lastStatus !== "PENDING") scheduler.release(task.metadata, cluster);
    const service = serviceOf(deps, task);
    if (service)
      journal.say(keyOf(service.metadata), ...startedMessages(serviceNameOf(service), [ecsId(task.metadata.uid)]));
  } catch (error) {
    scheduler.release(task.metadata, cluster);
    if (!(error instanceof ApiError && error.code === 404)) throw error;
  }
}

function boundStatus(
  { arnsOf, now, world }: BindingDeps,
  task: Task,
  {
    revision,
    group,
    instance,
  }: { revision: TaskDefinitionRevision; group: string; instance: Parameters<typeof onInstance>[0] },
): TaskStatus {
  const { metadata, spec, status } = task;
  const arns = arnsOf(metadata.namespace);
  const cluster = clusterNameOf(spec.cluster);
  const nowMs = now();
  const { generation } = metadata;
  const first = firstStatus({
    uid: metadata.uid,
    cluster,
    group,
    revision,
    place: { instance },
    createdAt: status?.createdAt ?? metadata.creationTimestamp,
    generation,
    nowMs,
    arns,
    tags: declaredTaskTags(world, task, revision),
  });
  first.conditions = ignored(task, first.conditions ?? [], nowMs);
  if (status === undefined) return first;
  const next: TaskStatus = { ...status, ...first, version: (status.version ?? 0) + 1 };
  next.conditions = placed({ ...next, conditions: status.conditions ?? [] }, generation, nowMs);
  next.conditions = ignored(task, readyCondition(next, generation, nowMs), nowMs);
  return next;
}

/** Of a task that somebody wrote; a task set's are as its service has them. */
const ignored = (task: Task, conditions: readonly Condition[], nowMs: number): Condition[] =>
  controllerOf(task) === undefined
    ? ignoredCondition(conditions, "Task", task.spec, task.metadata.generation, nowMs)
    : [...conditions];

/** Undefined where nothing but numbers in the message has changed: those change with every task that comes or goes. */
function waitingStatus(
  { arnsOf, world }: BindingDeps,
  task: Task,
  { reason, message, revision }: Extract<Verdict, { kind: "wait" }>,
  nowMs: number,
): TaskStatus | undefined {
  const { metadata, spec, status } = task;
  const said = getCondition(status?.conditions, "Placed");
  const resolved = revision === undefined || status?.taskDefinition !== undefined;
  if (said?.reason === reason && withoutNumbers(said.message) === withoutNumbers(message) && resolved) return undefined;
  const { generation } = metadata;
  const arns = arnsOf(metadata.namespace);
  const cluster = clusterNameOf(spec.cluster);
  const createdAt = status?.createdAt ?? metadata.creationTimestamp;
  const next: TaskStatus =
    revision === undefined
      ? {
          ...status,
          observedGeneration: generation,
          clusterArn: arns.cluster(cluster),
          taskArn: arns.task(cluster, ecsId(metadata.uid)),
          lastStatus: "PROVISIONING",
          desiredStatus: "RUNNING",
          createdAt,
          ...(spec.group !== undefined && { group: spec.group }),
        }
      : {
          ...status,
          ...firstStatus({
            uid: metadata.uid,
            cluster,
            group: groupOf(task, revision.spec),
            revision,
            place: { reason, message },
            createdAt,
            generation,
            nowMs,
            arns,
            tags: declaredTaskTags(world, task, revision),
          }),
        };
  next.version = (status?.version ?? 0) + 1;
  next.conditions = notPlaced({ conditions: status?.conditions ?? [] }, { reason, message }, generation, nowMs);
  next.conditions = ignored(task, waitingReady(next, { reason, message }, generation, nowMs), nowMs);
  return next;
}

/** `Ready=False` says the same as `Placed=False`. */
function waitingReady(
  status: TaskStatus,
  { reason, message }: { reason: string; message: string },
  generation: number,
  nowMs: number,
) {
  const conditions = readyCondition(status, generation, nowMs);
  return conditions.map((condition) => (condition.type === "Ready" ? { ...condition, reason, message } : condition));
}

const withoutNumbers = (text: string): string => text.replace(/\d+/g, "#");
