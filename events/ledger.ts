// What has been published of each object, and therefore what a change still has to say.

import type { EventState } from "../bus/event-messages.js";
import type { Published } from "../bus/event-stream.js";
import { eventSubject } from "../bus/subjects.js";
import { type AnyObject, addressOf, ownVersion, uidHex } from "./shapes.js";

/** One event to be published. */
export interface Draft {
  subject: string;
  uid: string;
  state: EventState;
  object: AnyObject;
  version: number;
  revision: number;
  /** Said before; repeated so that it stays in the stream. */
  snapshot?: true;
}

interface Entry {
  subject: string;
  state: EventState;
  version: number;
  revision: number;
}

export interface Ledger {
  /** The event that this change is, if it is one: the first of its object, a risen `status.version` (any change, for
   *  kinds that have none), or its deletion. From then on it counts as published. */
  record(type: "ADDED" | "MODIFIED" | "DELETED", object: AnyObject): Draft | undefined;
  /** The last event of an object over again; undefined if a newer one is due, or none was. */
  repeat(object: AnyObject): Draft | undefined;
  /** Where and with which version readers know, or will first know, an object. */
  known(object: AnyObject): { subject: string; version: number };
  /** What readers think is there although none of these uids is it, of these kinds. */
  missing(present: ReadonlySet<string>): { uid: string; subject: string; version: number }[];
  forget(uid: string): void;
}

/** @param cursor deletions published after it may be seen a second time */
export function createLedger(published: readonly Published[], cursor: number): Ledger {
  const entries = new Map<string, Entry>();
  for (const { uid, subject, state, version, revision } of published)
    if (state === "present" || revision > cursor) entries.set(uid, { subject, state, version, revision });

  const subjectOf = (object: AnyObject, entry: Entry | undefined) => entry?.subject ?? eventSubject(addressOf(object));
  return {
    record: (type, object) => {
      const uid = uidHex(object);
      const revision = Number(object.metadata.resourceVersion);
      const entry = entries.get(uid);
      if (entry && (revision <= entry.revision || entry.state === "DELETED")) return undefined;
      // One object keeps one subject, also if its group becomes known only later.
      const subject = subjectOf(object, entry);
      const own = ownVersion(object);
      if (type === "DELETED") {
        entries.delete(uid);
        return { subject, uid, state: "DELETED", object, version: (entry?.version ?? own ?? 0) + 1, revision };
      }
      if (entry && own !== undefined && own <= entry.version) return undefined;
      const version = own ?? (entry?.version ?? 0) + 1;
      entries.set(uid, { subject, state: "present", version, revision });
      return { subject, uid, state: "present", object, version, revision };
    },
    repeat: (object) => {
      const uid = uidHex(object);
      const entry = entries.get(uid);
      if (entry?.state !== "present") return undefined;
      const revision = Number(object.metadata.resourceVersion);
      const own = ownVersion(object);
      if (own === undefined ? revision !== entry.revision : own !== entry.version) return undefined;
      entry.revision = revision;
      return {
        subject: entry.subject,
        uid,
        state: "present",
        object,
        version: entry.version,
        revision,
        snapshot: true,
      };
    },
    known: (object) => {
      const entry = entries.get(uidHex(object));
      const counted = (entry?.version ?? 0) + (entry?.revision === Number(object.metadata.resourceVersion) ? 0 : 1);
      return { subject: subjectOf(object, entry), version: ownVersion(object) ?? counted };
    },
    missing: (present) =>
      [...entries]
        .filter(([uid, { state }]) => state === "present" && !present.has(uid))
        .map(([uid, { subject, version }]) => ({ uid, subject, version })),
    forget: (uid) => void entries.delete(uid),
  };
}
