import type { ApiObject, ObjectMeta } from "../../api/meta.js";
import { Conflict, NotFound } from "../../store/store.js";
import { badRequest, conflict, forbidden, notFound } from "../errors.js";
import { keyOf, type Ref, type Resource } from "../resources/resource.js";
import { type RegistryContext, timestamp } from "./context.js";
import { checkDeletable } from "./deny-delete.js";
import { getEntry } from "./get.js";
import { isNamespace } from "./namespaces.js";

export interface DeleteOptions {
  uid?: string;
  resourceVersion?: string;
  propagationPolicy?: string;
  dryRun?: boolean;
}
/** `gone`: removed now. Otherwise finalizers keep it, and `object` has its deletionTimestamp. */
export interface Deletion {
  gone: boolean;
  object: ApiObject;
}

const MAX_ATTEMPTS = 5;

/** @throws 400 (a propagation policy that is not carried out), 403, 404, 409 (precondition; or other objects stand in
 *  the way, by the kind's rules) */
export async function remove(
  ctx: RegistryContext,
  resource: Resource,
  ref: Ref,
  options: DeleteOptions = {},
): Promise<Deletion> {
  checkPolicy(resource, options.propagationPolicy);
  if (isNamespace(resource) && ref.name === "default")
    throw forbidden(resource, ref, "this namespace may not be deleted");
  for (let attempt = 1; ; attempt++) {
    try {
      return await removeOnce(ctx, resource, ref, options);
    } catch (error) {
      if (error instanceof NotFound) throw notFound(resource, ref);
      if (!(error instanceof Conflict)) throw error;
      if (options.resourceVersion || attempt === MAX_ATTEMPTS) throw conflict(resource, ref);
    }
  }
}

async function removeOnce(
  ctx: RegistryContext,
  resource: Resource,
  ref: Ref,
  options: DeleteOptions,
): Promise<Deletion> {
  const { object, revision } = await getEntry(ctx, resource, ref);
  checkPreconditions(resource, ref, object, options);
  const key = keyOf(resource, ref);
  const foreground = options.propagationPolicy === "Foreground";
  const deleting = object.metadata.deletionTimestamp !== undefined;
  if (deleting && (!foreground || hasFinalizer(object, FOREGROUND))) return { gone: false, object };
  if (!foreground) await checkDeletable(ctx, resource, ref, object);
  if (!foreground && !isKept(object)) {
    if (options.dryRun) return { gone: true, object };
    return { gone: true, object: (await ctx.store.delete(key, revision)).object };
  }
  const doomed = markDeleted(resource, object, {
    deletionTimestamp: object.metadata.deletionTimestamp ?? timestamp(ctx.now()),
    ...(foreground && { finalizers: [...(object.metadata.finalizers ?? []), FOREGROUND] }),
  });
  if (options.dryRun) return { gone: false, object: doomed };
  if (!isNamespace(resource)) return { gone: false, object: (await ctx.store.update(key, doomed, revision)).object };
  ctx.namespaces.close(ref.name);
  try {
    return { gone: false, object: (await ctx.store.update(key, doomed, revision)).object };
  } finally {
    ctx.namespaces.forget(ref.name);
  }
}

/** Kubernetes' own: what the object holds is to be deleted first. Here its kind's controller sees to that. */
const FOREGROUND = "foregroundDeletion";

const hasFinalizer = ({ metadata }: ApiObject, name: string) => metadata.finalizers?.includes(name) === true;

type Marks = Pick<ObjectMeta, "deletionTimestamp" | "finalizers">;

function markDeleted(resource: Resource, object: ApiObject, marks: Marks): ApiObject {
  const metadata = { ...object.metadata, ...marks, deletionGracePeriodSeconds: 0 };
  return { ...object, metadata, ...(isNamespace(resource) && { status: { phase: "Terminating" } }) };
}

/** Deletion was asked for, and nothing keeps the object any more: the write that finds it so removes it. */
export const isDeleted = (object: ApiObject) => object.metadata.deletionTimestamp !== undefined && !isKept(object);

function isKept({ metadata, kind, apiVersion, spec }: ApiObject): boolean {
  if (metadata.finalizers !== undefined && metadata.finalizers.length > 0) return true;
  if (kind !== "Namespace" || apiVersion !== "v1") return false;
  return ((spec as { finalizers?: string[] } | undefined)?.finalizers ?? []).length > 0;
}

function checkPolicy(resource: Resource, policy: string | undefined): void {
  if (policy === undefined || policy === "Background") return;
  if (policy === "Foreground" && resource.cascades) return;
  if (policy === "Foreground" || policy === "Orphan")
    throw badRequest(`propagationPolicy ${policy} is not carried out by this server yet: use Background`);
  throw badRequest(`propagationPolicy: Unsupported value: ${JSON.stringify(policy)}: supported values: "Background"`);
}

function checkPreconditions(resource: Resource, ref: Ref, { metadata }: ApiObject, options: DeleteOptions): void {
  const { uid, resourceVersion } = options;
  if (uid !== undefined && uid !== metadata.uid)
    throw conflict(
      resource,
      ref,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid}`,
    );
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion)
    throw conflict(
      resource,
      ref,
      `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${metadata.resourceVersion}`,
    );
}
