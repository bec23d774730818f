import * as rfc6902 from "rfc6902";
import type { ApiObject } from "../../api/meta.js";
import { badRequest, type Cause, invalid, unsupportedMediaType } from "../errors.js";
import { isObject, type JsonObject } from "../json.js";
import type { Ref, Resource } from "../resources/resource.js";
import { decode, nameMismatch } from "./admit.js";
import type { RegistryContext, WriteOptions } from "./context.js";
import { rewrite } from "./update.js";

export const MERGE_PATCH = "application/merge-patch+json";
export const JSON_PATCH = "application/json-patch+json";
const STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json";
export const APPLY_PATCH = "application/apply-patch+yaml";

/** Changes the stored object by a patch; a lost race patches the winner's object, unless the patch sets
 *  `metadata.resourceVersion`. @throws 400, 404, 409, 415 (a kind of patch that is not carried out), 422 */
export function patch(
  ctx: RegistryContext,
  resource: Resource,
  ref: Ref,
  mediaType: string,
  body: unknown,
  options: WriteOptions = {},
): Promise<ApiObject> {
  const apply = patchOf(mediaType, body, resource);
  const change = (current: ApiObject) => {
    const patched = apply(current);
    if (!isObject(patched)) throw badRequest("the patch leaves no object");
    const object = decode(resource, patched, options);
    if (object.metadata.name !== ref.name) throw nameMismatch(String(object.metadata.name), ref.name);
    // A patch that does not speak of it takes whatever version is there.
    if (object.metadata.resourceVersion !== current.metadata.resourceVersion) return object;
    const { resourceVersion: _, ...metadata } = object.metadata;
    return { ...object, metadata: { ...metadata, resourceVersion: mentionsVersion(body) } };
  };
  return rewrite(ctx, resource, ref, change, options);
}

/** The resourceVersion that a merge patch insists on; "" if none. */
function mentionsVersion(body: unknown): string {
  if (!isObject(body) || !isObject(body.metadata)) return "";
  const version = body.metadata.resourceVersion;
  return typeof version === "string" ? version : "";
}

/** What a patch makes of an object. The argument is not changed. @throws 415 */
export function patchOf(
  mediaType: string,
  body: unknown,
  resource: Pick<Resource, "group" | "kind">,
): (current: object) => unknown {
  switch (mediaType) {
    case MERGE_PATCH:
      if (!isObject(body)) throw badRequest("a merge patch must be an object");
      return (current) => mergePatch(current, body);
    case JSON_PATCH:
      return (current) => jsonPatch(current, body, resource);
    case APPLY_PATCH:
      throw unsupportedMediaType(
        `server-side apply (${APPLY_PATCH}) is not carried out by this server yet: use client-side apply`,
      );
    case STRATEGIC_MERGE_PATCH:
      // kubectl sends nothing else for core kinds. Without lists and directives it means the same as a merge patch.
      if (resource.group === "" && isObject(body) && isPlain(body)) return (current) => mergePatch(current, body);
      throw unsupportedMediaType(
        `the body of the request was in an unknown format - accepted media types include: ${JSON_PATCH}, ${MERGE_PATCH}`,
      );
    default:
      throw unsupportedMediaType(
        `${mediaType === "" ? "a patch without a Content-Type" : mediaType} is not supported - accepted media types include: ${JSON_PATCH}, ${MERGE_PATCH}`,
      );
  }
}

const isPlain = (patch: JsonObject): boolean =>
  Object.entries(patch).every(
    ([name, value]) => !name.startsWith("$") && !Array.isArray(value) && (!isObject(value) || isPlain(value)),
  );

/** RFC 7386. Parts that the patch leaves alone are shared with the result. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const result: JsonObject = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = mergePatch(result[name], value);
  }
  return result;
}

const MAX_OPERATIONS = 10_000; // as in Kubernetes

/** RFC 6902. */
function jsonPatch(current: object, body: unknown, resource: Pick<Resource, "group" | "kind">): unknown {
  if (!Array.isArray(body)) throw badRequest("a JSON patch must be a list of operations");
  if (body.length > MAX_OPERATIONS)
    throw badRequest(`the JSON patch has ${body.length} operations, and may have ${MAX_OPERATIONS}`);
  const document = structuredClone(current);
  const errors = rfc6902.applyPatch(document, body as rfc6902.Operation[]);
  const failed = errors.findIndex((error) => error !== null);
  if (failed < 0) return document;
  const { op, path } = body[failed] ?? {};
  const cause: Cause = {
    reason: "FieldValueInvalid",
    field: "patch",
    message: `Invalid value: ${JSON.stringify(body[failed])}: operation ${failed} (${op} ${path}): ${errors[failed]?.message || errors[failed]?.name}`,
  };
  throw invalid(resource, (current as ApiObject).metadata?.name ?? "", [cause]);
}
