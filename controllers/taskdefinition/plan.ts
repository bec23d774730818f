// Which revision a task definition's text is. Pure.

/** What is known when a task definition is looked at. */
export interface RevisionInput {
  /** Of the normal form: what "the same text" means. */
  contentHash: string;
  /** The family's revision with the highest number, whatever its status. */
  newest?: { revision: number; contentHash: string; active: boolean };
  /** The counter object; absent before the first revision. `reservedFor` is the text that got `lastRevision`. */
  counter?: { lastRevision: number; reservedFor?: string };
  /** `status.revision` of the task definition: the last revision that is known to have been made from it. */
  recorded?: number;
  /** The number that an imported definition had where it came from. */
  imported?: number;
}

export type RevisionPlan =
  /** The newest revision is this text already. */
  | { kind: "keep"; revision: number }
  /** Write the number into the counter (compare-and-set), then create the revision. */
  | { kind: "reserve"; revision: number }
  /** The number was given out for this text already, and a crash came before the revision: create it. */
  | { kind: "create"; revision: number };

/** Same text: nothing. Changed text, also back to an older one, and a deregistered family's text: the next number
 *  (decision A3). Numbers are never given out twice (A5). */
export function planRevision({ contentHash, newest, counter, recorded, imported }: RevisionInput): RevisionPlan {
  if (newest?.active && newest.contentHash === contentHash) return { kind: "keep", revision: newest.revision };
  const last = Math.max(counter?.lastRevision ?? 0, newest?.revision ?? 0);
  const reserved = counter?.lastRevision ?? 0;
  const unused = reserved > (newest?.revision ?? 0) && recorded !== reserved;
  if (unused && counter?.reservedFor === contentHash) return { kind: "create", revision: reserved };
  return { kind: "reserve", revision: imported !== undefined && imported > last ? imported : last + 1 };
}

/** Which deregistered revisions go: those that nothing runs, beyond the `keep` newest (A5). */
export function surplusRevisions<R extends { revision: number; active: boolean; used: boolean }>(
  revisions: readonly R[],
  keep: number,
): R[] {
  return revisions
    .filter(({ active, used }) => !active && !used)
    .sort((a, b) => b.revision - a.revision)
    .slice(keep);
}
