// The schemas of what subscribers read, for the AsyncAPI document.
import type {
  CursorMarker,
  EpochMarker,
  EventDavit,
  EventDetail,
  EventEnvelope,
  ReplayItem,
  ReplayPage,
} from "./event-messages.js";
import {
  count,
  flag,
  type JsonSchema,
  list,
  literal,
  number,
  object,
  oneOf,
  optional,
  type Schema,
  text,
} from "./schema.js";

const davit = object<EventDavit>({
  kind: text(),
  namespace: text(),
  name: text(),
  uid: text(),
  deleted: optional(flag as Schema<true>),
  containerInstance: optional(text("the machine that a task is bound to")),
  host: optional(text("its hostname")),
  hostAddress: optional(text("its address")),
  reason: optional(text("of the first condition that is False")),
  truncated: optional(flag as Schema<true>),
});
const detail: Schema<EventDetail> = {
  json: {
    type: "object",
    description: "the object as ECS's describe call shows it (spec/07 §10), and one block of Davit's own",
    properties: {
      version: count("rises by one with each event of one object").json,
      updatedAt: text("ISO 8601, milliseconds").json,
      davit: davit.json,
    },
    required: ["version", "updatedAt", "davit"],
  } satisfies JsonSchema,
};
export const eventEnvelope = object<EventEnvelope>({
  version: literal("0"),
  id: text("the same for each delivery of one change"),
  "detail-type": text("`ECS Task State Change`, `ECS Container Instance State Change`, `Davit <Kind> State Change`"),
  source: oneOf("aws.ecs", "davit"),
  account: text("12 digits"),
  time: text("when it was published: ISO 8601, seconds, Z"),
  region: text(),
  resources: list(text("ARN")),
  detail,
});
export const epochMarkerSchema = object<EpochMarker>({
  type: literal("davit.v1.EpochMarker"),
  epoch: count(),
  reason: oneOf("new", "gap", "refresh"),
  identity: text("which store this is about"),
  atMs: number,
});
export const cursorMarkerSchema = object<CursorMarker>({ type: literal("davit.v1.CursorMarker"), epoch: count() });
const replayItem = object<ReplayItem>({ subject: text(), resourceVersion: count(), event: eventEnvelope });
export const replayPage = object<ReplayPage>({
  type: literal("davit.v1.ReplayPage"),
  epoch: count(),
  items: list(replayItem),
  next: optional(text("for the request of the next page; absent on the last one")),
  error: optional(text("ask anew from the first page, a moment later")),
});
