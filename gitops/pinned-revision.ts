// A service that came as bare ECS JSON and names a family means the newest revision at the time it is written, once;
// in a manifest the same text would follow the family (decision A2).
import { RESOLVE_ANNOTATION } from "../api/import/index.js";
import type { ApiObject } from "../api/meta.js";
import { objectName } from "../api/names.js";
import type { TaskDefinition } from "../api/types.gen.js";
import type { Manifest } from "./last-applied.js";

/** The family's newest revision is not known: there is no such task definition, or its text is not registered yet. */
export class Unresolved extends Error {
  override readonly name = "Unresolved";
}

export interface Lookup {
  /** The TaskDefinition object of a family. */
  definition(namespace: string, name: string): Promise<TaskDefinition | undefined>;
}

const wantsRevision = ({ metadata }: Manifest): boolean => metadata.annotations?.[RESOLVE_ANNOTATION] !== undefined;

/** The manifest with `family:N` in place of the family, and without the mark.
 *  @param live whose revision of that family is kept; undefined to take the newest
 *  @throws Unresolved */
export async function pinRevision(manifest: Manifest, live: ApiObject | undefined, lookup: Lookup): Promise<Manifest> {
  if (!wantsRevision(manifest)) return manifest;
  const spec = manifest.spec as { taskDefinition: string };
  const { [RESOLVE_ANNOTATION]: _, ...annotations } = manifest.metadata.annotations ?? {};
  const pinned = pinnedTo(live, spec.taskDefinition) ?? (await newest(manifest, spec.taskDefinition, lookup));
  return { ...manifest, metadata: { ...manifest.metadata, annotations }, spec: { ...spec, taskDefinition: pinned } };
}

function pinnedTo(live: ApiObject | undefined, family: string): string | undefined {
  const { taskDefinition } = (live?.spec ?? {}) as { taskDefinition?: string };
  return taskDefinition?.startsWith(`${family}:`) ? taskDefinition : undefined;
}

async function newest({ metadata }: Manifest, family: string, lookup: Lookup): Promise<string> {
  const definition = await lookup.definition(metadata.namespace ?? "default", objectName(family));
  if (!definition)
    throw new Unresolved(`spec.taskDefinition: there is no task definition ${family}: apply it first, or with this`);
  const { latestRevision, observedGeneration = 0 } = definition.status ?? {};
  if (latestRevision === undefined || observedGeneration < definition.metadata.generation)
    throw new Unresolved(`spec.taskDefinition: task definition ${family} is not registered yet`);
  return latestRevision;
}
