import type { Log } from "../api/log.js";
import type { ApiObject } from "../api/meta.js";
import type { Batch } from "../store/store.js";
import { follow } from "./follow.js";
import { namespaceKind } from "./registry/namespaces.js";
import type { Registry } from "./registry/registry.js";
import { prefixOf } from "./resources/resource.js";

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
  /** How much is left in each that is being emptied. */
  const terminating = new Map<string, number>();

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
      } else if (type === "DELETED") await countDown(object.metadata.namespace);
    }
  }

  async function look({ metadata: { name, deletionTimestamp } }: ApiObject): Promise<void> {
    if (deletionTimestamp === undefined || terminating.has(name)) return;
    terminating.set(name, 0);
    for (const resource of contents) await registry.removeCollection(resource, { namespace: name });
    await finish(name);
  }

  /** What finalizers keep is waited for: each deletion comes by here. */
  async function countDown(name: string): Promise<void> {
    const left = terminating.get(name);
    if (left === undefined) return;
    terminating.set(name, left - 1);
    if (left <= 1) await finish(name);
  }

  async function finish(name: string): Promise<void> {
    const left = await count(name);
    terminating.set(name, left);
    if (left > 0) return;
    terminating.delete(name);
    await registry.finalizeNamespace(name);
  }

  async function count(name: string): Promise<number> {
    const lists = await Promise.all(contents.map((resource) => store.list(prefixOf(resource, name))));
    return lists.reduce((sum, { entries }) => sum + entries.length, 0);
  }

  return follow({ store, prefix: "", signal, log, start, changed });
}
