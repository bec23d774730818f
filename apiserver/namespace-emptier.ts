import type { ApiObject } from "../api/meta.js";
import type { Log } from "../client/log.js";
import type { Batch } from "../store/store.js";
import { follow } from "./follow.js";
import { namespaceKind } from "./registry/namespaces.js";
import type { Registry } from "./registry/registry.js";
import { prefixOf, type Resource } from "./resources/resource.js";

export interface EmptierOptions {
  registry: Registry;
  log: Log;
  signal: AbortSignal;
}

/** Empties namespaces whose deletion was asked for, and lets them go once nothing is left in them. */
export function emptyNamespaces({ registry, log, signal }: EmptierOptions): Promise<void> {
  const { store, resources } = registry;
  const contents = resources.all.filter((resource) => resource.namespaced);
  const namespacePrefix = prefixOf(namespaceKind(resources));
  /** Names of those that are still being emptied. */
  const terminating = new Set<string>();

  async function start(): Promise<number> {
    terminating.clear();
    const { entries, revision } = await store.list(namespacePrefix);
    for (const { object } of entries) await look(object);
    return revision;
  }

  async function changed({ changes }: Batch): Promise<void> {
    for (const { key, type, object } of changes) {
      if (key.startsWith(namespacePrefix)) {
        if (type === "DELETED") terminating.delete(object.metadata.name);
        else await look(object);
      } else if (type === "DELETED" && terminating.has(object.metadata.namespace))
        await finish(object.metadata.namespace);
    }
  }

  async function look({ metadata }: ApiObject): Promise<void> {
    if (metadata.deletionTimestamp === undefined || terminating.has(metadata.name)) return;
    terminating.add(metadata.name);
    for (const resource of contents) await registry.removeCollection(resource, { namespace: metadata.name });
    await finish(metadata.name);
  }

  /** What finalizers keep is waited for: its own deletion comes by here. */
  async function finish(name: string): Promise<void> {
    if (!(await isEmpty(name))) return;
    terminating.delete(name);
    await registry.finalizeNamespace(name);
  }

  async function isEmpty(name: string): Promise<boolean> {
    const counts = contents.map(
      async (resource: Resource) => (await store.list(prefixOf(resource, name))).entries.length,
    );
    return (await Promise.all(counts)).every((count) => count === 0);
  }

  return follow({ store, prefix: "", signal, log, start, changed });
}
