// Lets a machine leave: one step at a time, each of which is seen before the next is decided.
import type { ContainerInstance, Task } from "../../api/types.gen.js";
import { ApiError, type ObjectClient } from "../../client/object-client.js";
import { again, done, type Outcome } from "../../client/work-queue.js";
import type { Deps } from "../deps.js";
import { FINALIZER, MANAGER } from "../labels.js";
import { inParallel } from "../parallel.js";
import { hostGone, type StopWords, strandedStatus } from "../task/lost-status.js";
import { type Departure, type DepartureKind, departureOf, leaving, left } from "./departure.js";
import type { Sessions } from "./sessions.js";

export interface DepartDeps extends Deps {
  sessions: Pick<Sessions, "end" | "orphan">;
}

/** @returns undefined where the machine stays */
export async function depart(
  deps: DepartDeps,
  client: ObjectClient,
  instance: ContainerInstance,
  plan: Departure,
): Promise<Outcome | undefined> {
  const { objects, now } = deps;
  const { metadata } = instance;
  const kind = departureOf(instance) ?? "Left";
  switch (plan.kind) {
    case "stays":
      return undefined;
    case "begins": {
      const fenced = kind === "Orphan" || !instance.status?.agentConnected;
      if (kind === "Orphan") deps.sessions.orphan(metadata);
      else if (fenced) deps.sessions.end(metadata);
      const change = (current: ContainerInstance) => leaving(current, plan.reason, fenced, now());
      await objects.changeStatus("ContainerInstance", metadata, change, client);
      return done(); // Its own change brings it back.
    }
    case "asksStops":
      await inParallel(plan.tasks, (task) => askStop(deps, client, task, wordsFor(kind, instance)));
      return done();
    case "waits":
      return done();
    case "strands": {
      const reason = kind === "Orphan" ? "Orphaned" : "Deregistered";
      await inParallel(plan.tasks, async ({ metadata: ref }) => {
        const change = (task: Task) => strandedStatus(task, wordsFor(kind, instance), reason, now());
        await objects.changeStatus("Task", ref, change, client);
      });
      return done();
    }
    case "leaves":
      if (kind === "Orphan") deps.sessions.orphan(metadata);
      deps.sessions.end(metadata);
      await objects.changeStatus("ContainerInstance", metadata, (current) => left(current, now()), client);
      return done();
    case "rests":
      return again(plan.untilMs - now());
    case "goes":
      await remove(client, instance);
      return done();
  }
}

function wordsFor(kind: DepartureKind, instance: ContainerInstance): StopWords {
  if (kind === "Left") return { stopCode: "TerminationNotice", stopReason: hostGone(instance) };
  if (kind === "Orphan")
    return { stopCode: "UserInitiated", stopReason: "Container instance deregistered, its containers were orphaned" };
  return { stopCode: "UserInitiated", stopReason: "Container instance deregistration forced by user" };
}

async function askStop({ objects }: Deps, client: ObjectClient, { metadata }: Task, words: StopWords): Promise<void> {
  try {
    const patch = { spec: { desiredStatus: "STOPPED", ...words } };
    objects.wrote("Task", await client.patch("Task", metadata, patch, { fieldManager: MANAGER }));
  } catch (error) {
    if (!(error instanceof ApiError && error.code === 404)) throw error;
  }
}

async function remove(client: ObjectClient, { metadata }: ContainerInstance): Promise<void> {
  const finalizers = (metadata.finalizers ?? []).filter((name) => name !== FINALIZER.instance);
  try {
    if (finalizers.length < (metadata.finalizers?.length ?? 0))
      await client.patch("ContainerInstance", metadata, { metadata: { finalizers } }, { fieldManager: MANAGER });
    if (metadata.deletionTimestamp === undefined) await client.delete("ContainerInstance", metadata);
  } catch (error) {
    if (!(error instanceof ApiError && error.code === 404)) throw error;
  }
}
