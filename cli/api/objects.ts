import type { ApiObject } from "../../api/meta.js";
import type { Transport } from "../../client/http-transport.js";
import { ApiError } from "../../client/object-client.js";
import { pathOf, type Resource } from "./resources.js";

export interface ObjectList {
  items: ApiObject[];
  metadata: { resourceVersion: string };
}

/** Undefined if there is none. */
export async function fetchObject(
  api: Transport,
  resource: Resource,
  namespace: string,
  name: string,
): Promise<ApiObject | undefined> {
  try {
    return (await api.call(pathOf(resource, namespace, name))) as ApiObject;
  } catch (error) {
    if (error instanceof ApiError && error.reason === "NotFound") return undefined;
    throw error;
  }
}

/** @param namespace all of them if undefined */
export async function fetchList(
  api: Transport,
  resource: Resource,
  namespace: string | undefined,
  labelSelector?: string,
): Promise<ObjectList> {
  const query = labelSelector === undefined ? "" : `?labelSelector=${encodeURIComponent(labelSelector)}`;
  const list = (await api.call(`${pathOf(resource, namespace)}${query}`)) as ObjectList & {
    kind: string;
    apiVersion: string;
  };
  // Lists leave out what their items have in common.
  const items = list.items.map((item) => ({
    ...item,
    kind: item.kind ?? resource.kind,
    apiVersion: item.apiVersion ?? list.apiVersion,
  }));
  return { items, metadata: list.metadata };
}

export interface WatchLine {
  type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  object: ApiObject;
}

/** Changes after `resourceVersion`. @throws ApiError 410 when that is too old */
export async function* watch(
  api: Transport,
  resource: Resource,
  namespace: string | undefined,
  resourceVersion: string,
  signal: AbortSignal,
): AsyncIterable<WatchLine> {
  const path = `${pathOf(resource, namespace)}?watch=true&allowWatchBookmarks=true&resourceVersion=${resourceVersion}`;
  for await (const events of api.stream(path, { signal }))
    for (const event of events as readonly WatchLine[]) {
      if (event.type === "ERROR") throw new ApiError(event.object as unknown as ApiError["status"]);
      yield event;
    }
}

export interface WaitFor {
  api: Transport;
  resource: Resource;
  namespace: string;
  timeoutMs: number;
  /** Ends it, with its reason. */
  signal?: AbortSignal;
}

/** Waits until `done` says so of the objects of a kind, looking at each change. @throws when `timeoutMs` is over */
export async function waitForObjects<T>(
  { api, resource, namespace, timeoutMs, signal }: WaitFor,
  done: (objects: ReadonlyMap<string, ApiObject>) => T | undefined,
  onTimeout: () => Error,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const list = await fetchList(api, resource, namespace);
    const objects = new Map(list.items.map((object) => [object.metadata.name, object]));
    const now = done(objects);
    if (now !== undefined) return now;
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) throw onTimeout();
    signal?.throwIfAborted();
    const over = new AbortController();
    const end = (): void => over.abort();
    signal?.addEventListener("abort", end);
    const timer = setTimeout(end, Math.min(leftMs, 30_000));
    try {
      const seen = await watchUntil(api, resource, namespace, list, objects, done, over);
      if (seen !== undefined) return seen;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
    }
    signal?.throwIfAborted();
  }
}

async function watchUntil<T>(
  api: Transport,
  resource: Resource,
  namespace: string,
  list: ObjectList,
  objects: Map<string, ApiObject>,
  done: (objects: ReadonlyMap<string, ApiObject>) => T | undefined,
  over: AbortController,
): Promise<T | undefined> {
  try {
    for await (const { type, object } of watch(api, resource, namespace, list.metadata.resourceVersion, over.signal)) {
      if (type === "BOOKMARK") continue;
      if (type === "DELETED") objects.delete(object.metadata.name);
      else objects.set(object.metadata.name, object);
      const now = done(objects);
      if (now !== undefined) return now;
    }
  } catch (error) {
    if (!over.signal.aborted && !(error instanceof ApiError)) throw error;
  } finally {
    over.abort();
  }
  return undefined;
}
