import type { ApiObject, ObjectMeta } from "../../api/meta.js";
import { AlreadyExists } from "../../store/store.js";
import { alreadyExists, badRequest, type Cause, invalid } from "../errors.js";
import { keyOf, type Ref, type Resource } from "../resources/resource.js";
import { required } from "../validation/causes.js";
import { check, decode } from "./admit.js";
import { type RegistryContext, timestamp, type WriteOptions } from "./context.js";
import { isNamespace, newNamespace } from "./namespaces.js";

export interface CreateOptions extends WriteOptions {
  /** Keep the object's status; else it is dropped where the kind has the subresource. @default false */
  keepStatus?: boolean;
}

/** The namespace is the request's; the object may leave it out.
 *  @throws 400, 403 or 404 (namespace), 409 AlreadyExists, 422 */
export async function create(
  ctx: RegistryContext,
  resource: Resource,
  namespace: string,
  given: unknown,
  options: CreateOptions = {},
): Promise<ApiObject> {
  const decoded = decode(resource, given, options);
  const { name, generateName } = decoded.metadata;
  const metadata = newMetadata(ctx, resource, namespace, decoded.metadata, options);
  const object = prepare(resource, { ...decoded, metadata }, options);
  check(ctx, resource, object, undefined, options);
  const ref = { namespace, name: metadata.name };
  // No await between the last look and the store: else the namespace could go in between.
  while (resource.namespaced && !ctx.namespaces.isOpen(namespace)) await ctx.namespaces.admit(resource, ref);
  return store(ctx, resource, ref, object, options, !name && generateName ? MAX_GENERATED : 1);
}

const MAX_GENERATED = 8;

async function store(
  ctx: RegistryContext,
  resource: Resource,
  ref: Ref,
  object: ApiObject,
  options: CreateOptions,
  attempts: number,
): Promise<ApiObject> {
  try {
    if (options.dryRun) {
      const exists = await ctx.store.get(keyOf(resource, ref));
      if (exists) throw new AlreadyExists(exists.key, exists);
      return object;
    }
    const { object: stored } = await ctx.store.create(keyOf(resource, ref), object);
    if (isNamespace(resource)) ctx.namespaces.forget(ref.name);
    return stored;
  } catch (error) {
    if (!(error instanceof AlreadyExists)) throw error;
    if (attempts <= 1) throw alreadyExists(resource, ref);
    // Only a generated name gets here: another one is as good.
    const metadata = { ...object.metadata, name: generatedName(ctx, object.metadata.generateName ?? "") };
    return store(ctx, resource, { ...ref, name: metadata.name }, { ...object, metadata }, options, attempts - 1);
  }
}

function newMetadata(
  ctx: RegistryContext,
  resource: Resource,
  namespace: string,
  given: ObjectMeta,
  { validate }: CreateOptions,
): ObjectMeta {
  if (given.resourceVersion) throw badRequest("resourceVersion should not be set on objects to be created");
  if (given.namespace !== undefined && given.namespace !== "" && given.namespace !== namespace)
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  const name = given.name || (given.generateName ? generatedName(ctx, given.generateName) : "");
  if (name === "") throw invalid(resource, "", [nameRequired]);
  const metadata = {
    name,
    ...(resource.namespaced && { namespace }),
    ...(given.generateName && { generateName: given.generateName }),
    // A trusted writer may choose it: a task's ARN, in its first status, is made of it.
    uid: (validate === false && given.uid) || ctx.newUid(),
    resourceVersion: "",
    generation: 1,
    creationTimestamp: timestamp(ctx.now()),
    ...(given.labels && { labels: given.labels }),
    ...(given.annotations && { annotations: given.annotations }),
    ...(given.ownerReferences && { ownerReferences: given.ownerReferences }),
    ...(given.finalizers && { finalizers: given.finalizers }),
  };
  return metadata as ObjectMeta; // without a namespace where the kind has none
}

const nameRequired: Cause = required("metadata.name", "name or generateName is required");

function prepare(resource: Resource, object: ApiObject, options: CreateOptions): ApiObject {
  if (isNamespace(resource)) return newNamespace(object);
  if (!resource.hasStatus || options.keepStatus || object.status === undefined) return object;
  const { status: _, ...rest } = object;
  return rest;
}

const SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"; // Kubernetes' own: no vowels, nothing easily misread
const SUFFIX_LENGTH = 5;
const MAX_BASE = 63 - SUFFIX_LENGTH;

function generatedName({ random }: RegistryContext, base: string): string {
  let name = base.slice(0, MAX_BASE);
  for (let i = 0; i < SUFFIX_LENGTH; i++) name += SUFFIX_LETTERS[Math.floor(random() * SUFFIX_LETTERS.length)];
  return name;
}
