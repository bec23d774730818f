// Which revision a `taskDefinition` field means. Pure.
import { type RevisionReference, revisionName } from "../../api/names.js";
import type { TaskDefinitionRevision } from "../../api/types.gen.js";

/** `family:N` */
export const nameOfRevision = ({ spec }: TaskDefinitionRevision): string => revisionName(spec.family, spec.revision);

/** A revision is ACTIVE from its creation until it is deregistered. */
export const isActive = (revision: TaskDefinitionRevision): boolean =>
  revision.metadata.deletionTimestamp === undefined && (revision.status?.status ?? "ACTIVE") === "ACTIVE";

export type Resolution =
  | { ok: true; revision: TaskDefinitionRevision }
  | { ok: false; reason: "TaskDefinitionNotFound" | "TaskDefinitionInactive"; message: string };

const NOT_FOUND = { ok: false, reason: "TaskDefinitionNotFound", message: "TaskDefinition not found." } as const;
const INACTIVE = { ok: false, reason: "TaskDefinitionInactive", message: "TaskDefinition is inactive" } as const;

/**
 * @param revisions every revision of the reference's family
 * @param current `family:N` that runs already: it stays good after deregistration (03-51, 03-52)
 * @param rejected `family:N`s that a deployment gave up on: not followed again (decision A2)
 */
export function resolveRevision(
  reference: RevisionReference,
  revisions: readonly TaskDefinitionRevision[],
  { current, rejected = [] }: { current?: string; rejected?: readonly string[] } = {},
): Resolution {
  if (reference.revision !== undefined) {
    const pinned = revisions.find(({ spec }) => spec.revision === reference.revision);
    if (pinned === undefined) return NOT_FOUND;
    return isActive(pinned) || nameOfRevision(pinned) === current ? { ok: true, revision: pinned } : INACTIVE;
  }
  let newest: TaskDefinitionRevision | undefined;
  for (const revision of revisions) {
    if (!isActive(revision) || rejected.includes(nameOfRevision(revision))) continue;
    if (newest === undefined || newest.spec.revision < revision.spec.revision) newest = revision;
  }
  const kept = newest ?? revisions.find((revision) => nameOfRevision(revision) === current);
  if (kept !== undefined) return { ok: true, revision: kept };
  return revisions.length === 0 ? NOT_FOUND : INACTIVE;
}
