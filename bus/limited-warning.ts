import type { Log } from "../api/log.js";

/** A warning that somebody else can cause at will: written at most once per `everyMs`, with how many it stands for. */
export function limitedWarning(log: Log, message: string, now: () => number = Date.now, everyMs = 10_000) {
  let lastAtMs = Number.NEGATIVE_INFINITY;
  let unwritten = 0;
  return (fields: object): void => {
    unwritten += 1;
    if (now() - lastAtMs < everyMs) return;
    lastAtMs = now();
    log.warn({ ...fields, times: unwritten }, message);
    unwritten = 0;
  };
}
