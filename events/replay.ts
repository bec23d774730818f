// Late joiners ask the control plane for the present: a reader needs no right in JetStream, which would let it write.

import type { Log } from "../api/log.js";
import { KINDS, type Kind } from "../api/types.gen.js";
import type { BusConnection } from "../bus/connect.js";
import type { ReplayItem, ReplayPage, ReplayRequest } from "../bus/event-messages.js";
import { limitedWarning } from "../bus/limited-warning.js";
import { decode, encode } from "../bus/schema.js";
import { replayRequest } from "../bus/schemas.js";
import { isInboxOf, READER, replay } from "../bus/subjects.js";
import type { ObjectClient } from "../client/object-client.js";
import { envelope, eventId } from "./encode.js";
import type { EventPublisher } from "./publisher.js";
import { type AnyObject, uidHex } from "./shapes.js";

export interface ReplayOptions {
  connection: BusConnection;
  client: ObjectClient;
  publisher: Pick<EventPublisher, "current">;
  log: Log;
  now: () => number;
  /** A token nobody guesses, for each replay. */
  nonce: () => string;
}

const PAGE_ITEMS = 500;
const PAGE_BYTES = 512 * 1024;
/** A reader that does not ask for its next page for this long begins anew. */
const IDLE_MS = 30_000;
/** Replays under way, and requests waiting: beyond that readers are told to come back. */
const MOST_REPLAYS = 32;
const MOST_WAITING = 64;

interface Replay {
  epoch: number;
  objects: readonly AnyObject[];
  at: number;
  usedAtMs: number;
}

/** Answers ReplayRequests, one at a time, until the returned function is called. */
export function serveReplays({ connection, client, publisher, log, now, nonce }: ReplayOptions): () => void {
  const replays = new Map<string, Replay>();
  const dropped = limitedWarning(log, "events: replay request dropped");
  let waiting = 0;
  let queue = Promise.resolve();

  const sorry = (error: string): ReplayPage => ({ type: "davit.v1.ReplayPage", epoch: 0, items: [], error });

  async function begin(kinds: readonly string[] | undefined): Promise<string | undefined> {
    const state = publisher.current();
    if (!state) return undefined;
    const objects: AnyObject[] = [];
    for (const kind of Object.keys(KINDS) as Kind[])
      if (!kinds || kinds.includes(kind)) objects.push(...(await client.list(kind)).items);
    const key = nonce();
    replays.set(key, { epoch: state.epoch, objects, at: 0, usedAtMs: now() });
    return key;
  }

  async function page({ next, kinds }: ReplayRequest): Promise<ReplayPage> {
    for (const [key, { usedAtMs }] of replays) if (now() - usedAtMs > IDLE_MS) replays.delete(key);
    if (next === undefined && replays.size >= MOST_REPLAYS) return sorry("too many replays at once");
    const key = next ?? (await begin(kinds));
    const state = publisher.current();
    const replaying = key === undefined ? undefined : replays.get(key);
    if (key === undefined || !state) return sorry("the event stream is not open yet");
    if (!replaying) return sorry("this replay is over");
    if (replaying.epoch !== state.epoch) return sorry("the event stream is another one now");
    replaying.usedAtMs = now();
    const items: ReplayItem[] = [];
    for (let bytes = 0; items.length < PAGE_ITEMS && bytes < PAGE_BYTES; replaying.at += 1) {
      const object = replaying.objects[replaying.at];
      if (!object) break;
      const { subject, version } = state.ledger.known(object);
      const id = eventId({ uid: uidHex(object), version, state: "present" });
      const event = envelope(object, version, id, { now: now(), addresses: state.addresses });
      const item = { subject, resourceVersion: Number(object.metadata.resourceVersion), event };
      bytes += JSON.stringify(item).length;
      items.push(item);
    }
    const answer: ReplayPage = { type: "davit.v1.ReplayPage", epoch: state.epoch, items };
    if (replaying.at < replaying.objects.length) return { ...answer, next: key };
    replays.delete(key);
    return answer;
  }

  return connection.subscribe(replay, ({ data, reply = "" }) => {
    if (!isInboxOf(READER, reply)) return dropped({ reply, error: "its reply subject is not in the readers' inbox" });
    if (waiting >= MOST_WAITING) return dropped({ reply, error: "too many at once" });
    waiting += 1;
    queue = queue
      .then(async () => {
        try {
          connection.publish(reply, encode(await page(decode(replayRequest, data))));
        } catch (error) {
          dropped({ reply, error: String(error) });
        }
      })
      .finally(() => {
        waiting -= 1;
      });
  });
}
