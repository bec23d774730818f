import type { Change, Revision, Store } from "../../store/store.js";

/** All changes under a prefix after `since`, up to the revision `until`. */
export async function collect(store: Store, prefix: string, since: Revision, until: Revision): Promise<Change[]> {
  const signal = new AbortController();
  const changes: Change[] = [];
  if (since === until) return changes;
  for await (const batch of store.watch(prefix, since, { signal: signal.signal })) {
    changes.push(...batch.changes);
    if (batch.revision >= until) signal.abort();
  }
  return changes;
}
