// The shapes of messages as data, tied to their TypeScript types by the compiler. From the one table come the check of
// what arrives and the AsyncAPI document. A small part of JSON Schema, because agents have no megabytes for a whole one.

export type JsonSchema =
  | {
      type: "string";
      enum?: readonly string[];
      const?: string;
      pattern?: string;
      maxLength?: number;
      description?: string;
    }
  | { type: "integer" | "number"; minimum?: number; description?: string }
  | { type: "boolean"; description?: string }
  | { type: "array"; items: JsonSchema; description?: string }
  | {
      type: "object";
      properties?: Record<string, JsonSchema>;
      required?: readonly string[];
      additionalProperties?: JsonSchema;
      description?: string;
    };

/** A JSON Schema of the values of T. */
export interface Schema<T> {
  readonly json: JsonSchema;
  /** Never set; keeps T. */
  readonly of?: T;
}
interface Optional<T> extends Schema<T> {
  readonly optional: true;
}
type Properties<T> = {
  [K in keyof T]-?: undefined extends T[K] ? Optional<Exclude<T[K], undefined>> : Schema<T[K]>;
};

/** Every key of T, no other: a message that gains a key does not compile until its schema has it too. */
export function object<T extends object>(properties: Properties<T>, description?: string): Schema<T> {
  const entries = Object.entries<Schema<unknown> & { optional?: true }>(properties);
  return {
    json: {
      type: "object",
      properties: Object.fromEntries(entries.map(([key, { json }]) => [key, json])),
      required: entries.filter(([, { optional }]) => !optional).map(([key]) => key),
      ...(description === undefined ? {} : { description }),
    },
  };
}
export const optional = <T>(schema: Schema<T>): Optional<T> => ({ json: schema.json, optional: true });
export const list = <T>(items: Schema<T>): Schema<T[]> => ({ json: { type: "array", items: items.json } });
export const record = <T>(values: Schema<T>): Schema<Record<string, T>> => ({
  json: { type: "object", additionalProperties: values.json },
});
export const literal = <T extends string>(value: T): Schema<T> => ({ json: { type: "string", const: value } });
export const oneOf = <T extends string>(...values: T[]): Schema<T> => ({ json: { type: "string", enum: values } });
export const text = (description?: string): Schema<string> => ({
  json: { type: "string", ...(description && { description }) },
});
export const count = (description?: string): Schema<number> => ({
  json: { type: "integer", minimum: 0, ...(description && { description }) },
});
export const integer: Schema<number> = { json: { type: "integer" } };
export const number: Schema<number> = { json: { type: "number" } };
export const flag: Schema<boolean> = { json: { type: "boolean" } };
export const hex32: Schema<string> = {
  json: { type: "string", pattern: "^[0-9a-f]{32}$", description: "32 hex digits" },
};
/** An object whose shape is told elsewhere (the CRDs); only that it is an object is checked. */
export const anyObject = <T extends object>(description: string): Schema<T> => ({
  json: { type: "object", description },
});

/** What is wrong with `value`, with its path; undefined if it fits. Unknown keys are no problem. */
export function problem(schema: JsonSchema, value: unknown, path = "message"): string | undefined {
  switch (schema.type) {
    case "boolean":
      return typeof value === "boolean" ? undefined : `${path} is no boolean`;
    case "integer":
    case "number":
      if (typeof value !== "number" || (schema.type === "integer" && !Number.isSafeInteger(value)))
        return `${path} is no ${schema.type}`;
      return schema.minimum !== undefined && value < schema.minimum ? `${path} is below ${schema.minimum}` : undefined;
    case "string":
      return stringProblem(schema, value, path);
    case "array":
      if (!Array.isArray(value)) return `${path} is no list`;
      return first(value, (item, index) => problem(schema.items, item, `${path}[${index}]`));
    case "object":
      return objectProblem(schema, value, path);
  }
}

const patterns = new Map<string, RegExp>();
function stringProblem(schema: JsonSchema & { type: "string" }, value: unknown, path: string): string | undefined {
  if (typeof value !== "string") return `${path} is no text`;
  if (schema.const !== undefined && value !== schema.const) return `${path} is not ${schema.const}`;
  if (schema.enum && !schema.enum.includes(value)) return `${path} is none of ${schema.enum.join(", ")}`;
  if (schema.pattern !== undefined) {
    const pattern = patterns.get(schema.pattern) ?? new RegExp(schema.pattern);
    patterns.set(schema.pattern, pattern);
    if (!pattern.test(value)) return `${path} does not match ${schema.pattern}`;
  }
  return undefined;
}

function objectProblem(schema: JsonSchema & { type: "object" }, value: unknown, path: string): string | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return `${path} is no object`;
  const entries = new Map<string, unknown>(Object.entries(value));
  for (const key of schema.required ?? []) if (!entries.has(key)) return `${path}.${key} is missing`;
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    if (!entries.has(key)) continue;
    const wrong = problem(property, entries.get(key), `${path}.${key}`);
    if (wrong) return wrong;
  }
  const { additionalProperties } = schema;
  if (!additionalProperties) return undefined;
  return first([...entries], ([key, item]) => problem(additionalProperties, item, `${path}.${key}`));
}

function first<T>(items: readonly T[], look: (item: T, index: number) => string | undefined): string | undefined {
  for (const [index, item] of items.entries()) {
    const found = look(item, index);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** JSON in UTF-8 of a message that fits the schema. @throws Error saying what does not. */
export function decode<T>(schema: Schema<T>, data: Uint8Array): T {
  const value: unknown = JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("utf8"));
  const wrong = problem(schema.json, value);
  if (wrong !== undefined) throw new Error(wrong);
  return value as T;
}
export const encode = (message: object): Uint8Array => Buffer.from(JSON.stringify(message), "utf8");
