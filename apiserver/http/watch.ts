import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { ApiError } from "../../client/object-client.js";
import type { Registry } from "../registry/registry.js";
import type { Resource } from "../resources/resource.js";
import type { ListQuery } from "./query.js";
import type { Renderer } from "./render.js";

export interface WatchStream {
  registry: Registry;
  resource: Resource;
  query: ListQuery;
  render: Renderer;
  response: ServerResponse;
  signal: AbortSignal;
  /** Time between two bookmarks. */
  bookmarkMs: number;
}

/** Streams changes, one JSON document a line, until the client goes, `timeoutSeconds` pass, or the server closes. */
export async function streamWatch(stream: WatchStream): Promise<void> {
  const { query, response, render, bookmarkMs } = stream;
  // At once: clients wait for the headers before they believe in the watch.
  response.writeHead(200, { "Content-Type": "application/json", "Transfer-Encoding": "chunked" });
  response.flushHeaders();
  const { signal, release } = withTimeout(stream.signal, query.timeoutSeconds);
  let latest = "";
  const send = (type: string, object: unknown) => {
    if (!response.destroyed) return response.write(`${JSON.stringify({ type, object })}\n`);
    return true; // the client has gone, and the signal is about to say so
  };
  const bookmark = () => query.allowWatchBookmarks && latest !== "" && send("BOOKMARK", render.bookmark(latest));
  const timer = setInterval(bookmark, bookmarkMs);
  try {
    let first = true;
    for await (const { events, resourceVersion } of changes(stream, signal)) {
      let room = true;
      for (const { type, object } of events) {
        room = send(type, render.event(object, first));
        first = false;
      }
      latest = resourceVersion;
      if (!room) await once(response, "drain", { signal });
    }
    bookmark();
  } catch (error) {
    if (signal.aborted) bookmark();
    else if (error instanceof ApiError) send("ERROR", error.status);
    else throw error;
  } finally {
    clearInterval(timer);
    release();
    response.end();
  }
}

/** Without a version, or from "0", the state comes first, as if it had all just been added. */
async function* changes({ registry, resource, query }: WatchStream, signal: AbortSignal) {
  let { resourceVersion } = query;
  if (resourceVersion === "" || resourceVersion === "0") {
    const state = await registry.list(resource, query);
    yield { events: state.items.map((object) => ({ type: "ADDED", object })), resourceVersion: state.resourceVersion };
    resourceVersion = state.resourceVersion;
  }
  yield* registry.watch(resource, { ...query, resourceVersion, signal });
}

/** A signal that also aborts after some seconds. (AbortSignal.any would do, but leaks in Node 20 when one of its
 *  sources lives long.) */
function withTimeout(outer: AbortSignal, seconds: number | undefined): { signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const abort = () => controller.abort();
  if (outer.aborted) abort();
  outer.addEventListener("abort", abort, { once: true });
  const timer = seconds === undefined ? undefined : setTimeout(abort, seconds * 1_000);
  return {
    signal: controller.signal,
    release() {
      clearTimeout(timer);
      outer.removeEventListener("abort", abort);
    },
  };
}
