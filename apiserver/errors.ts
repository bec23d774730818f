import { type ApiError, apiError } from "../client/object-client.js";
import { qualifiedName, type Ref, type Resource } from "./resources/resource.js";

// Kubernetes' own reasons, codes and sentences: clients match on them, and people know them.

/** One thing wrong with one field; `message` comes without the field's name. */
export interface Cause {
  reason:
    | "FieldValueRequired"
    | "FieldValueInvalid"
    | "FieldValueTypeInvalid"
    | "FieldValueNotSupported"
    | "FieldValueDuplicate"
    | "FieldValueForbidden"
    | "FieldValueTooLong"
    | "FieldValueTooMany";
  field: string;
  message: string;
}

const details = (resource: Resource, name: string) => ({
  ...(name !== "" && { name }),
  ...(resource.group !== "" && { group: resource.group }),
  kind: resource.plural,
});

export const notFound = (resource: Resource, { name }: Pick<Ref, "name">) =>
  apiError(404, "NotFound", `${qualifiedName(resource)} "${name}" not found`, details(resource, name));

export const noSuchPath = () => apiError(404, "NotFound", "the server could not find the requested resource", {});

export const alreadyExists = (resource: Resource, { name }: Pick<Ref, "name">) =>
  apiError(409, "AlreadyExists", `${qualifiedName(resource)} "${name}" already exists`, details(resource, name));

export const conflict = (
  resource: Resource,
  { name }: Pick<Ref, "name">,
  why = "the object has been modified; please apply your changes to the latest version and try again",
) =>
  apiError(
    409,
    "Conflict",
    `Operation cannot be fulfilled on ${qualifiedName(resource)} "${name}": ${why}`,
    details(resource, name),
  );

export const forbidden = (resource: Resource, { name }: Pick<Ref, "name">, why: string) =>
  apiError(403, "Forbidden", `${qualifiedName(resource)} "${name}" is forbidden: ${why}`, details(resource, name));

export function invalid(resource: Pick<Resource, "group" | "kind">, name: string, causes: readonly Cause[]): ApiError {
  const kind = resource.group === "" ? resource.kind : `${resource.kind}.${resource.group}`;
  const sentences = [...new Set(causes.map(({ field, message }) => `${field}: ${message}`))];
  const list = sentences.length === 1 ? sentences[0] : `[${sentences.join(", ")}]`;
  return apiError(422, "Invalid", `${kind} "${name}" is invalid: ${list}`, {
    ...(name !== "" && { name }),
    ...(resource.group !== "" && { group: resource.group }),
    kind: resource.kind,
    causes: [...causes],
  });
}

export const badRequest = (message: string) => apiError(400, "BadRequest", message);
export const unauthorized = (message = "Unauthorized") => apiError(401, "Unauthorized", message);
export const tooLarge = (limitBytes: number) =>
  apiError(413, "RequestEntityTooLarge", `Request entity too large: limit is ${limitBytes}`);
export const methodNotAllowed = () =>
  apiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {});
export const unsupportedMediaType = (message: string) => apiError(415, "UnsupportedMediaType", message);
export const notAcceptable = (accepted: readonly string[]) =>
  apiError(406, "NotAcceptable", `only the following media types are accepted: ${accepted.join(", ")}`);
export const expired = (since: string, oldest: number) =>
  apiError(410, "Expired", `too old resource version: ${since} (${oldest})`);
export const internalError = () => apiError(500, "InternalError", "Internal error occurred: see the server's log");
