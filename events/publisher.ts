// Publishes every change of our kinds, once each, into the event stream. The cursor lies in the stream itself: whoever
// starts, or starts again after any doubt, reads back what was published last and goes on from there.

import type { Log } from "../api/log.js";
import type { EventStream, StreamLimits } from "../bus/event-stream.js";
import type { Connection } from "../bus/transport.js";
import type { ObjectClient } from "../client/object-client.js";
import { createSession, type Session, type StreamState } from "./session.js";

export interface EventPublisherOptions {
  client: ObjectClient;
  stream: EventStream;
  connection: Pick<Connection, "connected" | "onConnection">;
  log: Log;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Which data `client` reads (the store's id): other data make another epoch. */
  identity: string;
  /** Every change up to this revision is in the stream for good. */
  onAcknowledged?: (revision: number) => void;
  limits?: Partial<StreamLimits>;
  /** While nothing happens that is an event, the cursor is written this often, if it moved on. @default 10,000 */
  cursorEveryMs?: number;
}

export interface EventPublisher {
  /** Ends it and waits. What is not acknowledged is published by the next one. */
  stop(): Promise<void>;
  /** What replays need; undefined while the stream is not open. */
  current(): StreamState | undefined;
}

const RETRY_MS = 500;

export function startEventPublisher(options: EventPublisherOptions): EventPublisher {
  const { connection, log } = options;
  const stopping = new AbortController();
  let session: Session | undefined;
  let wake = () => {};

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const abort = new AbortController();
      const end = () => {
        abort.abort();
        wake();
      };
      const forget = connection.onConnection((connected) => (connected ? wake() : end()));
      stopping.signal.addEventListener("abort", end, { once: true });
      try {
        if (connection.connected()) {
          session = createSession(options, abort.signal);
          await session.run();
        }
      } catch (error) {
        if (!abort.signal.aborted)
          log.warn({ error: String(error) }, "events: starting over from what the stream holds");
      } finally {
        session = undefined;
        abort.abort();
        stopping.signal.removeEventListener("abort", end);
      }
      if (!stopping.signal.aborted)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, RETRY_MS);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      forget();
    }
  };
  const running = run();
  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
    current: () => session?.current(),
  };
}
