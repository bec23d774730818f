import type { Log } from "../../api/log.js";

const ignore = (): void => undefined;

/** A logger that is silent about all but what would spoil a measurement. */
export const quiet = (where: string): Log => ({
  info: ignore,
  warn: process.env.BENCH_VERBOSE ? (fields, message) => console.error(where, message, fields) : ignore,
  error: (fields, message) => console.error(where, message, fields),
});
