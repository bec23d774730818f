import { destination, pino } from "pino";
import type { Log } from "../api/log.js";

/** One JSON line per entry on stdout, which the supervisor sends into a file. Written at once: what a crash has to say
 *  must not be lost in a buffer. Level by $DAVIT_LOG_LEVEL. */
export const createLog = (name: string): Log =>
  pino(
    { base: { part: name }, level: process.env.DAVIT_LOG_LEVEL ?? "info", timestamp: pino.stdTimeFunctions.isoTime },
    destination({ fd: 1, sync: true }),
  );
