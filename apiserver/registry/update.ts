import type { ApiObject, ObjectMeta } from "../../api/meta.js";
import { Conflict, type Entry, NotFound } from "../../store/store.js";
import { badRequest, conflict, notFound } from "../errors.js";
import { jsonEqual } from "../json.js";
import { keyOf, type Ref, type Resource } from "../resources/resource.js";
import { check, decode, nameMismatch } from "./admit.js";
import type { RegistryContext, WriteOptions } from "./context.js";
import { isDeleted } from "./delete.js";
import { getEntry } from "./get.js";
import { isNamespace } from "./namespaces.js";

/** Replaces metadata and spec, or status. With `metadata.resourceVersion` it is compare-and-set.
 *  @throws 400, 404, 409 Conflict, 422 */
export function update(
  ctx: RegistryContext,
  resource: Resource,
  ref: Ref,
  given: unknown,
  options: WriteOptions = {},
): Promise<ApiObject> {
  const object = decode(resource, given, options);
  checkRef(object, ref);
  return rewrite(ctx, resource, ref, () => object, options);
}

/** Trusted writers send back the stored object with a new status: nothing else of it is looked at. */
export const updateStatus = (
  ctx: RegistryContext,
  resource: Resource,
  ref: Ref,
  given: unknown,
  options: WriteOptions = {},
): Promise<ApiObject> => update(ctx, resource, ref, given, { ...options, part: "status" });

const MAX_ATTEMPTS = 5;

/** Reads, changes, writes; if nobody asked for a certain resourceVersion, a lost race is run again.
 *  `change` is given the stored object and must not change it. */
export async function rewrite(
  ctx: RegistryContext,
  resource: Resource,
  ref: Ref,
  change: (current: ApiObject) => ApiObject,
  options: WriteOptions,
): Promise<ApiObject> {
  for (let attempt = 1; ; attempt++) {
    const entry = await getEntry(ctx, resource, ref);
    const wanted = change(entry.object);
    checkPreconditions(resource, ref, wanted.metadata, entry.object.metadata);
    try {
      return await write(ctx, resource, ref, entry, wanted, options);
    } catch (error) {
      if (error instanceof NotFound) throw notFound(resource, ref);
      if (!(error instanceof Conflict)) throw error;
      if (wanted.metadata.resourceVersion || attempt === MAX_ATTEMPTS) throw conflict(resource, ref);
    }
  }
}

async function write(
  ctx: RegistryContext,
  resource: Resource,
  ref: Ref,
  { key, object: current, revision }: Entry,
  wanted: ApiObject,
  options: WriteOptions,
): Promise<ApiObject> {
  const next = options.part === "status" ? { ...current, status: wanted.status } : merge(resource, wanted, current);
  if (jsonEqual(next, current)) return current;
  check(ctx, resource, next, current, options);
  if (options.dryRun) return next;
  if (isDeleted(next)) return (await ctx.store.delete(key, revision)).object;
  // The store stamps its own revision: the metadata may not be the current object's.
  const stored = await ctx.store.update(keyOf(resource, ref), { ...next, metadata: { ...next.metadata } }, revision);
  if (isNamespace(resource)) ctx.namespaces.forget(ref.name);
  return stored.object;
}

/** What a write to the main resource makes of the stored object. What the server owns stays as it was. */
function merge(resource: Resource, wanted: ApiObject, current: ApiObject): ApiObject {
  const { metadata: before } = current;
  const { labels, annotations, ownerReferences, finalizers } = wanted.metadata;
  const { status: _, ...rest } = wanted;
  const metadata: ObjectMeta = { ...before };
  replace(metadata, "labels", labels);
  replace(metadata, "annotations", annotations);
  replace(metadata, "ownerReferences", ownerReferences);
  replace(metadata, "finalizers", finalizers);
  const status = resource.hasStatus ? current.status : wanted.status;
  const next: ApiObject = { ...rest, metadata, ...(status !== undefined && { status }) };
  if (isNamespace(resource)) next.spec = current.spec;
  if (!jsonEqual({ ...next, metadata: before }, current)) metadata.generation = before.generation + 1;
  return next;
}

function replace<K extends "labels" | "annotations" | "ownerReferences" | "finalizers">(
  metadata: ObjectMeta,
  name: K,
  value: ObjectMeta[K],
): void {
  const empty = value === undefined || Object.keys(value).length === 0;
  if (empty) delete metadata[name];
  else metadata[name] = value;
}

function checkRef({ metadata }: ApiObject, ref: Ref): void {
  if (metadata.name && metadata.name !== ref.name) throw nameMismatch(metadata.name, ref.name);
  if (metadata.namespace && metadata.namespace !== ref.namespace)
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
}

function checkPreconditions(resource: Resource, ref: Ref, wanted: ObjectMeta, current: ObjectMeta): void {
  if (wanted.uid && wanted.uid !== current.uid)
    throw conflict(
      resource,
      ref,
      `Precondition failed: UID in precondition: ${wanted.uid}, UID in object meta: ${current.uid}`,
    );
  if (wanted.resourceVersion && wanted.resourceVersion !== current.resourceVersion) throw conflict(resource, ref);
}
