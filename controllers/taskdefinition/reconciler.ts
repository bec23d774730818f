// Task definitions to revisions; and revisions' own status.
import { setCondition } from "../../api/conditions.js";
import { familyOf, objectName, revisionName } from "../../api/names.js";
import { contentHash, normalForm } from "../../api/normal-form.js";
import { parseKey } from "../../api/references.js";
import type { TaskDefinition, TaskDefinitionRevision, TaskDefinitionStatus } from "../../api/types.gen.js";
import { ApiError, type ObjectClient } from "../../client/object-client.js";
import { done } from "../../client/work-queue.js";
import type { Deps, Reconcile } from "../deps.js";
import { ignoredCondition } from "../ignored.js";
import { ANNOTATION, FINALIZER, LABEL, labelValue, MANAGER } from "../labels.js";
import { inParallel } from "../parallel.js";
import { isActive, nameOfRevision } from "../service/resolve.js";
import { planRevision, surplusRevisions } from "./plan.js";
import { deregistered, newRevision, revisionStatus } from "./revision.js";

/** Deregistered revisions kept per family once nothing uses them (decision A5). */
const KEPT_INACTIVE = 50;
const WRITER = { fieldManager: MANAGER };

export function createDefinitionReconciler(deps: Deps): Reconcile {
  return async (key, client) => {
    const definition = deps.world.informers.TaskDefinition.get(parseKey(key));
    if (definition === undefined) return done();
    const { metadata } = definition;
    const family = familyOf(definition);
    const revisions = deps.world.revisionsOf(metadata.namespace, family);
    if (metadata.deletionTimestamp !== undefined) {
      await deregisterAll(deps, client, revisions);
      await forgetReservation(deps, client, metadata.namespace, family);
      await release(client, definition);
      return done();
    }
    if (!metadata.finalizers?.includes(FINALIZER.taskDefinition)) {
      const finalizers = [...(metadata.finalizers ?? []), FINALIZER.taskDefinition];
      await client.patch("TaskDefinition", metadata, { metadata: { finalizers } }, WRITER);
    }
    const revision = await register(deps, client, definition, revisions);
    await deps.objects.changeStatus(
      "TaskDefinition",
      metadata,
      (current) => definitionStatus(deps, current, revision, metadata.generation),
      client,
    );
    await tidyUp(deps, client, metadata.namespace, revisions);
    return done();
  };
}

/** Finds or makes the revision that the text is. Safe to be killed anywhere in it. */
async function register(
  { world, now, arnsOf }: Deps,
  client: ObjectClient,
  definition: TaskDefinition,
  revisions: readonly TaskDefinitionRevision[],
): Promise<number> {
  const { namespace, annotations } = definition.metadata;
  const family = familyOf(definition);
  const hash = contentHash(normalForm(definition.spec));
  const counterRef = { namespace, name: objectName(family) };
  const counter = world.informers.TaskDefinitionFamily.get(counterRef);
  const newest = revisions.reduce<TaskDefinitionRevision | undefined>(
    (best, each) => (best === undefined || best.spec.revision < each.spec.revision ? each : best),
    undefined,
  );
  const imported = Number(annotations?.[ANNOTATION.importedRevision]);
  const reservedFor = counter?.metadata.annotations?.[ANNOTATION.reservedFor];
  const plan = planRevision({
    contentHash: hash,
    ...(newest && {
      newest: { revision: newest.spec.revision, contentHash: newest.spec.contentHash, active: isActive(newest) },
    }),
    ...(counter && {
      counter: { lastRevision: counter.spec.lastRevision, ...(reservedFor !== undefined && { reservedFor }) },
    }),
    ...(definition.status?.revision !== undefined && { recorded: definition.status.revision }),
    ...(Number.isSafeInteger(imported) && imported > 0 && { imported }),
  });
  if (plan.kind === "keep") return plan.revision;
  if (plan.kind === "reserve") {
    const spec = { family, lastRevision: plan.revision };
    const mark = { [ANNOTATION.reservedFor]: hash };
    if (counter === undefined) {
      const metadata = { ...counterRef, annotations: mark, labels: { [LABEL.family]: labelValue(family) } };
      const object = { apiVersion: "davit.dev/v1" as const, kind: "TaskDefinitionFamily" as const, metadata, spec };
      await client.create("TaskDefinitionFamily", object, WRITER);
    } else {
      // With its resourceVersion: of two that take a number, one is refused and looks again.
      const metadata = { ...counter.metadata, annotations: { ...counter.metadata.annotations, ...mark } };
      await client.update("TaskDefinitionFamily", { ...counter, metadata, spec }, WRITER);
    }
  }
  const arns = arnsOf(namespace);
  const object = newRevision(definition, { family, revision: plan.revision, arns, nowMs: now() });
  await client.create("TaskDefinitionRevision", object, WRITER);
  return plan.revision;
}

