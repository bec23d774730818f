import type { ApiObject } from "../../api/meta.js";
import type { WatchBatch } from "../../client/object-client.js";
import type { Store } from "../../store/store.js";
import type { Ref, Resource, Resources } from "../resources/resource.js";
import type { RegistryContext, WriteOptions } from "./context.js";
import { type CreateOptions, create } from "./create.js";
import { type DeleteOptions, type Deletion, remove } from "./delete.js";
import { removeCollection } from "./delete-collection.js";
import { find, get } from "./get.js";
import { list, type ObjectList } from "./list.js";
import { createNamespaceGuard, finalizeNamespace } from "./namespaces.js";
import { patch } from "./patch.js";
import { getScale, patchScale, type Scale, updateScale } from "./scale.js";
import type { SelectionOptions } from "./selection.js";
import { update, updateStatus } from "./update.js";
import { type WatchOptions, watch } from "./watch.js";

export interface RegistryOptions {
  store: Store;
  resources: Resources;
  now: () => number;
  newUid: () => string;
  random: () => number;
  remarks: (object: ApiObject) => string[];
}

/** The verbs of the API on stored objects, for HTTP and for the in-process client alike. Objects that come out are
 *  shared: never change one. Every failure that is the caller's is an ApiError. */
export interface Registry {
  readonly resources: Resources;
  readonly store: Store;
  find(resource: Resource, ref: Ref): Promise<ApiObject | undefined>;
  get(resource: Resource, ref: Ref): Promise<ApiObject>;
  list(resource: Resource, options: SelectionOptions): Promise<ObjectList>;
  watch(resource: Resource, options: WatchOptions): AsyncIterable<WatchBatch>;
  create(resource: Resource, namespace: string, given: unknown, options?: CreateOptions): Promise<ApiObject>;
  update(resource: Resource, ref: Ref, given: unknown, options?: WriteOptions): Promise<ApiObject>;
  updateStatus(resource: Resource, ref: Ref, given: unknown, options?: WriteOptions): Promise<ApiObject>;
  patch(resource: Resource, ref: Ref, mediaType: string, body: unknown, options?: WriteOptions): Promise<ApiObject>;
  remove(resource: Resource, ref: Ref, options?: DeleteOptions): Promise<Deletion>;
  removeCollection(resource: Resource, selection: SelectionOptions, options?: DeleteOptions): Promise<ObjectList>;
  /** Lets a namespace go that was deleted and is empty now. */
  finalizeNamespace(name: string): Promise<void>;
  getScale(resource: Resource, ref: Ref): Promise<Scale>;
  updateScale(resource: Resource, ref: Ref, given: unknown, options?: WriteOptions): Promise<Scale>;
  patchScale(resource: Resource, ref: Ref, mediaType: string, body: unknown, options?: WriteOptions): Promise<Scale>;
}

export function createRegistry(options: RegistryOptions): Registry {
  const { store, resources } = options;
  const ctx: RegistryContext = {
    ...options,
    namespaces: createNamespaceGuard(store, resources),
  };
  return {
    resources,
    store,
    find: (resource, ref) => find(ctx, resource, ref),
    get: (resource, ref) => get(ctx, resource, ref),
    list: (resource, selection) => list(ctx, resource, selection),
    watch: (resource, watchOptions) => watch(ctx, resource, watchOptions),
    create: (resource, namespace, given, o) => create(ctx, resource, namespace, given, o),
    update: async (resource, ref, given, o) => update(ctx, resource, ref, given, o),
    updateStatus: async (resource, ref, given, o) => updateStatus(ctx, resource, ref, given, o),
    patch: async (resource, ref, mediaType, body, o) => patch(ctx, resource, ref, mediaType, body, o),
    remove: (resource, ref, o) => remove(ctx, resource, ref, o),
    removeCollection: (resource, selection, o) => removeCollection(ctx, resource, selection, o),
    finalizeNamespace: (name) => finalizeNamespace(ctx, name),
    getScale: (resource, ref) => getScale(ctx, resource, ref),
    updateScale: async (resource, ref, given, o) => updateScale(ctx, resource, ref, given, o),
    patchScale: async (resource, ref, mediaType, body, o) => patchScale(ctx, resource, ref, mediaType, body, o),
  };
}
