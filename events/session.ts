// One life of the publisher with the stream: from reading back what it holds to the first doubt about that.
import { KINDS, type Kind } from "../api/types.gen.js";
import type { CursorMarker, EpochMarker } from "../bus/event-messages.js";
import type { OpenedStream, StreamLimits, StreamMessage } from "../bus/event-stream.js";
import { cursorMarker, epochMarker } from "../bus/subjects.js";
import { type EncodeContext, encodeDraft, encodeLostDeletion } from "./encode.js";
import { Expired, type Feed, type FeedChange, openFeed } from "./feed.js";
import { createLedger, type Draft, type Ledger } from "./ledger.js";
import type { EventPublisherOptions } from "./publisher.js";
import { type AnyObject, machineKey, uidHex } from "./shapes.js";

/** Three days, a GiB. */
const LIMITS: StreamLimits = { maxAgeMs: 3 * 24 * 3600 * 1000, maxBytes: 1024 ** 3 };
/** Events that go out with one acknowledgement. */
const BATCH = 500;
const BATCH_BYTES = 1024 * 1024;
/** So that a burst becomes a batch. */
const LINGER_MS = 5;
/** Or when it is this far ahead. */
const CURSOR_EVERY_REVISIONS = 1000;
/** Nothing is repeated more often than this, however full the stream is. */
const REFRESH_AT_MOST_EVERY_MS = 10 * 60_000;

const ALL_KINDS = Object.keys(KINDS) as Kind[];

/** What replays need. */
export interface StreamState {
  epoch: number;
  ledger: Ledger;
  /** Of the machines, by machineKey. */
  addresses: ReadonlyMap<string, string>;
}
export interface Session {
  /** Until the signal aborts. @throws Error on any doubt about what the stream holds */
  run(): Promise<void>;
  current(): StreamState | undefined;
}

