// Writes by compare-and-set, on the newest object that this process knows of.
import { keyOf } from "../api/references.js";
import type { Kind, Kinds } from "../api/types.gen.js";
import { ApiError, type ObjectClient, type Ref } from "../client/object-client.js";
import { MANAGER } from "./labels.js";

/** What informers show: the objects of each kind, as of some moment not long ago. */
export interface Shown {
  get<K extends Kind>(kind: K, ref: Ref): Kinds[K] | undefined;
}

export interface Objects {
  /** The newest known: what an informer shows, or what this process has written since. */
  newest<K extends Kind>(kind: K, ref: Ref): Kinds[K] | undefined;
  /** Writes the status that `change` makes of the newest object; undefined means there is nothing to write.
   *  A lost race is run again on the object that won. Resolves after the commit, with the newest object, or
   *  undefined where the object is gone. */
  changeStatus<K extends Kind>(
    kind: K,
    ref: Ref,
    change: (object: Kinds[K]) => Kinds[K]["status"] | undefined,
    /** A reconciler's own, which remembers its writes. */
    through?: ObjectClient,
  ): Promise<Kinds[K] | undefined>;
  /** Remembers what a write of another kind has given back. */
  wrote<K extends Kind>(kind: K, object: Kinds[K]): void;
  /** An informer has shown this object: what was written before it need not be remembered. */
  saw(kind: Kind, object: Kinds[Kind]): void;
}

const MAX_ATTEMPTS = 10;

const revisionOf = (object: Kinds[Kind]): number => Number(object.metadata.resourceVersion);

export function createObjects({ client, shown }: { client: ObjectClient; shown: Shown }): Objects {
  const written = new Map<string, Kinds[Kind]>();
  const slot = (kind: Kind, ref: Ref): string => `${kind}/${keyOf(ref)}`;

  const newest = <K extends Kind>(kind: K, ref: Ref): Kinds[K] | undefined => {
    const seen = shown.get(kind, ref);
    const own = written.get(slot(kind, ref)) as Kinds[K] | undefined;
    if (own === undefined) return seen;
    return seen !== undefined && revisionOf(seen) >= revisionOf(own) ? seen : own;
  };
  const wrote = <K extends Kind>(kind: K, object: Kinds[K]): void => {
    const seen = shown.get(kind, object.metadata);
    if (seen !== undefined && revisionOf(seen) >= revisionOf(object)) return;
    written.set(slot(kind, object.metadata), object);
  };

  return {
    newest,
    wrote,
    saw(kind, object) {
      if (written.size === 0) return;
      const name = slot(kind, object.metadata);
      const own = written.get(name);
      if (own !== undefined && revisionOf(object) >= revisionOf(own)) written.delete(name);
    },
    async changeStatus(kind, ref, change, through = client) {
      let object = newest(kind, ref);
      for (let attempt = 1; ; attempt++) {
        object ??= await through.get(kind, ref);
        if (object === undefined) return undefined;
        const status = change(object);
        if (status === undefined) return object;
        try {
          const stored = await through.updateStatus(kind, { ...object, status }, { fieldManager: MANAGER });
          wrote(kind, stored);
          return stored;
        } catch (error) {
          if (!(error instanceof ApiError)) throw error;
          if (error.code === 404) {
            written.delete(slot(kind, ref));
            return undefined;
          }
          if (error.code !== 409 || attempt === MAX_ATTEMPTS) throw error;
          written.delete(slot(kind, ref));
          object = undefined;
        }
      }
    },
  };
}
