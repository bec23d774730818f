import { destination, pino } from "pino";
import type { Log } from "../api/log.js";

/** One JSON line per entry, on stdout unless a file is named. Written at once: what a crash has to say must not be lost
 *  in a buffer. Level by $DAVIT_LOG_LEVEL. */
export const createLog = (name: string, file?: string): Log =>
  pino(
    { base: { part: name }, level: process.env.DAVIT_LOG_LEVEL ?? "info", timestamp: pino.stdTimeFunctions.isoTime },
    destination({ dest: file ?? 1, sync: true, append: true }),
  );
