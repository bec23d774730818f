import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import ajvFormats from "ajv-formats";
import type { Schema } from "../../api/crd.js";
import type { Cause } from "../errors.js";
import { invalidValue, notSupported, required, tooLong, tooMany, wrongType } from "./causes.js";
import { child, fromPointer } from "./path.js";

/** Checks one value against a structural schema: everything but list types and CEL rules. */
export type SchemaCheck = (value: unknown) => Cause[];

/** @param root where the value lies in its object, for the paths of causes */
export function compileSchema(schema: Schema, root: string): SchemaCheck {
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    strict: false,
    messages: false,
    meta: false,
    validateSchema: false,
    code: { optimize: false },
  });
  ajvFormats.default(ajv);
  const validate: ValidateFunction = ajv.compile(toJsonSchema(schema));
  return (value) => (validate(value) ? [] : (validate.errors ?? []).filter(isOwn).map((e) => causeOf(e, value, root)));
}

/** A failed branch of anyOf, oneOf or not says nothing on its own: only the combination's error counts. */
const isOwn = ({ schemaPath }: ErrorObject) => !/\/(anyOf|oneOf|not)\/./.test(schemaPath);

/** OpenAPI 3.0's dialect as draft 7, with the extensions that ajv can carry out. */
function toJsonSchema(schema: Schema): object {
  const out: Record<string, unknown> = {};
  for (const key of COPIED) if (schema[key] !== undefined) out[key] = schema[key];
  if (schema.format !== undefined && !IGNORED_FORMATS.has(schema.format)) out.format = schema.format;
  const types: string[] = schema["x-kubernetes-int-or-string"]
    ? ["integer", "string"]
    : schema.type
      ? [schema.type]
      : [];
  if (types.length > 0) out.type = schema.nullable ? [...types, "null"] : types.length === 1 ? types[0] : types;
  if (schema.enum) out.enum = schema.nullable ? [...schema.enum, null] : schema.enum;
  if (schema.minimum !== undefined) out[schema.exclusiveMinimum ? "exclusiveMinimum" : "minimum"] = schema.minimum;
  if (schema.maximum !== undefined) out[schema.exclusiveMaximum ? "exclusiveMaximum" : "maximum"] = schema.maximum;
  if (schema.items) out.items = toJsonSchema(schema.items);
  if (schema.additionalProperties) out.additionalProperties = toJsonSchema(schema.additionalProperties);
  if (schema.properties)
    out.properties = Object.fromEntries(Object.entries(schema.properties).map(([k, v]) => [k, toJsonSchema(v)]));
  for (const key of ["allOf", "anyOf", "oneOf"] as const) if (schema[key]) out[key] = schema[key].map(toJsonSchema);
  // Beside a type of its own, "integer or string" is often written out as anyOf: that is said already.
  if (schema["x-kubernetes-int-or-string"]) delete out.anyOf;
  if (schema.not) out.not = toJsonSchema(schema.not);
  return out;
}

const COPIED = [
  "required",
  "pattern",
  "multipleOf",
  "minLength",
  "maxLength",
  "minItems",
  "maxItems",
  "minProperties",
  "maxProperties",
] as const;
/** Hints for readers; Kubernetes does not check them either. */
const IGNORED_FORMATS = new Set(["int-or-string", "int64", "double", "float", "password"]);

function causeOf(error: ErrorObject, document: unknown, root: string): Cause {
  const field = fromPointer(root, error.instancePath, document);
  const params = error.params as Record<string, unknown>;
  const value: unknown = error.data;
  const says = (rule: string) => invalidValue(field, value, `${field} in body ${rule}`);
  switch (error.keyword) {
    case "required":
      return required(child(field, String(params.missingProperty)));
    case "type":
      return wrongType(field, value, wantedType(params.type));
    case "enum":
      return notSupported(
        field,
        value,
        (params.allowedValues as unknown[]).filter((v) => v !== null),
      );
    case "maxLength":
      return tooLong(field, Number(params.limit));
    case "maxItems":
      return tooMany(field, (value as unknown[]).length, Number(params.limit));
    case "maxProperties":
      return tooMany(field, Object.keys(value as object).length, Number(params.limit));
    case "minLength":
      return says(`should be at least ${params.limit} chars long`);
    case "minItems":
      return invalidValue(
        field,
        (value as unknown[]).length,
        `${field} in body should have at least ${params.limit} items`,
      );
    case "minProperties":
      return says(`should have at least ${params.limit} properties`);
    case "pattern":
      return says(`should match '${params.pattern}'`);
    case "minimum":
      return says(`should be greater than or equal to ${params.limit}`);
    case "exclusiveMinimum":
      return says(`should be greater than ${params.limit}`);
    case "maximum":
      return says(`should be less than or equal to ${params.limit}`);
    case "exclusiveMaximum":
      return says(`should be less than ${params.limit}`);
    case "multipleOf":
      return says(`should be a multiple of ${params.multipleOf}`);
    case "format":
      return says(`must be of type ${params.format}: ${JSON.stringify(value)}`);
    default:
      return says(COMBINATIONS[error.keyword] ?? `breaks the rule ${error.keyword}`);
  }
}

const wantedType = (type: unknown) => (Array.isArray(type) ? type : [type]).filter((t) => t !== "null").join(" or ");

const COMBINATIONS: Record<string, string> = {
  anyOf: "must validate at least one schema (anyOf)",
  oneOf: "must validate one and only one schema (oneOf)",
  not: "must not validate the schema (not)",
};
