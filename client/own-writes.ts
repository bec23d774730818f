import type { ApiObject } from "../api/meta.js";
import type { Kind } from "../api/types.gen.js";
import type { Informer, Mark } from "./informer.js";
import type { Ref } from "./object-client.js";
import type { WriteListener } from "./tracking-client.js";

interface PendingDeletion {
  ref: Ref;
  uid: string;
}

/** What one key has written of one kind and its informer has not shown yet. */
interface Unseen {
  highest: Mark | undefined;
  deletions: PendingDeletion[];
}

/** Remembers, per key, the writes that the informers have yet to show. Deciding again before that would be deciding
 *  on a world without one's own last step: a second task started, a status taken back. */
export class OwnWrites {
  private readonly unseen = new Map<string, Map<Kind, Unseen>>();

  constructor(private readonly informers: ReadonlyMap<Kind, Informer>) {}

  /** Records the writes of a key. Kinds without an informer are never read from a cache, so they need no waiting. */
  listener(key: string): WriteListener {
    return {
      wrote: (kind, object) => this.wrote(key, kind, object),
      deleted: (kind, ref) => this.deleted(key, kind, ref),
    };
  }

  /** Whether the informers show everything that the key has written. */
  areSeen(key: string): boolean {
    const kinds = this.unseen.get(key);
    if (!kinds) return true;
    for (const [kind, unseen] of kinds) {
      const informer = this.informers.get(kind);
      if (!informer || isSeen(informer, unseen)) kinds.delete(kind);
    }
    if (kinds.size > 0) return false;
    this.unseen.delete(key);
    return true;
  }

  private wrote(key: string, kind: Kind, object: ApiObject): void {
    const informer = this.informers.get(kind);
    if (!informer) return;
    const mark = informer.mark(object.metadata.resourceVersion);
    if (informer.hasReached(mark)) return;
    const unseen = this.of(key, kind);
    if (!unseen.highest || mark.resourceVersion > unseen.highest.resourceVersion) unseen.highest = mark;
  }

  private deleted(key: string, kind: Kind, ref: Ref): void {
    const object = this.informers.get(kind)?.get(ref);
    if (object && !object.metadata.deletionTimestamp)
      this.of(key, kind).deletions.push({ ref, uid: object.metadata.uid });
  }

  private of(key: string, kind: Kind): Unseen {
    let kinds = this.unseen.get(key);
    if (!kinds) {
      kinds = new Map();
      this.unseen.set(key, kinds);
    }
    let unseen = kinds.get(kind);
    if (!unseen) {
      unseen = { highest: undefined, deletions: [] };
      kinds.set(kind, unseen);
    }
    return unseen;
  }
}

function isSeen(informer: Informer, unseen: Unseen): boolean {
  if (unseen.highest && !informer.hasReached(unseen.highest)) return false;
  return unseen.deletions.every(({ ref, uid }) => {
    const object = informer.get(ref);
    return !object || object.metadata.uid !== uid || object.metadata.deletionTimestamp !== undefined;
  });
}
