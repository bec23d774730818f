import type { ApiObject } from "../../../api/meta.js";
import type { Entry, Key, Store } from "../../../store/store.js";

/** A store that costs next to nothing and keeps no promise: what a measurement over it shows is the registry's own. */
export function freeStore(): Store {
  const entries = new Map<Key, Entry>();
  let revision = 0;
  const put = async (key: Key, object: ApiObject): Promise<Entry> => {
    revision++;
    object.metadata.resourceVersion = String(revision);
    const entry = { key, revision, object };
    entries.set(key, entry);
    return entry;
  };
  return {
    id: "free",
    get: async (key) => entries.get(key),
    list: async (prefix) => ({ entries: [...entries.values()].filter(({ key }) => key.startsWith(prefix)), revision }),
    create: put,
    update: put,
    delete: () => Promise.reject(new Error("not needed")),
    watch: () => {
      throw new Error("not needed");
    },
    revision: () => revision,
    size() {
      throw new Error("not needed");
    },
    hold() {},
    close: async () => {},
  };
}
