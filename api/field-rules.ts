// What a row of the table of fields without effect says, and the words it is written in.

/** Which values of a field are meant. `parent` is the object that holds it. */
export interface ValueTest {
  /** For a person, such as "other than `bridge`"; empty for any value that is set. */
  readonly text: string;
  applies(value: unknown, parent: Readonly<Record<string, unknown>>): boolean;
}

export interface FieldRule {
  /** Below `spec`; `[]` stands for every item of a list. */
  readonly path: string;
  /** What happens instead, for a person. */
  readonly instead: string;
  /** Which of its values are not acted on. @default anySet */
  readonly when?: ValueTest;
}

export interface FieldRules {
  /** Harmless: a Warning and the condition `FieldsIgnored`. */
  readonly ignored: readonly FieldRule[];
  /** Without it the program would be another, or less safe: nothing is started. In the order in which they are named. */
  readonly notImplemented: readonly FieldRule[];
}

const code = (values: readonly string[]): string => values.map((value) => `\`${value}\``).join(", ");

/** Off and empty are the same as not there. */
export const anySet: ValueTest = {
  text: "",
  applies(value) {
    if (value === undefined || value === null || value === false || value === "") return false;
    return typeof value !== "object" || Object.keys(value).length > 0;
  },
};

export const otherThan = (...values: readonly string[]): ValueTest => ({
  text: `other than ${code(values)}`,
  applies: (value) => typeof value === "string" && !values.includes(value),
});

export const oneOf = (...values: readonly string[]): ValueTest => ({
  text: `set to ${code(values)}`,
  applies: (value) => typeof value === "string" && values.includes(value),
});

/** A list that holds one of them. */
export const withOneOf = (...values: readonly string[]): ValueTest => ({
  text: `with ${code(values)}`,
  applies: (value) => Array.isArray(value) && value.some((item) => values.includes(String(item))),
});

/** A list with an item of that type. */
export const ofType = (type: string): ValueTest => ({
  text: `of type \`${type}\``,
  applies: (value) => Array.isArray(value) && value.some((item) => isRecord(item) && item.type === type),
});

/** `{ enable: true, … }` or `{ enabled: true, … }`. */
export const whenEnabled: ValueTest = {
  text: "if enabled",
  applies: (value) => isRecord(value) && (value.enable === true || value.enabled === true),
};

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
