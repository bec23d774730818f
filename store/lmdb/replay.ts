import type { LiveState } from "../live-state.js";
import { type Batch, type Change, Expired, type Key, type Revision } from "../store.js";
import type { Disk } from "./disk.js";
import { decodeHead, decodeObject } from "./row.js";

/** Looked at in one go, so that a long catch-up does not hold up everybody else. */
const ROWS_AT_ONCE = 1_000;
/** Parsed in one go: parsing costs far more than looking. */
const CHANGES_AT_ONCE = 200;

/** The next piece of the log after `after`, at most up to `end`. @throws Expired if it has been cut meanwhile. */
export function replay(disk: Disk, live: LiveState, prefix: string, after: Revision, end: Revision): Batch {
  const changes: Change[] = [];
  let revision = after;
  const last = Math.min(end, after + ROWS_AT_ONCE);
  while (revision < last && changes.length < CHANGES_AT_ONCE) {
    const row = disk.row(revision + 1);
    if (!row) throw new Expired(after, revision + 1);
    revision++;
    const { type, key, previousRevision } = decodeHead(row);
    if (!key.startsWith(prefix)) continue;
    const object = liveObject(live, key, revision) ?? decodeObject(row);
    const previous = previousRevision > 0 ? disk.row(previousRevision) : undefined;
    changes.push({ type, key, revision, object, ...(previous && { previous: decodeObject(previous) }) });
  }
  return { changes, revision };
}

/** The copy that readers share already, if this revision is the live one. */
function liveObject(live: LiveState, key: Key, revision: Revision) {
  const entry = live.get(key);
  return entry?.revision === revision ? entry.object : undefined;
}
