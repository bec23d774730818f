import type { ApiObject } from "../../api/meta.js";
import type { Entry } from "../../store/store.js";
import { notFound } from "../errors.js";
import { keyOf, type Ref, type Resource } from "../resources/resource.js";
import type { RegistryContext } from "./context.js";

export async function find(ctx: RegistryContext, resource: Resource, ref: Ref): Promise<ApiObject | undefined> {
  return (await ctx.store.get(keyOf(resource, ref)))?.object;
}

/** @throws 404 */
export async function getEntry(ctx: RegistryContext, resource: Resource, ref: Ref): Promise<Entry> {
  const entry = await ctx.store.get(keyOf(resource, ref));
  if (entry === undefined) throw notFound(resource, ref);
  return entry;
}

/** @throws 404 */
export const get = async (ctx: RegistryContext, resource: Resource, ref: Ref): Promise<ApiObject> =>
  (await getEntry(ctx, resource, ref)).object;
