import { destination, pino } from "pino";

/** What every room asks of a logger: the message is constant, what varies is a field. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** One JSON line per entry on stdout, which the supervisor sends into a file. Written at once: what a crash has to say
 *  must not be lost in a buffer. Level by $DAVIT_LOG_LEVEL. */
export const createLog = (name: string): Log =>
  pino(
    { base: { part: name }, level: process.env.DAVIT_LOG_LEVEL ?? "info", timestamp: pino.stdTimeFunctions.isoTime },
    destination({ fd: 1, sync: true }),
  );
