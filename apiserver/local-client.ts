import type { ApiObject } from "../api/meta.js";
import type { Kind, Kinds } from "../api/types.gen.js";
import type { ObjectClient, WatchBatch } from "../client/object-client.js";
import { MERGE_PATCH } from "./registry/patch.js";
import type { Registry } from "./registry/registry.js";
import { type Resource, refOf } from "./resources/resource.js";

export interface LocalClientOptions {
  registry: Registry;
  /** false: the writer is trusted to send what the schema allows; defaults are filled in all the same. For
   *  controllers, whose objects are made by typed code. @default true */
  validate?: boolean;
}

/** ObjectClient on the registry in this process: no HTTP, no copies. Objects handed in belong to the store from
 *  then on, and those handed out are shared: never change either. */
export function createLocalClient({ registry, validate = true }: LocalClientOptions): ObjectClient {
  const resources = new Map<Kind, Resource>();
  const resourceOf = (kind: Kind): Resource => {
    const known = resources.get(kind);
    if (known !== undefined) return known;
    const resource = registry.resources.all.find((r) => r.kind === kind && r.group !== "");
    if (resource === undefined) throw new Error(`no CRD of kind ${kind}`);
    resources.set(kind, resource);
    return resource;
  };
  // The registry speaks of any ApiObject; what lies under a kind's keys is of that kind.
  const typed = <K extends Kind>(object: ApiObject) => object as Kinds[K];

  return {
    async get<K extends Kind>(kind: K, ref: { namespace: string; name: string }) {
      const object = await registry.find(resourceOf(kind), ref);
      return object && typed<K>(object);
    },
    async list<K extends Kind>(kind: K, options = {}) {
      const { items, resourceVersion } = await registry.list(resourceOf(kind), options);
      return { items: items as readonly Kinds[K][], resourceVersion };
    },
    watch: <K extends Kind>(kind: K, options: Parameters<ObjectClient["watch"]>[1]) =>
      registry.watch(resourceOf(kind), options) as AsyncIterable<WatchBatch<Kinds[K]>>,
    async create<K extends Kind>(kind: K, object: Parameters<ObjectClient["create"]>[1], options = {}) {
      const namespace = object.metadata.namespace ?? "default";
      const write = { ...options, validate, keepStatus: true };
      return typed<K>(await registry.create(resourceOf(kind), namespace, object, write));
    },
    async update<K extends Kind>(kind: K, object: Kinds[K], options = {}) {
      return typed<K>(await registry.update(resourceOf(kind), refOf(object), object, { ...options, validate }));
    },
    async updateStatus<K extends Kind>(kind: K, object: Kinds[K], options = {}) {
      return typed<K>(await registry.updateStatus(resourceOf(kind), refOf(object), object, { ...options, validate }));
    },
    async patch<K extends Kind>(
      kind: K,
      ref: { namespace: string; name: string },
      patch: Record<string, unknown>,
      options = {},
    ) {
      const write = { ...options, validate };
      return typed<K>(await registry.patch(resourceOf(kind), ref, MERGE_PATCH, patch, write));
    },
    async delete(kind, ref, options = {}) {
      await registry.remove(resourceOf(kind), ref, options);
    },
  };
}
