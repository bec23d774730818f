import type { ApiObject, ObjectMeta } from "../../api/meta.js";
import { apiError } from "../../client/object-client.js";
import { badRequest, type Cause, invalid } from "../errors.js";
import { isObject } from "../json.js";
import type { Resource } from "../resources/resource.js";
import { validatorOf } from "../validation/validator.js";
import type { RegistryContext, WriteOptions } from "./context.js";

/** Turns what somebody sent into an object of the kind: the right shape, no unknown fields or empty nulls,
 *  defaults filled in. @throws 400 naming every unknown field, or what the object is instead. */
export function decode(resource: Resource, given: unknown, options: WriteOptions): ApiObject {
  const validator = validatorOf(resource);
  if (options.validate === false)
    return options.part === "status" ? (given as ApiObject) : validator.applyDefaults(given as ApiObject);
  if (!isObject(given)) throw badRequest(`the object provided is not an object (must be of type ${resource.kind})`);
  checkType(resource, given);
  const { object, unknown } = validator.prune(given);
  if (unknown.length > 0) refuseUnknown(resource, unknown, options);
  const known = validator.applyDefaults(object) as Partial<ApiObject>;
  if (known.metadata !== undefined && !isObject(known.metadata))
    throw badRequest(`${resource.kind}: metadata must be an object`);
  // Metadata may still lack what the server fills in: create and update take from it only what is the writer's.
  const metadata = known.metadata ?? ({} as ObjectMeta);
  return { ...known, apiVersion: resource.apiVersion, kind: resource.kind, metadata };
}

function checkType(resource: Resource, { apiVersion, kind }: Record<string, unknown>): void {
  if (kind === undefined || kind === "") throw badRequest("Object 'Kind' is missing in the object provided");
  if (apiVersion !== resource.apiVersion)
    throw badRequest(
      `the API version in the data (${String(apiVersion ?? "")}) does not match the expected API version (${resource.apiVersion})`,
    );
  if (kind !== resource.kind)
    throw badRequest(`the kind in the data (${String(kind)}) does not match the expected kind (${resource.kind})`);
}

function refuseUnknown(resource: Resource, paths: readonly string[], options: WriteOptions): void {
  if (options.fieldValidation === "Ignore") return;
  const sentences = paths.map((path) => `unknown field "${path}"`);
  if (options.fieldValidation === "Warn") {
    for (const sentence of sentences) options.warn?.(sentence);
    return;
  }
  throw badRequest(strictDecodingError(resource, sentences));
}

export const strictDecodingError = (resource: Resource, sentences: readonly string[]) =>
  `${resource.kind} in version "${resource.version}" cannot be handled as a ${resource.kind}: ` +
  `strict decoding error: ${sentences.join(", ")}`;

/** The last look at an object before it is written. @throws 422 with every cause at once. */
export function check(
  ctx: RegistryContext,
  resource: Resource,
  object: ApiObject,
  old: ApiObject | undefined,
  options: WriteOptions,
): void {
  if (options.validate === false) return;
  const causes = validatorOf(resource).check(object, old);
  if (causes.length > 0) throw invalid(resource, object.metadata.name, causes);
  checkSize(resource, object);
  if (options.part !== "status" && options.warn) for (const text of ctx.remarks(object)) options.warn(text);
}

/** An annotation of the CRD bounds the document, as ECS does: the limit belongs to the kind, not to this code. */
const MAX_SPEC_BYTES = "davit.dev/max-spec-bytes";

function checkSize(resource: Resource, object: ApiObject): void {
  const limit = Number(resource.annotations[MAX_SPEC_BYTES] ?? Number.POSITIVE_INFINITY);
  if (limit === Number.POSITIVE_INFINITY || object.spec === undefined) return;
  const bytes = Buffer.byteLength(JSON.stringify(object.spec));
  if (bytes <= limit) return;
  const cause: Cause = {
    reason: "FieldValueTooLong",
    field: "spec",
    message: `Too long: Actual length: '${bytes}'. Max allowed length is '${limit}' bytes.`,
  };
  throw invalid(resource, object.metadata.name, [cause]);
}

export const nameMismatch = (inBody: string, inUrl: string) =>
  apiError(400, "BadRequest", `the name of the object (${inBody}) does not match the name on the URL (${inUrl})`);
