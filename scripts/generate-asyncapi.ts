// docs/asyncapi.yaml, from the schemas that messages are checked by.
import { dump } from "js-yaml";
import { HEADERS } from "../bus/event-messages.js";
import { cursorMarkerSchema, epochMarkerSchema, eventEnvelope, replayPage } from "../bus/event-schemas.js";
import type { JsonSchema, Schema } from "../bus/schema.js";
import * as schemas from "../bus/schemas.js";
import { cursorMarker, epochMarker, replay } from "../bus/subjects.js";

interface Channel {
  subject: string;
  message: string;
  schema: Schema<unknown>;
  /** As the control plane does it. */
  action: "send" | "receive";
  summary: string;
  reply?: { message: string; schema: Schema<unknown>; to: string };
}

const INBOX = "the instance's own inbox, `_INBOX_<instance>.>`";
const CHANNELS: Record<string, Channel> = {
  sync: {
    subject: "davit.v1.up.{instance}.sync",
    message: "SyncRequest",
    schema: schemas.syncRequest,
    action: "receive",
    summary: "An agent opens a session with its whole inventory.",
    reply: { message: "SyncAnswer", schema: schemas.syncAnswer, to: INBOX },
  },
  report: {
    subject: "davit.v1.up.{instance}.report",
    message: "ReportBatch",
    schema: schemas.reportBatch,
    action: "receive",
    summary: "Whole states of tasks; resent until answered.",
    reply: { message: "ReportAnswer", schema: schemas.reportAnswer, to: INBOX },
  },
  heartbeat: {
    subject: "davit.v1.up.{instance}.heartbeat",
    message: "Heartbeat",
    schema: schemas.heartbeat,
    action: "receive",
    summary: "The agent is there.",
  },
  goodbye: {
    subject: "davit.v1.up.{instance}.goodbye",
    message: "Goodbye",
    schema: schemas.goodbye,
    action: "receive",
    summary: "The agent stops, or leaves for good.",
  },
  assign: {
    subject: "davit.v1.down.{instance}.assign",
    message: "AssignmentPush",
    schema: schemas.assignmentPush,
    action: "send",
    summary: "New or changed assignments.",
  },
  superseded: {
    subject: "davit.v1.down.{instance}.superseded",
    message: "Superseded",
    schema: schemas.superseded,
    action: "send",
    summary: "Another session is open under this identity.",
  },
  logs: {
    subject: "davit.v1.down.{instance}.logs",
    message: "LogsRequest",
    schema: schemas.logsRequest,
    action: "send",
    summary: "Asks for a stream of log lines.",
    reply: { message: "LogsChunk", schema: schemas.logsChunk, to: "`davit.v1.up.<instance>.r.<stream>`" },
  },
  probe: {
    subject: "davit.v1.down.{instance}.probe",
    message: "ProbeRequest",
    schema: schemas.probeRequest,
    action: "send",
    summary: "Asks what the machine is like just now.",
    reply: { message: "ProbeAnswer", schema: schemas.probeAnswer, to: "`davit.v1.up.<instance>.r.<nonce>`" },
  },
  stream: {
    subject: "davit.v1.down.{instance}.stream",
    message: "StreamPing",
    schema: schemas.streamPing,
    action: "send",
    summary: "Keeps a stream open, tells how far its reader is, or ends it.",
  },
  event: {
    subject: "davit.v1.event.{namespace}.{cluster}.{kind}.{group}.{id}",
    message: "Event",
    schema: eventEnvelope,
    action: "send",
    summary: "One change of one object; the last message on a subject is what is true now.",
  },
  epoch: {
    subject: epochMarker,
    message: "EpochMarker",
    schema: epochMarkerSchema,
    action: "send",
    summary: "What follows begins anew.",
  },
  cursor: {
    subject: cursorMarker,
    message: "CursorMarker",
    schema: cursorMarkerSchema,
    action: "send",
    summary: "Everything up to the cursor in its header has been told.",
  },
  replay: {
    subject: replay,
    message: "ReplayRequest",
    schema: schemas.replayRequest,
    action: "receive",
    summary: "A late joiner asks for the present.",
    reply: { message: "ReplayPage", schema: replayPage, to: "the readers' inbox, `_INBOX_reader.>`" },
  },
};

const PARAMETERS: Record<string, string> = {
  instance: "32 hex digits",
  namespace: "encoded token",
  cluster: "encoded token; `%` where the kind has none",
  kind: "Task, ContainerInstance, Service, TaskSet, Cluster, TaskDefinition, TaskDefinitionFamily, TaskDefinitionRevision, AccessToken",
  group: "encoded token: `service%3Aweb`, `family%3Aweb`; `%` where there is none",
  id: "a task's 32 hex digits; the encoded name of any other object",
};

/** The whole document. */
export function asyncapiFile(): { path: string; content: string } {
  const messages: Record<string, object> = {};
  const channels: Record<string, object> = {};
  const operations: Record<string, object> = {};
  for (const [name, { subject, message, schema, action, summary, reply }] of Object.entries(CHANNELS)) {
    messages[message] = messageOf(message, schema.json, subject);
    channels[name] = {
      address: subject,
      messages: { [message]: reference("messages", message) },
      ...parametersOf(subject),
    };
    operations[name] = { action, channel: reference("channels", name), summary };
    if (!reply) continue;
    messages[reply.message] = messageOf(reply.message, reply.schema.json, "");
    channels[`${name}Reply`] = {
      address: null,
      description: reply.to,
      messages: { [reply.message]: reference("messages", reply.message) },
    };
    operations[name] = {
      ...operations[name],
      reply: { address: { location: "$message.header#/reply" }, channel: reference("channels", `${name}Reply`) },
    };
  }
  const document = {
    asyncapi: "3.0.0",
    info: {
      title: "The bus of Davit",
      version: "1",
      description: "Seen from the control plane. docs/bus.md says how to use it.",
    },
    servers: {
      nats: { host: "127.0.0.1", protocol: "nats", description: "`davit bus info` tells address and credentials" },
    },
    defaultContentType: "application/json",
    channels,
    operations,
    components: { messages },
  };
  const text = dump(document, { lineWidth: 120, noRefs: true, sortKeys: false });
  return { path: "docs/asyncapi.yaml", content: `# Generated by \`npm run generate\`. Do not edit.\n${text}` };
}

const reference = (section: "messages" | "channels", name: string) => ({
  $ref: section === "messages" ? `#/components/messages/${name}` : `#/channels/${name}`,
});

function messageOf(name: string, payload: JsonSchema, subject: string): object {
  const isEvent = subject.startsWith("davit.v1.event.");
  return { name, ...(isEvent && { headers: eventHeaders() }), payload };
}
const eventHeaders = () => ({
  type: "object",
  properties: Object.fromEntries(Object.values(HEADERS).map((name) => [name, { type: "string" }])),
});

function parametersOf(subject: string): object {
  const names = [...subject.matchAll(/\{(\w+)\}/g)].flatMap(([, name]) => name ?? []);
  if (names.length === 0) return {};
  return { parameters: Object.fromEntries(names.map((name) => [name, { description: PARAMETERS[name] }])) };
}
