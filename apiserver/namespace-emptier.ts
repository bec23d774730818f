import type { Log } from "../api/log.js";
import type { ApiObject } from "../api/meta.js";
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

/** Empties namespaces whose deletion was asked for, and lets them go once nothing is left in them. Kinds that others
 *  keep from being deleted come after those: the machines are still there while tasks stop on them. */
export function emptyNamespaces({ registry, log, signal }: EmptierOptions): Promise<void> {
  const { store, resources } = registry;
  const stages = deletionStages(resources.all.filter((resource) => resource.namespaced));
  const namespacePrefix = prefixOf(namespaceKind(resources));
  /** Of each that is being emptied. */
  const terminating = new Map<string, { stage: number; left: number }>();

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
    await empty(name, 0);
  }

  /** What finalizers keep is waited for: each deletion comes by here. */
  async function countDown(name: string): Promise<void> {
    const state = terminating.get(name);
    if (state === undefined) return;
    state.left -= 1;
    if (state.left <= 0) await empty(name, state.stage);
  }

  /** Stage by stage, until one has to be waited for. */
  async function empty(name: string, from: number): Promise<void> {
    for (const [stage, kinds] of stages.entries()) {
      if (stage < from) continue;
      terminating.set(name, { stage, left: 0 });
      for (const kind of kinds) await registry.removeCollection(kind, { namespace: name });
      const left = await count(name, kinds);
      terminating.set(name, { stage, left });
      if (left > 0) return;
    }
    terminating.delete(name);
    await registry.finalizeNamespace(name);
  }

  async function count(name: string, kinds: readonly Resource[]): Promise<number> {
    const lists = await Promise.all(kinds.map((resource) => store.list(prefixOf(resource, name))));
    return lists.reduce((sum, { entries }) => sum + entries.length, 0);
  }

  return follow({ store, prefix: "", signal, log, start, changed });
}

/** Every kind in a stage after those of the kinds that can keep its objects from being deleted. */
export function deletionStages(kinds: readonly Resource[]): Resource[][] {
  const byPlural = new Map(kinds.map((kind) => [kind.plural, kind]));
  const stageOf = ({ denyDelete, plural }: Resource, below: readonly string[] = []): number => {
    if (below.includes(plural)) throw new Error(`${[...below, plural].join(", ")} keep each other from being deleted`);
    const before = denyDelete.flatMap(({ resource }) => byPlural.get(resource) ?? []);
    return before.reduce((stage, kind) => Math.max(stage, stageOf(kind, [...below, plural]) + 1), 0);
  };
  const stages: Resource[][] = [];
  for (const kind of kinds) {
    const stage = stageOf(kind);
    while (stages.length <= stage) stages.push([]);
    stages[stage]?.push(kind);
  }
  return stages;
}