function definitionStatus(
  { now, arnsOf }: Deps,
  current: TaskDefinition,
  revision: number,
  generation: number,
): TaskDefinitionStatus | undefined {
  // The text has changed meanwhile: the next look will tell of that one.
  if (current.metadata.generation !== generation) return undefined;
  const { status = {}, metadata } = current;
  const family = familyOf(current);
  const nowMs = now();
  const ready = { type: "Ready", status: "True" as const, reason: "Registered", message: "" };
  const conditions = ignoredCondition(
    setCondition(status.conditions, { ...ready, observedGeneration: generation }, nowMs),
    "TaskDefinition",
    current.spec,
    generation,
    nowMs,
  );
  if (status.revision === revision && status.conditions === conditions && status.observedGeneration === generation) {
    return undefined;
  }
  return {
    ...status,
    observedGeneration: generation,
    conditions,
    revision,
    latestRevision: revisionName(family, revision),
    taskDefinitionArn: arnsOf(metadata.namespace).taskDefinition(family, revision),
  };
}

/** Nothing new starts on them from now on; what runs goes on (03-50, 03-53). */
async function deregisterAll(
  { objects, now }: Deps,
  client: ObjectClient,
  revisions: readonly TaskDefinitionRevision[],
): Promise<void> {
  await inParallel(revisions, async ({ metadata }) => {
    await objects.changeStatus("TaskDefinitionRevision", metadata, (revision) => deregistered(revision, now()), client);
  });
}

/** A definition of the same text that is made later is another one: it gets a number of its own. */
async function forgetReservation(
  { world }: Deps,
  client: ObjectClient,
  namespace: string,
  family: string,
): Promise<void> {
  const ref = { namespace, name: objectName(family) };
  const counter = world.informers.TaskDefinitionFamily.get(ref);
  if (counter?.metadata.annotations?.[ANNOTATION.reservedFor] === undefined) return;
  await client.patch(
    "TaskDefinitionFamily",
    ref,
    { metadata: { annotations: { [ANNOTATION.reservedFor]: null } } },
    WRITER,
  );
}

async function release(client: ObjectClient, { metadata }: TaskDefinition): Promise<void> {
  if (!metadata.finalizers?.includes(FINALIZER.taskDefinition)) return;
  const finalizers = metadata.finalizers.filter((name) => name !== FINALIZER.taskDefinition);
  try {
    await client.patch("TaskDefinition", metadata, { metadata: { finalizers } }, WRITER);
  } catch (error) {
    if (!(error instanceof ApiError && error.code === 404)) throw error;
  }
}

async function tidyUp(
  { world }: Deps,
  client: ObjectClient,
  namespace: string,
  revisions: readonly TaskDefinitionRevision[],
): Promise<void> {
  if (revisions.filter((revision) => !isActive(revision)).length <= KEPT_INACTIVE) return;
  const used = new Set<string | undefined>(
    world.informers.TaskSet.list(namespace).map(({ spec }) => spec.taskDefinition),
  );
  for (const { status } of world.informers.Task.list(namespace)) used.add(status?.taskDefinition);
  const candidates = revisions.map((object) => ({
    object,
    revision: object.spec.revision,
    active: isActive(object),
    used: used.has(nameOfRevision(object)),
  }));
  await inParallel(surplusRevisions(candidates, KEPT_INACTIVE), async ({ object }) => {
    await client.delete("TaskDefinitionRevision", object.metadata, { uid: object.metadata.uid });
  });
}

/** Gives a revision its status where it has none: one that somebody else has made. */
export function createRevisionReconciler({ world, objects, now, arnsOf }: Deps): Reconcile {
  return async (key, client) => {
    const revision = world.informers.TaskDefinitionRevision.get(parseKey(key));
    if (revision === undefined || revision.status?.status !== undefined) return done();
    await objects.changeStatus(
      "TaskDefinitionRevision",
      revision.metadata,
      ({ spec, status, metadata }) =>
        status?.status !== undefined
          ? undefined
          : revisionStatus(
              { spec, generation: metadata.generation, ...(status && { before: status }) },
              arnsOf(metadata.namespace),
              now(),
            ),
      client,
    );
    return done();
  };
}
