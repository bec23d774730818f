// A reader of events, as docs/bus.md tells everybody to write one: it holds the present, and what changes it.
import type { Msg } from "nats";
import type { Log } from "../api/log.js";
import type { BusConnection } from "./connect.js";
import { type EventEnvelope, HEADERS, type ReplayPage } from "./event-messages.js";
import { encode } from "./schema.js";
import { allEvents, epochMarker, eventAddress, inboxPrefix, READER, replay } from "./subjects.js";

export interface FollowOptions {
  /** With a reader's credentials, and the readers' inbox. */
  connection: BusConnection;
  log: Log;
  /** @default all */
  kinds?: readonly string[];
  /** Each event that is news, after `present` has it; not the ones that a replay brings. */
  onEvent?: (event: EventEnvelope, deleted: boolean) => void;
  /** `present` is whole: at first, and after each time that events may have been missed. */
  onPresent?: () => void;
}
export interface Follower {
  /** By subject: the last event of every object that is there. */
  present(): ReadonlyMap<string, EventEnvelope>;
  /** false until the first replay is over, and while it is being done again. */
  whole(): boolean;
  close(): void;
}

const PAGE_TIMEOUT_MS = 10_000;
const RETRY_MS = 500;

interface Known {
  revision: number;
  /** Absent once it is deleted. */
  event?: EventEnvelope;
}

export function followEvents({ connection, log, kinds, onEvent, onPresent }: FollowOptions): Follower {
  let known = new Map<string, Known>();
  let whole = false;
  let epoch = 0;
  /** Of the replay that counts; an older one stops when it sees another number. */
  let attempt = 0;
  let closed = false;

  /** Takes what is newer, says whether it was. Deletions are kept while a replay may still name what they deleted. */
  function take(subject: string, revision: number, event: EventEnvelope | undefined): boolean {
    if ((known.get(subject)?.revision ?? -1) >= revision) return false;
    if (event === undefined && whole) known.delete(subject);
    else known.set(subject, event === undefined ? { revision } : { revision, event });
    return true;
  }

  function hear(message: Msg): void {
    const seen = Number(message.headers?.get(HEADERS.epoch));
    if (seen > epoch) restart(seen);
    if (seen !== epoch || message.subject === epochMarker) return;
    const kind = eventAddress(message.subject)?.kind;
    if (kind === undefined || (kinds && !kinds.includes(kind))) return;
    const deleted = message.headers?.get(HEADERS.state) === "DELETED";
    const event: EventEnvelope = JSON.parse(Buffer.from(message.data).toString("utf8"));
    const revision = Number(message.headers?.get(HEADERS.resourceVersion));
    if (take(message.subject, revision, deleted ? undefined : event)) onEvent?.(event, deleted);
  }

  /** Begins the replay again; live events are folded in from now on. */
  function restart(newEpoch: number): void {
    epoch = newEpoch;
    known = new Map();
    whole = false;
    attempt += 1;
    void readPresent(attempt);
  }

  async function readPresent(mine: number): Promise<void> {
    let next: string | undefined;
    while (mine === attempt && !closed && connection.connected()) {
      try {
        const page = await ask(next);
        if (mine !== attempt) return;
        if (page.error !== undefined) throw new Error(page.error);
        if (epoch === 0) epoch = page.epoch;
        if (page.epoch > epoch) return restart(page.epoch);
        if (page.epoch < epoch) throw new Error("the control plane has not seen yet that the stream is new");
        for (const { subject, resourceVersion, event } of page.items) take(subject, resourceVersion, event);
        next = page.next;
        if (next !== undefined) continue;
        for (const [subject, { event }] of known) if (event === undefined) known.delete(subject);
        whole = true;
        onPresent?.();
        return;
      } catch (error) {
        next = undefined;
        log.info({ error: String(error) }, "events: replay not answered, asking again");
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  async function ask(next: string | undefined): Promise<ReplayPage> {
    const client = await connection.whenConnected(PAGE_TIMEOUT_MS);
    const request = { type: "davit.v1.ReplayRequest", ...(next !== undefined && { next }), ...(kinds && { kinds }) };
    const answer = await client.request(replay, encode(request), { timeout: PAGE_TIMEOUT_MS });
    return JSON.parse(Buffer.from(answer.data).toString("utf8"));
  }

  const unsubscribe = connection.subscribe(allEvents, hear);
  const forget = connection.onConnection((connected) => {
    if (connected) restart(epoch);
    else attempt += 1;
  });
  if (connection.connected()) restart(epoch);
  return {
    present: () =>
      new Map([...known].flatMap(([subject, { event }]) => (event === undefined ? [] : [[subject, event] as const]))),
    whole: () => whole,
    close: () => {
      closed = true;
      attempt += 1;
      unsubscribe();
      forget();
    },
  };
}
/** What `connectBus` wants for a reader. */
export const readerInbox = inboxPrefix(READER);
