// The event side of the control plane, as one thing to start and stop.
import { randomUUID } from "node:crypto";
import type { Log } from "../api/log.js";
import type { BusConnection } from "../bus/connect.js";
import { createEventStream, type StreamLimits } from "../bus/event-stream.js";
import type { ObjectClient } from "../client/object-client.js";
import { startEventPublisher } from "./publisher.js";
import { serveReplays } from "./replay.js";

export interface EventsOptions {
  /** With the control plane's credentials. */
  connection: BusConnection;
  client: ObjectClient;
  log: Log;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Which data `client` reads: the store's id. */
  identity: string;
  /** Every change up to this revision is in the stream: wire it to the store's `hold`. */
  onAcknowledged?: (revision: number) => void;
  limits?: Partial<StreamLimits>;
  /** A token nobody guesses. @default randomUUID */
  nonce?: () => string;
}

export interface RunningEvents {
  /** Whether changes get into the stream now. */
  open(): boolean;
  stop(): Promise<void>;
}

/** Publishes changes and answers late joiners, as long as the bus is there; waits for it otherwise. */
export function startEvents({ nonce = randomUUID, ...options }: EventsOptions): RunningEvents {
  const publisher = startEventPublisher({ ...options, stream: createEventStream(options.connection) });
  const stopReplays = serveReplays({ ...options, publisher, nonce });
  return {
    open: () => publisher.current() !== undefined,
    stop: () => {
      stopReplays();
      return publisher.stop();
    },
  };
}
