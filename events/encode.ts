import { createHash } from "node:crypto";
import { DEFAULT_ACCOUNT } from "../api/arn.js";
import type { Kind } from "../api/types.gen.js";
import type { EventEnvelope } from "../bus/event-messages.js";
import type { StreamMessage } from "../bus/event-stream.js";
import type { Draft } from "./ledger.js";
import { type AnyObject, arnOf, davitBlock, describe, detailType } from "./shapes.js";

export interface EncodeContext {
  now: number;
  /** Of the machines, by namespace and name. */
  addresses: ReadonlyMap<string, string>;
  epoch: number;
  /** For the headers: up to where everything is published once this message is. */
  cursor: string;
  /** Of a body; what is larger goes without its content. */
  maxBytes: number;
  /** Makes the id of a repetition its own. */
  repetition: string;
}

export function envelope(
  object: AnyObject,
  version: number,
  id: string,
  context: Pick<EncodeContext, "now" | "addresses">,
): EventEnvelope {
  const arn = arnOf(object);
  const [, , , region, account] = (arn ?? "").split(":");
  const time = new Date(context.now).toISOString();
  return {
    version: "0",
    id,
    "detail-type": detailType(object.kind as Kind),
    source: object.kind === "Task" || object.kind === "ContainerInstance" ? "aws.ecs" : "davit",
    account: account || DEFAULT_ACCOUNT,
    time: `${time.slice(0, 19)}Z`,
    region: region || "local",
    resources: arn === undefined ? [] : [arn],
    detail: Object.assign(describe(object), { version, updatedAt: time, davit: davitBlock(object, context.addresses) }),
  };
}

export function encodeDraft(draft: Draft, context: EncodeContext): StreamMessage {
  const event = envelope(draft.object, draft.version, eventId(draft), context);
  if (draft.state === "DELETED") event.detail.davit.deleted = true;
  return message(draft, bounded(event, context.maxBytes), context);
}

/** The last event of an object whose deletion nobody saw. @param last the body of its last event, if still there */
export function encodeLostDeletion(
  draft: Omit<Draft, "object">,
  last: Uint8Array | undefined,
  context: EncodeContext,
): StreamMessage {
  const time = new Date(context.now).toISOString();
  const before: Partial<EventEnvelope> = last ? JSON.parse(Buffer.from(last).toString("utf8")) : {};
  const body = {
    ...before,
    id: eventId(draft),
    time: `${time.slice(0, 19)}Z`,
    detail: {
      ...before.detail,
      version: draft.version,
      updatedAt: time,
      davit: { ...before.detail?.davit, deleted: true },
    },
  };
  return message(draft, Buffer.from(JSON.stringify(body)), context);
}

function message(
  draft: Omit<Draft, "object">,
  body: Uint8Array,
  { epoch, cursor, repetition }: EncodeContext,
): StreamMessage {
  const id = `${draft.uid}:${draft.version}:${draft.state}:${epoch}`;
  return {
    subject: draft.subject,
    body,
    headers: {
      state: draft.state,
      resourceVersion: String(draft.revision),
      version: String(draft.version),
      epoch: String(epoch),
      cursor,
      id: draft.snapshot ? `${id}:${repetition}` : id,
      ...(draft.snapshot && { snapshot: "true" }),
    },
  };
}

function bounded(event: EventEnvelope, maxBytes: number): Uint8Array {
  const body = Buffer.from(JSON.stringify(event), "utf8");
  if (body.length <= maxBytes) return body;
  const { version, updatedAt, davit } = event.detail;
  return Buffer.from(
    JSON.stringify({ ...event, detail: { version, updatedAt, davit: { ...davit, truncated: true } } }),
    "utf8",
  );
}

/** A UUID made of what the event is, so that each delivery of it has the same. */
export function eventId({ uid, version, state }: Pick<Draft, "uid" | "version" | "state">): string {
  const hex = createHash("sha256").update(`${uid}:${version}:${state}`).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
