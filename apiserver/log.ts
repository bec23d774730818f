/** What the API server needs of a logger; pino's loggers fit. The message is constant, what varies is a field. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
