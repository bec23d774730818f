import type { ApiObject } from "../api/meta.js";
import type { Kind } from "../api/types.gen.js";
import type { ObjectClient, Ref } from "./object-client.js";

export interface WriteListener {
  /** The server has answered a write of this kind with this object. */
  wrote(kind: Kind, object: ApiObject): void;
  /** The server has accepted a deletion. */
  deleted(kind: Kind, ref: Ref): void;
}

/** The same client, which tells of every write that succeeded before it answers. */
export function trackingClient(client: ObjectClient, listener: WriteListener): ObjectClient {
  const tell = <T extends ApiObject>(kind: Kind, object: T, dryRun: boolean | undefined): T => {
    if (!dryRun) listener.wrote(kind, object);
    return object;
  };
  return {
    get: (kind, ref) => client.get(kind, ref),
    list: (kind, options) => client.list(kind, options),
    watch: (kind, options) => client.watch(kind, options),
    create: async (kind, object, options) => tell(kind, await client.create(kind, object, options), options?.dryRun),
    update: async (kind, object, options) => tell(kind, await client.update(kind, object, options), options?.dryRun),
    updateStatus: async (kind, object, options) =>
      tell(kind, await client.updateStatus(kind, object, options), options?.dryRun),
    patch: async (kind, ref, patch, options) =>
      tell(kind, await client.patch(kind, ref, patch, options), options?.dryRun),
    delete: async (kind, ref, options) => {
      await client.delete(kind, ref, options);
      listener.deleted(kind, ref);
    },
  };
}
