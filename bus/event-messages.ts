// What subscribers read on `davit.v1.event.>`, and how they ask for the present. docs/bus.md tells the whole.

/** Headers of every message of the stream. */
export const HEADERS = {
  /** `present`, or `DELETED` for the last event of an object. Absent on markers. */
  state: "Davit-State",
  /** Decimal; orders all events of one object, over its whole life and that of a successor of its name. */
  resourceVersion: "Davit-Resource-Version",
  /** Equals `detail.version`. */
  version: "Davit-Version",
  /** Decimal; another one than before means that this is another stream: ask for a replay. */
  epoch: "Davit-Epoch",
  /** Every change up to this resource version has been published. Empty while a snapshot is being written. */
  cursor: "Davit-Cursor",
  /** `true` on a repetition of what was published before, so that it outlives the stream's limits. */
  snapshot: "Davit-Snapshot",
  /** `<uid>:<version>` and more: JetStream drops a second message of the same id. */
  id: "Nats-Msg-Id",
} as const;

export type EventState = "present" | "DELETED";

/** The envelope of EventBridge, as ECS fills it (spec/07 §10). */
export interface EventEnvelope {
  version: "0";
  /** The same for each delivery of one change. */
  id: string;
  /** `ECS Task State Change`, `ECS Container Instance State Change`, or `Davit <Kind> State Change`. */
  "detail-type": string;
  source: "aws.ecs" | "davit";
  account: string;
  /** When it was published: ISO 8601, seconds, `Z`. */
  time: string;
  region: string;
  /** The object's ARN, where its kind has one. */
  resources: string[];
  detail: EventDetail;
}
/** The object as ECS's describe call shows it, and one block of Davit's own. */
export interface EventDetail extends Record<string, unknown> {
  /** Rises by one with each event of one object. */
  version: number;
  updatedAt: string;
  davit: EventDavit;
}
export interface EventDavit {
  kind: string;
  namespace: string;
  name: string;
  uid: string;
  /** This is its last event, as the header `Davit-State: DELETED` says too; the rest is its last state. */
  deleted?: true;
  /** The machine that a task is bound to: its name, hostname and address. */
  containerInstance?: string;
  host?: string;
  hostAddress?: string;
  /** Why the object is not ready: the reason of its first condition that is False. */
  reason?: string;
  /** The object was larger than a message may be, and is to be read from the API. */
  truncated?: true;
}

/** Subject `davit.v1.event._epoch`. `new`: the stream is, so list again. `gap`: single changes were lost, and what they
 *  led to follows. `refresh`: everything is repeated, so that the stream's limits drop nothing that is still true. */
export interface EpochMarker {
  type: "davit.v1.EpochMarker";
  epoch: number;
  reason: "new" | "gap" | "refresh";
  /** Which data this is about: a store made anew is another. */
  identity: string;
  atMs: number;
}
/** Subject `davit.v1.event._cursor`, while nothing happens that is an event. */
export interface CursorMarker {
  type: "davit.v1.CursorMarker";
  epoch: number;
}

/** Subject `davit.v1.replay`, a request whose reply lies under `_INBOX_reader.>`. */
export interface ReplayRequest {
  type: "davit.v1.ReplayRequest";
  /** From the page before; absent for the first one. */
  next?: string;
  /** Only these kinds; all if absent. In the first request. */
  kinds?: string[];
}
/** The present, page by page, as it was at the first request. */
export interface ReplayPage {
  type: "davit.v1.ReplayPage";
  epoch: number;
  items: ReplayItem[];
  /** Absent on the last page. */
  next?: string;
  /** Ask anew from the first page, a moment later. */
  error?: string;
}
export interface ReplayItem {
  subject: string;
  resourceVersion: number;
  event: EventEnvelope;
}
