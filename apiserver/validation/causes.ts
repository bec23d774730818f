import type { Cause } from "../errors.js";
import type { Path } from "./path.js";

// One function per kind of mistake, in the words of Kubernetes' field errors.

const SHOWN_CHARACTERS = 200;

/** A value as an error shows it: scalars as they are, long strings cut, objects and lists by their type. */
export function shown(value: unknown): string {
  if (typeof value === "string")
    return JSON.stringify(value.length > SHOWN_CHARACTERS ? `${value.slice(0, SHOWN_CHARACTERS)}…` : value);
  if (Array.isArray(value)) return '"array"';
  return typeof value === "object" && value !== null ? '"object"' : String(value);
}

const withDetail = (text: string, detail: string) => (detail === "" ? text : `${text}: ${detail}`);

export const required = (field: Path, detail = ""): Cause => ({
  reason: "FieldValueRequired",
  field,
  message: withDetail("Required value", detail),
});
export const invalidValue = (field: Path, value: unknown, detail: string): Cause => ({
  reason: "FieldValueInvalid",
  field,
  message: withDetail(`Invalid value: ${shown(value)}`, detail),
});
export const wrongType = (field: Path, value: unknown, wanted: string): Cause => ({
  reason: "FieldValueTypeInvalid",
  field,
  message: `Invalid value: ${shown(value)}: ${field} in body must be of type ${wanted}: "${jsonType(value)}"`,
});
export const notSupported = (field: Path, value: unknown, supported: readonly unknown[]): Cause => ({
  reason: "FieldValueNotSupported",
  field,
  message: `Unsupported value: ${shown(value)}: supported values: ${supported.map((v) => JSON.stringify(v)).join(", ")}`,
});
export const duplicate = (field: Path, value: unknown): Cause => ({
  reason: "FieldValueDuplicate",
  field,
  message: `Duplicate value: ${JSON.stringify(value)}`,
});
export const forbiddenField = (field: Path, detail: string): Cause => ({
  reason: "FieldValueForbidden",
  field,
  message: withDetail("Forbidden", detail),
});
export const tooLong = (field: Path, maxBytes: number): Cause => ({
  reason: "FieldValueTooLong",
  field,
  message: `Too long: may not be more than ${maxBytes} bytes`,
});
export const tooMany = (field: Path, actual: number, max: number): Cause => ({
  reason: "FieldValueTooMany",
  field,
  message: `Too many: ${actual}: must have at most ${max} items`,
});

function jsonType(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}
