import type { ApiObject } from "../../api/meta.js";
import { keyOf, prefixOf, type Resource } from "../resources/resource.js";
import type { RegistryContext } from "./context.js";
import { parseSelection, type Selection, type SelectionOptions } from "./selection.js";

export interface ObjectList {
  items: readonly ApiObject[];
  resourceVersion: string;
}

export async function list(ctx: RegistryContext, resource: Resource, options: SelectionOptions): Promise<ObjectList> {
  return listSelected(ctx, resource, options.namespace, parseSelection(options));
}

async function listSelected(
  ctx: RegistryContext,
  resource: Resource,
  namespace: string | undefined,
  selection: Selection,
): Promise<ObjectList> {
  const prefix = prefixOf(resource, namespace);
  if (selection.name !== undefined && (namespace !== undefined || !resource.namespaced)) {
    // The revision is read first: a watch from it then misses nothing.
    const revision = ctx.store.revision();
    const entry = await ctx.store.get(keyOf(resource, { namespace: namespace ?? "", name: selection.name }));
    const items = entry && selection.matches(entry.object) ? [entry.object] : [];
    return { items, resourceVersion: String(Math.max(revision, entry?.revision ?? 0)) };
  }
  const { entries, revision } = await ctx.store.list(prefix);
  const items: ApiObject[] = [];
  for (const { object } of entries) if (selection.matches(object)) items.push(object);
  return { items, resourceVersion: String(revision) };
}
