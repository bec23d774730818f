import type { Entry, Key } from "./store.js";

/** The live entries of one collection: one kind in one namespace. Key order is only worked out when asked for. */
class Collection {
  private readonly entries = new Map<Key, Entry>();
  private order: Key[] = [];
  private inOrder = true;

  get(key: Key): Entry | undefined {
    return this.entries.get(key);
  }
  set(entry: Entry): void {
    if (!this.entries.has(entry.key)) {
      this.order.push(entry.key);
      this.inOrder = false;
    }
    this.entries.set(entry.key, entry);
  }
  /** True if that was the last one. */
  delete(key: Key): boolean {
    if (this.entries.delete(key)) this.inOrder = false;
    return this.entries.size === 0;
  }
  get size(): number {
    return this.entries.size;
  }
  /** In key order. */
  *all(): Iterable<Entry> {
    if (!this.inOrder) {
      // From the map, not from the last order: a key deleted and made again would stand there twice.
      if (this.order.length !== this.entries.size) this.order = [...this.entries.keys()];
      this.order.sort(byCodeUnit);
      this.inOrder = true;
    }
    for (const key of this.order) {
      const entry = this.entries.get(key);
      if (entry) yield entry;
    }
  }
}

/** Every live entry in memory, in collections so that a list costs what it returns. */
export class LiveState {
  private readonly collections = new Map<string, Collection>();

  get(key: Key): Entry | undefined {
    return this.collections.get(collectionOf(key))?.get(key);
  }

  /** How many entries live. */
  count(): number {
    let count = 0;
    for (const collection of this.collections.values()) count += collection.size;
    return count;
  }

  set(entry: Entry): void {
    const prefix = collectionOf(entry.key);
    let collection = this.collections.get(prefix);
    if (!collection) {
      collection = new Collection();
      this.collections.set(prefix, collection);
    }
    collection.set(entry);
  }

  delete(key: Key): void {
    const prefix = collectionOf(key);
    if (this.collections.get(prefix)?.delete(key)) this.collections.delete(prefix);
  }

  /** Entries whose key starts with `prefix`, in key order (by UTF-16 code unit). */
  list(prefix: string): Entry[] {
    const found: Entry[] = [];
    // No collection's prefix begins another's, so their order is that of the keys inside them.
    for (const name of [...this.collections.keys()].sort(byCodeUnit)) {
      const whole = name.startsWith(prefix);
      if (!whole && !prefix.startsWith(name)) continue;
      for (const entry of this.collections.get(name)?.all() ?? [])
        if (whole || entry.key.startsWith(prefix)) found.push(entry);
    }
    return found;
  }
}

/** `<plural>.<group>/<namespace>/` of a key. @throws TypeError unless the key has exactly two slashes. */
export function collectionOf(key: Key): string {
  const second = key.indexOf("/", key.indexOf("/") + 1);
  if (second <= 0 || key.indexOf("/", second + 1) !== -1)
    throw new TypeError(`key "${key}" is not of the form <plural>.<group>/<namespace>/<name>`);
  return key.slice(0, second + 1);
}

const byCodeUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