export function createSession(options: EventPublisherOptions, signal: AbortSignal): Session {
  const { client, stream, log, now, identity, onAcknowledged = () => {}, cursorEveryMs = 10_000 } = options;
  const limits = { ...LIMITS, ...options.limits };
  const addresses = new Map<string, string>();
  let ledger: Ledger | undefined;
  let epoch = 0;
  /** What the stream says; "" within a snapshot. */
  let streamed = "";
  let streamedAtMs = now();
  let bytesSinceSnapshot = 0;
  let snapshotAtMs = now();

  const learnAddress = (object: AnyObject): void => {
    if (object.kind !== "ContainerInstance") return;
    const key = machineKey(object.metadata.namespace, object.metadata.name);
    if (object.status?.address !== undefined) addresses.set(key, object.status.address);
  };
  const context = (cursor: string): EncodeContext => ({
    now: now(),
    addresses,
    epoch,
    cursor,
    maxBytes: stream.maxBytes(),
    repetition: String(snapshotAtMs),
  });

  /** Sends all; the stream's cursor becomes `cursor` with the last one. */
  async function send(items: readonly ((context: EncodeContext) => StreamMessage)[], cursor: string): Promise<void> {
    let batch: StreamMessage[] = [];
    let bytes = 0;
    for (const [index, encode] of items.entries()) {
      const last = index === items.length - 1;
      const message = encode(context(last ? cursor : streamed));
      batch.push(message);
      bytes += message.body.length;
      if (!last && batch.length < BATCH && bytes < BATCH_BYTES) continue;
      if (signal.aborted) throw new Error("aborted");
      await stream.publish(batch);
      bytesSinceSnapshot += bytes + batch.length * 400;
      batch = [];
      bytes = 0;
    }
    streamed = cursor;
    streamedAtMs = now();
    if (cursor !== "") onAcknowledged(Number(cursor));
  }
  const sendDrafts = (drafts: readonly Draft[], cursor: string) =>
    send(
      drafts.map((draft) => (with_: EncodeContext) => encodeDraft(draft, with_)),
      cursor,
    );
  const marker =
    (subject: string, body: EpochMarker | CursorMarker) =>
    ({ epoch: at, cursor }: EncodeContext) => ({
      subject,
      body: Buffer.from(JSON.stringify(body)),
      headers: { epoch: String(at), cursor },
    });
  const sendCursor = (cursor: string) => send([marker(cursorMarker, { type: "davit.v1.CursorMarker", epoch })], cursor);

  /** Lists everything, says what readers do not know yet (`refresh`: says it all again), and gives the revisions from
   *  which to watch. */
  async function snapshot(book: Ledger, reason: EpochMarker["reason"]): Promise<Map<Kind, number>> {
    const refresh = reason === "refresh";
    snapshotAtMs = now();
    bytesSinceSnapshot = 0;
    if (!refresh) streamed = "";
    const begin = marker(epochMarker, { type: "davit.v1.EpochMarker", epoch, reason, identity, atMs: snapshotAtMs });
    await send([begin], streamed);
    const revisions = new Map<Kind, number>();
    const present = new Set<string>();
    const drafts: Draft[] = [];
    for (const kind of ALL_KINDS) {
      const { items, resourceVersion } = await client.list(kind);
      revisions.set(kind, Number(resourceVersion));
      for (const object of items) {
        present.add(uidHex(object));
        learnAddress(object);
        const draft = refresh ? book.repeat(object) : book.record("ADDED", object);
        if (draft) drafts.push(draft);
      }
    }
    const oldest = Math.min(...revisions.values());
    // First: a successor of the same name may have the same subject.
    if (!refresh) await sendLostDeletions(book, present, oldest);
    await sendDrafts(drafts, streamed);
    if (!refresh) await sendCursor(String(oldest));
    log.info({ reason, epoch, objects: drafts.length }, "events: snapshot");
    return revisions;
  }

  async function sendLostDeletions(book: Ledger, present: ReadonlySet<string>, revision: number): Promise<void> {
    for (const { uid, subject, version } of book.missing(present)) {
      const last = await stream.last(subject);
      const draft = { subject, uid, state: "DELETED" as const, version: version + 1, revision };
      await send([(with_) => encodeLostDeletion(draft, last, with_)], streamed);
      book.forget(uid);
    }
  }

  async function pump(book: Ledger, feed: Feed): Promise<void> {
    while (!signal.aborted) {
      await feed.wait(1000);
      await new Promise((resolve) => setTimeout(resolve, LINGER_MS));
      const { changes, cursor } = feed.take(BATCH);
      const drafts = changes.flatMap((change) => recordChange(book, change) ?? []);
      const ahead = cursor - Number(streamed);
      const idleForMs = now() - streamedAtMs;
      if (signal.aborted) return;
      if (drafts.length > 0) await sendDrafts(drafts, String(Math.max(cursor, Number(streamed))));
      else if (ahead >= CURSOR_EVERY_REVISIONS || (ahead > 0 && idleForMs >= cursorEveryMs))
        await sendCursor(String(cursor));
      if (refreshDue()) await snapshot(book, "refresh");
    }
  }
  const recordChange = (book: Ledger, { type, object }: FeedChange) => {
    learnAddress(object);
    return book.record(type, object);
  };
  /** The limits drop the oldest messages, whether or not they still are the last word on their object. */
  const refreshDue = (): boolean => {
    const ageMs = now() - snapshotAtMs;
    if (ageMs >= limits.maxAgeMs / 2) return true;
    return (
      bytesSinceSnapshot >= limits.maxBytes / 2 && ageMs >= Math.min(REFRESH_AT_MOST_EVERY_MS, limits.maxAgeMs / 4)
    );
  };

  /** The ledger to begin with, and from where to watch. */
  async function begin(opened: OpenedStream): Promise<{ book: Ledger; from: Map<Kind, number> }> {
    const { marker: known, cursor } = opened;
    if (known === undefined || known.identity !== identity) {
      epoch = Math.max(now(), (known?.epoch ?? 0) + 1);
      if (known !== undefined || opened.published.length > 0) {
        await stream.purge();
        await stream.open(limits, signal);
      }
      const book = createLedger([], 0);
      ledger = book;
      return { book, from: await snapshot(book, "new") };
    }
    epoch = known.epoch;
    snapshotAtMs = known.atMs;
    bytesSinceSnapshot = opened.bytesSinceMarker;
    const book = createLedger(opened.published, cursor ?? 0);
    ledger = book;
    if (cursor === undefined) return { book, from: await snapshot(book, "gap") };
    streamed = String(cursor);
    onAcknowledged(cursor);
    for (const machine of (await client.list("ContainerInstance")).items) learnAddress(machine);
    return { book, from: new Map(ALL_KINDS.map((kind) => [kind, cursor])) };
  }

  return {
    current: () => (ledger && streamed !== "" ? { epoch, ledger, addresses } : undefined),
    run: async () => {
      const first = await begin(await stream.open(limits, signal));
      let { from } = first;
      while (!signal.aborted) {
        const feeding = new AbortController();
        const end = () => feeding.abort();
        signal.addEventListener("abort", end, { once: true });
        try {
          await pump(first.book, openFeed({ client, kinds: ALL_KINDS, from, signal: feeding.signal, log }));
        } catch (error) {
          if (!(error instanceof Expired)) throw error;
          log.warn({ error: error.message }, "events: the change log was cut; single changes are lost");
          from = await snapshot(first.book, "gap");
        } finally {
          signal.removeEventListener("abort", end);
          feeding.abort();
        }
      }
    },
  };
}
