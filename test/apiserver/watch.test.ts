import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { createInterface } from "node:readline";
import type { ApiObject } from "../../api/meta.js";
import { eventually } from "../support/wait.js";
import { SERVICES, service } from "./support/objects.js";
import { startServer, type TestServer } from "./support/server.js";

interface Event {
  type: string;
  object: ApiObject & { code?: number; reason?: string; columnDefinitions?: unknown; rows?: { cells: unknown[] }[] };
}

describe("watch over HTTP", () => {
  let server: TestServer;
  const open: IncomingMessage[] = [];
  beforeEach(async () => {
    server = await startServer("watch");
  });
  afterEach(async () => {
    for (const stream of open.splice(0)) stream.destroy();
    await server.close();
    assert.deepEqual(server.errors, []);
  });

  /** Events as they come; `ended` once the server has ended the stream. */
  async function watch(query: string, headers: Record<string, string> = {}) {
    const stream = await server.open(`${SERVICES}?watch=true${query}`, headers);
    open.push(stream);
    const seen = { code: stream.statusCode, events: [] as Event[], ended: false, names: () => seen.events.map(nameOf) };
    createInterface({ input: stream }).on("line", (line) => seen.events.push(JSON.parse(line) as Event));
    stream.on("end", () => {
      seen.ended = true;
    });
    stream.on("error", () => undefined);
    return seen;
  }
  const nameOf = ({ type, object }: Event) => `${type} ${object.metadata?.name ?? ""}`.trim();
  const create = async (name: string, labels: Record<string, string> = {}) =>
    (await server.call("POST", SERVICES, service(name, {}, { labels }))).body;
  const label = (name: string, labels: Record<string, string | null>) =>
    server.call(
      "PATCH",
      `${SERVICES}/${name}`,
      { metadata: { labels } },
      { "Content-Type": "application/merge-patch+json" },
    );

  it("sends the headers at once, before anything happens", async () => {
    const { code, events } = await watch("&resourceVersion=2");
    assert.deepEqual([code, events], [200, []]);
  });

  it("from a version: what came after it, in order, each once", async () => {
    await create("before");
    const since = server.store.revision();
    const seen = await watch(`&resourceVersion=${since}`);
    await create("a");
    await label("a", { x: "y" });
    await server.call("DELETE", `${SERVICES}/a`);
    await eventually("three events", () => seen.events.length >= 3);
    assert.deepEqual(seen.names(), ["ADDED a", "MODIFIED a", "DELETED a"]);
    const versions = seen.events.map(({ object }) => Number(object.metadata.resourceVersion));
    assert.deepEqual(versions, [since + 1, since + 2, since + 3]);
  });

  it("without a version, or from 0: first what is there", async () => {
    await create("a");
    for (const query of ["", "&resourceVersion=0"]) {
      const seen = await watch(query);
      await eventually("the state", () => seen.events.length === 1);
      await create(`then${query.length}`);
      await eventually("the change", () => seen.events.length >= 2);
      assert.equal(seen.names()[0], "ADDED a");
      await server.call("DELETE", `${SERVICES}/then${query.length}`);
    }
  });

  it("with a selector: what begins to match is added, what stops is deleted", async () => {
    await create("a");
    const seen = await watch(`&resourceVersion=${server.store.revision()}&labelSelector=tier%3Dweb`);
    await label("a", { other: "1" });
    await label("a", { tier: "web" });
    await label("a", { more: "1" });
    await label("a", { tier: null });
    await label("a", { more: null });
    await server.call("DELETE", `${SERVICES}/a`);
    await create("b", { tier: "web" });
    await eventually("b is seen", () => seen.names().includes("ADDED b"));
    assert.deepEqual(seen.names(), ["ADDED a", "MODIFIED a", "DELETED a", "ADDED b"]);
    assert.deepEqual(
      seen.events[2]?.object.metadata.labels,
      { other: "1", tier: "web", more: "1" },
      "the last state that matched",
    );
  });

  it("from a version that is too new for this store: an ERROR event with 410, and the end", async () => {
    const seen = await watch("&resourceVersion=999999");
    await eventually("the end", () => seen.ended);
    const [event] = seen.events;
    assert.deepEqual(
      [seen.code, event?.type, event?.object.code, event?.object.reason],
      [200, "ERROR", 410, "Expired"],
    );
  });

  it("from a version that is no longer kept: an ERROR event with 410, and the end", async () => {
    await server.close();
    server = await startServer("watch-window", { keptChanges: 5 });
    await create("a");
    for (let i = 0; i < 40; i++) await label("a", { n: String(i) });
    const seen = await watch("&resourceVersion=1");
    await eventually("the end", () => seen.ended);
    assert.deepEqual(
      seen.events.map(({ type, object }) => [type, object.code, object.reason]),
      [["ERROR", 410, "Expired"]],
    );
  });

  it("bookmarks for those who ask: the version goes on without events", async () => {
    const seen = await watch(`&resourceVersion=${server.store.revision()}&allowWatchBookmarks=true`);
    const silent = await watch(`&resourceVersion=${server.store.revision()}`);
    await server.call("POST", "/api/v1/namespaces", {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "elsewhere" },
    });
    const now = String(server.store.revision());
    await eventually("a bookmark of now", () =>
      seen.events.some(
        ({ type, object }) =>
          type === "BOOKMARK" && object.kind === "Service" && object.metadata.resourceVersion === now,
      ),
    );
    assert.deepEqual(silent.events, []);
  });

  it("ends after timeoutSeconds", async () => {
    const seen = await watch(`&resourceVersion=${server.store.revision()}&timeoutSeconds=1`);
    await eventually("the end", () => seen.ended, 5_000);
    assert.equal(server.watches() >= 0, true);
  });

  it("tables: the columns once, then a row an event", async () => {
    const seen = await watch("", { Accept: "application/json;as=Table;v=v1;g=meta.k8s.io" });
    await create("a");
    await create("b");
    await eventually("two rows", () => seen.events.length === 2);
    assert.deepEqual(
      seen.events.map(({ object }) => [
        object.kind,
        object.columnDefinitions !== undefined,
        object.rows?.[0]?.cells[0],
      ]),
      [
        ["Table", true, "a"],
        ["Table", false, "b"],
      ],
    );
  });

  it("lets go of the store when the client goes", async () => {
    const idle = server.watches();
    const stream = await server.open(`${SERVICES}?watch=true&resourceVersion=${server.store.revision()}`);
    await eventually("it watches", () => server.watches() === idle + 1);
    stream.destroy();
    await eventually("it has let go", () => server.watches() === idle);
  });

  it("outlives clients that go in the middle of bookmarks and bodies", async () => {
    for (let i = 0; i < 5; i++) {
      const stream = await server.open(`${SERVICES}?watch=true&resourceVersion=0&allowWatchBookmarks=true`);
      stream.on("error", () => undefined);
      setImmediate(() => stream.destroy());
      await eventually("it is closed", () => stream.closed);
    }
    await create("still-there");
  });

  it("ends when the server closes, which does not wait for its watchers", async () => {
    const seen = await watch(`&resourceVersion=${server.store.revision()}`);
    const from = Date.now();
    await server.api.close();
    await eventually("the end", () => seen.ended);
    assert(Date.now() - from < 5_000);
  });
});
