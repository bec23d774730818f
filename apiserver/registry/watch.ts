import type { ApiObject } from "../../api/meta.js";
import type { WatchBatch, WatchEvent } from "../../client/object-client.js";
import { type Change, Expired, TooSlow } from "../../store/store.js";
import { expired } from "../errors.js";
import { prefixOf, type Resource } from "../resources/resource.js";
import type { RegistryContext } from "./context.js";
import { parseSelection, type Selection, type SelectionOptions } from "./selection.js";

export interface WatchOptions extends SelectionOptions {
  /** Changes after this one. */
  resourceVersion: string;
  signal: AbortSignal;
}

/** @throws 400 for a bad selector or version; 410 if the version is too old, or newer than this store: either way
 *  the watcher must list again, as it must when it cannot keep up. Ends with the signal. */
export async function* watch(
  ctx: RegistryContext,
  resource: Resource,
  options: WatchOptions,
): AsyncGenerator<WatchBatch> {
  const selection = parseSelection(options);
  const since = revisionOf(ctx, options.resourceVersion);
  try {
    for await (const batch of ctx.store.watch(prefixOf(resource, options.namespace), since, { signal: options.signal }))
      yield {
        events: selection.all ? batch.changes : select(batch.changes, selection),
        resourceVersion: String(batch.revision),
      };
  } catch (error) {
    if (error instanceof Expired) throw expired(options.resourceVersion, error.oldest);
    // What it would have to catch up with is more than a list of what there is now.
    if (error instanceof TooSlow) throw expired(options.resourceVersion, ctx.store.revision());
    throw error;
  }
}

/** A store that was wiped starts again at 1: a version from before it must not wait for ever. */
function revisionOf({ store }: RegistryContext, resourceVersion: string): number {
  const since = Number(resourceVersion);
  if (since > store.revision()) throw expired(resourceVersion, store.revision());
  return since;
}

/** An object that begins to match is new to this watcher, one that stops matching is gone for it. */
function select(changes: readonly Change[], selection: Selection): WatchEvent[] {
  const events: WatchEvent[] = [];
  for (const { type, object, previous } of changes) {
    const matches = selection.matches(object);
    const matched = type !== "ADDED" && (previous === undefined || selection.matches(previous));
    if (type === "DELETED" ? matched : matches) {
      const seen = type === "DELETED" || matched ? type : "ADDED";
      events.push({ type: seen, object });
    } else if (matched && type === "MODIFIED") events.push({ type: "DELETED", object: leaving(object, previous) });
  }
  return events;
}

/** As Kubernetes sends it: the last matching state, at the version of the change that took it away. */
function leaving(object: ApiObject, previous: ApiObject | undefined): ApiObject {
  if (previous === undefined) return object;
  return { ...previous, metadata: { ...previous.metadata, resourceVersion: object.metadata.resourceVersion } };
}
