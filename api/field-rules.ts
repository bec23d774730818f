// What a row of the table of fields without effect says, and the words it is written in.

export interface FieldRule {
  /** Below `spec`; `[]` stands for every item of a list. */
  readonly path: string;
  /** What happens instead, for a person. */
  readonly instead: string;
  /** Whether this value is one that is not acted on; any value that is set, if left out. `parent` holds the field. */
  readonly when?: (value: unknown, parent: Readonly<Record<string, unknown>>) => boolean;
}

export interface FieldRules {
  /** Harmless: a Warning and the condition `FieldsIgnored`. */
  readonly ignored: readonly FieldRule[];
  /** Without it the program would be another, or less safe: nothing is started. In the order in which they are named. */
  readonly notImplemented: readonly FieldRule[];
}

export const notOneOf =
  (...values: readonly string[]) =>
  (value: unknown): boolean =>
    typeof value === "string" && !values.includes(value);
export const includesOneOf =
  (...values: readonly string[]) =>
  (value: unknown): boolean =>
    Array.isArray(value) && value.some((item) => values.includes(String(item)));
/** `{ enable: true, … }` or `{ enabled: true, … }`. */
export const isEnabled = (value: unknown): boolean =>
  typeof value === "object" &&
  value !== null &&
  Object.entries(value).some(([key, on]) => /^enabled?$/.test(key) && on === true);

/** Off and empty are the same as not there. */
export function isSet(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === "") return false;
  return typeof value !== "object" || Object.keys(value).length > 0;
}

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
