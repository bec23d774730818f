// Loggers that are silent about all but what would spoil a measurement.

type FieldsFirst = Record<"info" | "warn" | "error", (fields: object, message: string) => void>;
type MessageFirst = Record<"debug" | "info" | "warn" | "error", (message: string, fields?: object) => void>;

const ignore = (): void => undefined;

/** As the server's rooms log. */
export const quiet = (where: string): FieldsFirst => ({
  info: ignore,
  warn: process.env.BENCH_VERBOSE ? (fields, message) => console.error(where, message, fields) : ignore,
  error: (fields, message) => console.error(where, message, fields),
});

/** As the agent's rooms log. */
export const quietAgent = (where: string): MessageFirst => {
  const { warn, error } = quiet(where);
  return {
    debug: ignore,
    info: ignore,
    warn: (message, fields = {}) => warn(fields, message),
    error: (message, fields = {}) => error(fields, message),
  };
};
