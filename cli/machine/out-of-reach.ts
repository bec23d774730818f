// A machine that does not get to the bus asks the control plane what has become of it: it may have moved, have TLS now
// or other keys, and the credential would not be renewed for half an hour.
import type { Connection } from "../../bus/transport.js";

export interface OutOfReachOptions {
  connection: Pick<Connection, "connected" | "onConnection">;
  ask: () => void;
  /** In [0, 1). */
  random: () => number;
  /** @default 20 s: long before the machine counts as lost, and after a bus that was only restarted is back */
  afterMs?: number;
}

/** A fleet without a bus must not wear the API out. */
const MAX_WAIT_MS = 10 * 60_000;

/** Asks when there has been no connection for a while, and again and again, less and less often. @returns the way to end it */
export function askWhileOutOfReach({ connection, ask, random, afterMs = 20_000 }: OutOfReachOptions): () => void {
  let timer: NodeJS.Timeout | undefined;
  function wait(waitMs: number): void {
    timer = setTimeout(
      () => {
        ask();
        wait(Math.min(2 * waitMs, MAX_WAIT_MS));
      },
      waitMs * (0.75 + random() / 2),
    );
  }
  const changed = (connected: boolean): void => {
    clearTimeout(timer);
    if (!connected) wait(afterMs);
  };
  changed(connection.connected());
  const off = connection.onConnection(changed);
  return () => {
    off();
    clearTimeout(timer);
  };
}
