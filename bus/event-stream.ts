// The JetStream side of the event stream. The control plane is its only writer.
import {
  consumerOpts,
  DiscardPolicy,
  headers,
  type JetStreamManager,
  type MsgHdrs,
  type NatsConnection,
  NatsError,
  nanos,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from "nats";
import type { BusConnection } from "./connect.js";
import { type EpochMarker, type EventState, HEADERS } from "./event-messages.js";
import { allEvents, EVENTS, epochMarker, eventAddress } from "./subjects.js";

export interface StreamMessage {
  subject: string;
  body: Uint8Array;
  headers: Partial<Record<keyof typeof HEADERS, string>>;
}

/** The last word of the stream on one object. */
export interface Published {
  subject: string;
  uid: string;
  state: EventState;
  version: number;
  revision: number;
}

/** What the stream says about itself. */
export interface OpenedStream {
  /** undefined: it is new, or was emptied. */
  marker: EpochMarker | undefined;
  /** Everything up to this revision is in it; undefined when it broke off within a snapshot. */
  cursor: number | undefined;
  published: Published[];
  /** How much was written since the last marker: about, in bytes. */
  bytesSinceMarker: number;
}

export interface StreamLimits {
  maxAgeMs: number;
  maxBytes: number;
}

export interface EventStream {
  /** Makes the stream if there is none, and reads back what was published last of each object. */
  open(limits: StreamLimits, signal: AbortSignal): Promise<OpenedStream>;
  /** All stored, in order, once this resolves. @throws Error when that is not certain: open again, and see. */
  publish(messages: readonly StreamMessage[]): Promise<void>;
  /** The body of the newest message on a subject. */
  last(subject: string): Promise<Uint8Array | undefined>;
  purge(): Promise<void>;
  /** Of one message's body. */
  maxBytes(): number;
}

const TIMEOUT_MS = 5000;
/** Covers what a lost connection may still have under way; each id costs nats-server memory for that long. */
const DUPLICATES_MS = 10_000;

export function createEventStream(connection: BusConnection): EventStream {
  let lastSequence = 0;
  const client = () => connection.whenConnected(TIMEOUT_MS);
  const manager = async () => (await client()).jetstreamManager({ checkAPI: false, timeout: TIMEOUT_MS });

  return {
    open: async (limits, signal) => {
      const jetstream = await manager();
      const { state } = await ensure(jetstream, limits);
      lastSequence = state.last_seq;
      const newest = state.messages > 0 ? await messageOf(jetstream, { seq: state.last_seq }) : undefined;
      const marker = await messageOf(jetstream, { last_by_subj: epochMarker });
      const written = state.last_seq - state.first_seq + 1;
      return {
        marker: marker && parse(marker.data),
        cursor: numberOf(newest?.header.get(HEADERS.cursor)),
        published: state.messages > 0 ? await readPublished(await client(), signal) : [],
        bytesSinceMarker: marker ? (state.bytes * (state.last_seq - marker.seq)) / written : state.bytes,
      };
    },
    publish: async (messages) => {
      const now = await client();
      const last = messages.at(-1);
      if (!last) return;
      // One tick and one connection: what arrives is the batch or a beginning of it, and only the last waits for JetStream.
      for (const message of messages.slice(0, -1))
        now.publish(message.subject, message.body, { headers: headersOf(message) });
      const ack = await now
        .jetstream({ timeout: TIMEOUT_MS })
        .publish(last.subject, last.body, { headers: headersOf(last) });
      const expected = lastSequence + messages.length;
      if (ack.seq !== expected || ack.duplicate)
        throw new Error(`the event stream is at ${ack.seq}, not at ${expected} as it would be if all had arrived once`);
      lastSequence = ack.seq;
    },
    last: async (subject) => (await messageOf(await manager(), { last_by_subj: subject }))?.data,
    purge: async () => {
      await (await manager()).streams.purge(EVENTS);
    },
    // Headers count too.
    maxBytes: () => (connection.client()?.info?.max_payload ?? 1024 * 1024) - 4096,
  };
}

async function ensure(jetstream: JetStreamManager, limits: StreamLimits): Promise<StreamInfo> {
  const wanted: Partial<StreamConfig> & { name: string } = {
    name: EVENTS,
    subjects: [allEvents],
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    storage: StorageType.File,
    max_age: nanos(limits.maxAgeMs),
    max_bytes: limits.maxBytes,
    duplicate_window: nanos(Math.min(DUPLICATES_MS, limits.maxAgeMs)),
  };
  try {
    const info = await jetstream.streams.info(EVENTS);
    const same = info.config.max_age === wanted.max_age && info.config.max_bytes === wanted.max_bytes;
    return same ? info : await jetstream.streams.update(EVENTS, wanted);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return jetstream.streams.add(wanted);
  }
}

async function messageOf(jetstream: JetStreamManager, query: { seq: number } | { last_by_subj: string }) {
  try {
    return await jetstream.streams.getMessage(EVENTS, query);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
const isNotFound = (error: unknown): boolean => error instanceof NatsError && error.api_error?.code === 404;

/** Headers only, the last of each subject. */
async function readPublished(client: NatsConnection, signal: AbortSignal): Promise<Published[]> {
  const options = consumerOpts().orderedConsumer().deliverLastPerSubject().headersOnly();
  const subscription = await client.jetstream().subscribe(allEvents, options);
  const end = () => subscription.unsubscribe();
  signal.addEventListener("abort", end, { once: true });
  const found: Published[] = [];
  try {
    for await (const { subject, headers: header, info } of subscription) {
      const [uid] = (header?.get(HEADERS.id) ?? "").split(":");
      if (header && uid && eventAddress(subject) !== undefined)
        found.push({
          subject,
          uid,
          state: header.get(HEADERS.state) === "DELETED" ? "DELETED" : "present",
          version: numberOf(header.get(HEADERS.version)) ?? 0,
          revision: numberOf(header.get(HEADERS.resourceVersion)) ?? 0,
        });
      if (info.pending === 0) return found;
    }
    throw new Error("reading the event stream was broken off");
  } finally {
    signal.removeEventListener("abort", end);
    end();
  }
}

function headersOf(message: StreamMessage): MsgHdrs {
  const result = headers();
  for (const [key, name] of HEADER_NAMES) {
    const value = message.headers[key];
    if (value !== undefined) result.append(name, value);
  }
  return result;
}
const HEADER_NAMES = Object.entries(HEADERS) as [keyof typeof HEADERS, string][];

const numberOf = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;

function parse(data: Uint8Array): EpochMarker | undefined {
  try {
    return JSON.parse(Buffer.from(data).toString("utf8"));
  } catch {
    return undefined;
  }
}
