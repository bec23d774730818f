// What `davit server` and `davit agent` have in common: they end in order when told to, and loudly when broken.

import type { Log } from "../api/log.js";
import { EXIT } from "./failure.js";

/** A bug ends the process: the supervisor starts it again, and a restart is always safe. */
export function crashOnBugs(log: Log): void {
  const crash = (error: unknown): never => {
    log.error({ err: error }, "bug: this process ends now");
    process.exit(EXIT.failed);
  };
  process.on("uncaughtException", crash);
  process.on("unhandledRejection", crash);
}

/** Waits for SIGTERM or SIGINT, then closes what is open, the last first. A step that takes too long is left. */
export async function untilTold(log: Log, closing: readonly (() => Promise<unknown> | unknown)[]): Promise<void> {
  const signal = await new Promise<string>((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => resolve(name));
  });
  log.info({ signal }, "stopping");
  const late = setTimeout(() => {
    log.warn({}, "did not stop in time");
    process.exit(EXIT.failed);
  }, 8_000);
  for (const close of closing.toReversed()) await close();
  clearTimeout(late);
  log.info({}, "stopped");
  // Sockets that libraries keep open hold nothing of value.
  process.exit(EXIT.ok);
}
