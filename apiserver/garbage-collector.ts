import type { Log } from "../api/log.js";
import type { ApiObject, OwnerReference } from "../api/meta.js";
import { ApiError, isDeletionDenied } from "../client/object-client.js";
import type { Batch } from "../store/store.js";
import { follow } from "./follow.js";
import type { Registry } from "./registry/registry.js";
import { keyOf, type Resource, refOf } from "./resources/resource.js";

export interface CollectorOptions {
  registry: Registry;
  log: Log;
  signal: AbortSignal;
}

/** One owner, and what belongs to it; kept only for owners that are known to be there. */
type Dependents = Map<string, ApiObject>;

/** Deletes, in the background, every object whose owners are all gone (same uid, not only same name). Of several
 *  owners, those that are gone are struck off the list. Runs until the signal. */
export async function collectGarbage({ registry, log, signal }: CollectorOptions): Promise<void> {
  const collector = createCollector(registry, log);
  const { store } = registry;
  const timer = setInterval(collector.retryDenied, RETRY_MS);
  await follow({ store, prefix: "", signal, log, start: collector.sweep, changed: collector.changed });
  clearInterval(timer);
}

/** How often the deletion of what other objects keep is tried again. */
const RETRY_MS = 1_000;

function createCollector(registry: Registry, log: Log) {
  const { store, resources } = registry;
  /** Without owners, and kept by other objects until those are gone; by uid. */
  const denied = new Map<string, ApiObject>();
  /** By the owner's uid. */
  const owners = new Map<string, Dependents>();

  async function sweep(): Promise<number> {
    owners.clear();
    const { entries, revision } = await store.list("");
    for (const { key, object } of entries) await note(key, object);
    return revision;
  }

  async function changed({ changes }: Batch): Promise<void> {
    for (const { type, key, object, previous } of changes) {
      if (type === "DELETED") {
        forget(key, object);
        await collectDependents(object.metadata.uid);
      } else if (object.metadata.ownerReferences !== previous?.metadata.ownerReferences) {
        if (previous) forget(key, previous);
        await note(key, object);
      } else if (object.metadata.ownerReferences) remember(key, object);
    }
  }

  /** Files an object under its owners; if one is gone already, sees to the object at once. */
  async function note(key: string, object: ApiObject): Promise<void> {
    for (const owner of object.metadata.ownerReferences ?? []) {
      let dependents = owners.get(owner.uid);
      if (dependents === undefined) {
        // Looked up once for each owner, not for each dependent.
        if (!(await isThere(owner, object))) return release(object);
        dependents = new Map();
        owners.set(owner.uid, dependents);
      }
      dependents.set(key, object);
    }
  }

  function remember(key: string, object: ApiObject): void {
    for (const { uid } of object.metadata.ownerReferences ?? []) owners.get(uid)?.set(key, object);
  }

  function forget(key: string, { metadata }: ApiObject): void {
    for (const { uid } of metadata.ownerReferences ?? []) {
      const dependents = owners.get(uid);
      dependents?.delete(key);
      if (dependents?.size === 0) owners.delete(uid);
    }
  }

  async function collectDependents(uid: string): Promise<void> {
    const dependents = owners.get(uid);
    if (dependents === undefined) return;
    owners.delete(uid);
    for (const object of dependents.values()) await release(object);
  }

  /** Deletes an object without owners; takes the missing ones off one that has others. */
  async function release(found: ApiObject): Promise<void> {
    const resource = resources.byKind(found.apiVersion, found.kind);
    if (resource === undefined) return;
    const { uid } = found.metadata;
    // Whoever writes to it meanwhile makes this look again.
    for (let object: ApiObject | undefined = found; object?.metadata.uid === uid; ) {
      try {
        return await releaseOnce(resource, object);
      } catch (error) {
        if (isDeletionDenied(error)) {
          denied.set(uid, object);
          return;
        }
        if (!(error instanceof ApiError) || (error.code !== 404 && error.code !== 409)) throw error;
        object = await registry.find(resource, refOf(found));
      }
    }
  }

  function retryDenied(): void {
    const again = [...denied];
    denied.clear();
    for (const [uid, object] of again) release(object).catch(() => denied.set(uid, object));
  }

  async function releaseOnce(resource: Resource, object: ApiObject): Promise<void> {
    const { metadata } = object;
    const references = metadata.ownerReferences ?? [];
    const there = await Promise.all(references.map((owner) => isThere(owner, object)));
    const ownerReferences = references.filter((_, i) => there[i]);
    if (ownerReferences.length === references.length) return;
    if (ownerReferences.length === 0) {
      await registry.remove(resource, refOf(object), { uid: metadata.uid });
      log.info(
        { kind: object.kind, namespace: metadata.namespace, name: metadata.name },
        "collected for want of its owner",
      );
    } else {
      const kept = { ...object, metadata: { ...metadata, ownerReferences } };
      await registry.update(resource, refOf(object), kept, { validate: false });
    }
  }

  /** An owner lives in its dependent's namespace, or in none. A kind that is not served is left alone. */
  async function isThere(owner: OwnerReference, dependent: ApiObject): Promise<boolean> {
    const resource = resources.byKind(owner.apiVersion, owner.kind);
    if (resource === undefined) return true;
    const ref = { namespace: dependent.metadata.namespace ?? "", name: owner.name };
    return (await store.get(keyOf(resource, ref)))?.object.metadata.uid === owner.uid;
  }

  return { sweep, changed, retryDenied };
}
