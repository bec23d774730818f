// Every subject of the bus. `<id>` is an instance's 32 hex digits, never a name that a user chose.
import { createHash } from "node:crypto";
import type { InstanceId } from "./messages.js";

const ROOT = "davit.v1";

export const isInstanceId = (text: string): text is InstanceId => /^[0-9a-f]{32}$/.test(text);

/** What an agent sends: `sync` and `report` are requests, `heartbeat` and `goodbye` are published. */
export type UpVerb = "sync" | "report" | "heartbeat" | "goodbye";
/** What an agent hears. `stream` steers an open stream: StreamPing. */
export type DownVerb = "assign" | "superseded" | "logs" | "probe" | "stream";

export const up = (instance: InstanceId, verb: UpVerb): string => `${ROOT}.up.${instance}.${verb}`;
export const upOfAll = (verb: UpVerb): string => `${ROOT}.up.*.${verb}`;
export const down = (instance: InstanceId, verb: DownVerb): string => `${ROOT}.down.${instance}.${verb}`;
/** Where an agent answers the control plane's requests: its own `up` subjects, so it needs no right to answer freely. */
export const answers = (instance: InstanceId, nonce: string): string => `${ROOT}.up.${instance}.r.${nonce}`;
export const isAnswerSubject = (instance: InstanceId, subject: string): boolean =>
  isConcrete(subject) && subject.startsWith(`${ROOT}.up.${instance}.r.`);

/** The instance that sent a message, from its subject; undefined if that is no `up` subject. */
export function senderOf(subject: string): InstanceId | undefined {
  const id = subject.split(".")[3];
  return subject.startsWith(`${ROOT}.up.`) && id !== undefined && isInstanceId(id) ? id : undefined;
}

export const inboxPrefix = (owner: string): string => `_INBOX_${owner}`;
/** nats-server does not check reply subjects, so whoever answers must: an answer sent to `$JS.API.…` or to an event
 *  subject would be carried out with the control plane's rights. */
export const isInboxOf = (owner: string, reply: string): boolean =>
  isConcrete(reply) && reply.startsWith(`${inboxPrefix(owner)}.`);

const isConcrete = (subject: string): boolean =>
  subject.length <= 256 && subject.split(".").every((token) => /^[0-9A-Za-z_-]+$/.test(token));

/** What each side may do, and nothing else: the permissions of the credentials (docs/bus.md). */
export const permissions = {
  agent: (instance: InstanceId) => ({
    pub: { allow: [`${ROOT}.up.${instance}.>`] },
    sub: { allow: [`${ROOT}.down.${instance}.>`, `${inboxPrefix(instance)}.>`] },
  }),
  /** Reads events, and asks for the present; no stream captures the subject it may publish to. */
  reader: () => ({
    pub: { allow: [replay] },
    sub: { allow: [allEvents, `${inboxPrefix(READER)}.>`] },
  }),
  /** In the system account: hands the server a new JWT of an account. */
  system: () => ({ pub: { allow: [claimsUpdate] }, sub: { allow: [`${inboxPrefix(SYSTEM)}.>`] } }),
  /** Many simulated instances over one connection, for tests and laptops. */
  fleet: () => ({ pub: { allow: [`${ROOT}.up.*.>`] }, sub: { allow: [">"] } }),
};

/** Of the control plane in the system account. */
export const SYSTEM = "system";
/** nats-server's own: a new JWT of an account, in force at once. */
export const claimsUpdate = "$SYS.REQ.CLAIMS.UPDATE";
/** Readers share this inbox: they may all read the same. */
export const READER = "reader";
/** A ReplayRequest of a reader, answered with a ReplayPage. */
export const replay = `${ROOT}.replay`;

export const EVENTS = "EVENTS";
export const allEvents = `${ROOT}.event.>`;
/** What is said about the stream itself: EpochMarker and CursorMarker. */
export const epochMarker = `${ROOT}.event._epoch`;
export const cursorMarker = `${ROOT}.event._cursor`;

export interface EventAddress {
  namespace: string;
  cluster: string;
  kind: string;
  /** `service:web`, `family:batch`; empty where a kind has no groups. */
  group: string;
  id: string;
}
/** One subject per object. */
export const eventSubject = ({ namespace, cluster, kind, group, id }: EventAddress): string =>
  `${ROOT}.event.${[namespace, cluster, kind, group, id].map(encodeToken).join(".")}`;

/** undefined for the markers, and for what is no event subject. */
export function eventAddress(subject: string): EventAddress | undefined {
  if (!subject.startsWith(`${ROOT}.event.`)) return undefined;
  const tokens = subject.slice(`${ROOT}.event.`.length).split(".").map(decodeToken);
  const [namespace, cluster, kind, group, id] = tokens;
  if (tokens.length !== 5 || namespace === undefined || cluster === undefined) return undefined;
  if (kind === undefined || group === undefined || id === undefined) return undefined;
  return { namespace, cluster, kind, group, id };
}

/** Percent-encoding, as in a URL, of everything but ASCII letters, digits, `-` and `_`; a lone `%` is the empty text.
 *  So no text can hold a dot, a space or a wildcard that NATS would act on, and any language decodes it.
 *  A server refuses subjects over some 4 KB: what encodes to over 512 characters is cut and ends in `%~` and a hash,
 *  and can't be decoded. Ill-formed UTF-16 reads back with U+FFFD. */
export function encodeToken(text: string): string {
  if (/^[0-9A-Za-z_-]{1,512}$/.test(text)) return text;
  if (text === "") return "%";
  let token = "";
  for (const byte of Buffer.from(text, "utf8")) {
    const char = String.fromCharCode(byte);
    token += /[0-9A-Za-z_-]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  if (token.length <= LONGEST_TOKEN) return token;
  return `${token.slice(0, 400).replace(/%.?$/, "")}%~${createHash("sha256").update(text).digest("hex")}`;
}
const LONGEST_TOKEN = 512;

/** undefined if it is no token that encodeToken makes, or a shortened one. */
export function decodeToken(token: string): string | undefined {
  if (token === "%") return "";
  try {
    const text = decodeURIComponent(token);
    return encodeToken(text) === token ? text : undefined;
  } catch {
    return undefined;
  }
}
