import type { ApiObject } from "../../api/meta.js";
import { badRequest, invalid, noSuchPath } from "../errors.js";
import { isObject, type JsonObject, valueAt, withValueAt } from "../json.js";
import type { Ref, Resource } from "../resources/resource.js";
import { invalidValue } from "../validation/causes.js";
import type { RegistryContext, WriteOptions } from "./context.js";
import { get } from "./get.js";
import { patchOf } from "./patch.js";
import { rewrite } from "./update.js";

/** autoscaling/v1 Scale: the one view of "how many" that every tool knows. */
export interface Scale {
  kind: "Scale";
  apiVersion: "autoscaling/v1";
  metadata: { name: string; namespace?: string; uid: string; resourceVersion: string; creationTimestamp: string };
  spec: { replicas?: number };
  status: { replicas: number; selector?: string };
}

/** @throws 404 */
export async function getScale(ctx: RegistryContext, resource: Resource, ref: Ref): Promise<Scale> {
  return scaleOf(resource, await get(ctx, resource, ref));
}

/** @throws 400, 404, 409, 422 */
export async function updateScale(
  ctx: RegistryContext,
  resource: Resource,
  ref: Ref,
  given: unknown,
  options: WriteOptions = {},
): Promise<Scale> {
  return rescale(ctx, resource, ref, () => given, options);
}

/** The patch is of the Scale, not of the object behind it. */
export async function patchScale(
  ctx: RegistryContext,
  resource: Resource,
  ref: Ref,
  mediaType: string,
  body: unknown,
  options: WriteOptions = {},
): Promise<Scale> {
  const apply = patchOf(mediaType, body, { group: "autoscaling", kind: "Scale" });
  const change = (scale: Scale) => {
    const patched = apply(scale);
    const { metadata } = patched as Partial<Scale>;
    if (metadata?.resourceVersion !== scale.metadata.resourceVersion || !isObject(patched)) return patched;
    const { resourceVersion: _, ...rest } = metadata;
    return { ...patched, metadata: rest };
  };
  return rescale(ctx, resource, ref, change, options);
}

async function rescale(
  ctx: RegistryContext,
  resource: Resource,
  ref: Ref,
  change: (scale: Scale) => unknown,
  options: WriteOptions,
): Promise<Scale> {
  const path = pathsOf(resource).spec;
  const object = await rewrite(
    ctx,
    resource,
    ref,
    (current) => {
      const wanted = change(scaleOf(resource, current));
      const { replicas, resourceVersion } = checkScale(resource, ref, wanted);
      const scaled = withValueAt(current as unknown as JsonObject, path, replicas) as unknown as ApiObject;
      return { ...scaled, metadata: { ...current.metadata, resourceVersion } };
    },
    options,
  );
  return scaleOf(resource, object);
}

function checkScale(resource: Resource, ref: Ref, given: unknown): { replicas: number; resourceVersion: string } {
  if (!isObject(given) || given.kind !== "Scale" || given.apiVersion !== "autoscaling/v1")
    throw badRequest("the object provided is not an autoscaling/v1 Scale");
  const { spec, metadata } = given as Partial<Scale>;
  if (metadata?.name !== undefined && metadata.name !== ref.name)
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${ref.name})`);
  const replicas = spec?.replicas ?? 0;
  if (typeof replicas !== "number" || !Number.isInteger(replicas) || replicas < 0)
    throw invalid({ ...resource, group: "autoscaling", kind: "Scale" }, ref.name, [
      invalidValue("spec.replicas", replicas, "must be a whole number greater than or equal to 0"),
    ]);
  return { replicas, resourceVersion: metadata?.resourceVersion ?? "" };
}

function scaleOf(resource: Resource, object: ApiObject): Scale {
  const paths = pathsOf(resource);
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector = paths.selector && valueAt(object, paths.selector);
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: { name, ...(namespace !== undefined && { namespace }), uid, resourceVersion, creationTimestamp },
    spec: { replicas: Number(valueAt(object, paths.spec) ?? 0) },
    status: {
      replicas: Number(valueAt(object, paths.status) ?? 0),
      ...(typeof selector === "string" && { selector }),
    },
  };
}

const segments = (path: string) => path.split(".").filter((name) => name !== "");

function pathsOf({ scale }: Resource) {
  if (scale === undefined) throw noSuchPath();
  return {
    spec: segments(scale.specReplicasPath),
    status: segments(scale.statusReplicasPath),
    selector: scale.labelSelectorPath === undefined ? undefined : segments(scale.labelSelectorPath),
  };
}
