import type { ApiObject } from "../api/meta.js";
import type { Ref } from "./object-client.js";

/** Gives the values under which an object is found in an index. */
export type IndexFunction<T> = (object: T) => readonly string[];

interface Cached<T> {
  object: T;
  /** By index name; kept so that an object leaves exactly where it entered, whatever the function says later. */
  values: ReadonlyMap<string, readonly string[]>;
}

/** Objects of one kind in memory, found by name, by uid, and by the indexes given. */
export class ObjectCache<T extends ApiObject> {
  private readonly byRef = new Map<string, Cached<T>>();
  private readonly byUid = new Map<string, T>();
  private readonly byNamespace = new Map<string, Map<string, T>>();
  private readonly indexes = new Map<string, Map<string, Map<string, T>>>();

  constructor(private readonly functions: Readonly<Record<string, IndexFunction<T>>> = {}) {
    for (const name of Object.keys(functions)) this.indexes.set(name, new Map());
  }

  get(ref: Ref): T | undefined {
    return this.byRef.get(refKey(ref))?.object;
  }
  getByUid(uid: string): T | undefined {
    return this.byUid.get(uid);
  }
  /** In no particular order. */
  list(namespace?: string): T[] {
    if (namespace !== undefined) return [...(this.byNamespace.get(namespace)?.values() ?? [])];
    return Array.from(this.byRef.values(), ({ object }) => object);
  }
  /** In no particular order. @throws RangeError if there is no such index. */
  byIndex(name: string, value: string): T[] {
    const index = this.indexes.get(name);
    if (!index) throw new RangeError(`there is no index "${name}"`);
    return [...(index.get(value)?.values() ?? [])];
  }

  set(object: T): void {
    this.delete(object.metadata);
    const key = refKey(object.metadata);
    const values = new Map(Object.entries(this.functions).map(([name, valuesOf]) => [name, valuesOf(object)]));
    this.byRef.set(key, { object, values });
    this.byUid.set(object.metadata.uid, object);
    put(this.byNamespace, object.metadata.namespace, key, object);
    for (const [name, each] of values) for (const value of each) put(this.indexes.get(name), value, key, object);
  }

  /** Returns what it removes. */
  delete(ref: Ref): T | undefined {
    const key = refKey(ref);
    const cached = this.byRef.get(key);
    if (!cached) return undefined;
    const { object, values } = cached;
    this.byRef.delete(key);
    this.byUid.delete(object.metadata.uid);
    take(this.byNamespace, object.metadata.namespace, key);
    for (const [name, each] of values) for (const value of each) take(this.indexes.get(name), value, key);
    return object;
  }
}

const refKey = ({ namespace, name }: Ref): string => `${namespace}/${name}`;

function put<T>(index: Map<string, Map<string, T>> | undefined, value: string, key: string, object: T): void {
  const entries = index?.get(value);
  if (entries) entries.set(key, object);
  else index?.set(value, new Map([[key, object]]));
}

function take<T>(index: Map<string, Map<string, T>> | undefined, value: string, key: string): void {
  const entries = index?.get(value);
  entries?.delete(key);
  if (entries?.size === 0) index?.delete(value);
}
