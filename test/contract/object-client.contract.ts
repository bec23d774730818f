import assert from "node:assert/strict";
import type { ApiObject } from "../../api/meta.js";
import type { Cluster, New, Service, Task } from "../../api/types.gen.js";
import { runController, source } from "../../client/controller.js";
import { createInformer } from "../../client/informer.js";
import { ApiError, type ObjectClient, type WatchBatch } from "../../client/object-client.js";
import { done } from "../../client/work-queue.js";
import { eventually } from "../support/wait.js";

/** A server of the test's own, and a client to it that checks what is written. */
export interface OpenedClient {
  client: ObjectClient;
  makeNamespace(name: string): Promise<void>;
  /** Ends the server while clients still watch. */
  endServer(): Promise<void>;
  /** Leaves nothing behind; also after `endServer`. */
  close(): Promise<void>;
}
/** `keepChanges`: how many changes the server's log keeps. */
export type OpenClient = (options: { keepChanges?: number }) => Promise<OpenedClient>;

/** What every ObjectClient must keep. */
export function objectClientContract(name: string, openClient: OpenClient): void {
  describe(`object client contract: ${name}`, () => {
    let opened: OpenedClient;
    let client: ObjectClient;
    let end: AbortController;
    const closing: (() => Promise<void>)[] = [];
    const open = async (options: Parameters<OpenClient>[0] = {}) => {
      const mine = await openClient(options);
      closing.push(() => mine.close());
      opened = mine;
      client = mine.client;
    };
    beforeEach(() => {
      end = new AbortController();
    });
    afterEach(async () => {
      end.abort();
      for (const close of closing.splice(0)) await close();
    });

    it("creates, gives back the same, and fills in the metadata", async () => {
      await open();
      const created = await client.create("Service", service("web", { labels: { tier: "front" } }));
      const { metadata } = created;
      assert.equal(created.kind, "Service");
      assert.equal(created.apiVersion, "davit.dev/v1");
      assert.deepEqual([metadata.name, metadata.namespace, metadata.generation], ["web", "default", 1]);
      assert.match(metadata.uid, /^[0-9a-f-]{36}$/);
      assert.ok(Number(metadata.resourceVersion) > 0);
      assert.ok(Date.parse(metadata.creationTimestamp) > 0);
      assert.deepEqual(metadata.labels, { tier: "front" });
      assert.deepEqual(await client.get("Service", ref("web")), created);
      assert.equal(await client.get("Service", ref("no-such")), undefined);
    });

    it("keeps the status that an object is created with", async () => {
      await open();
      const created = await client.create("Task", { ...task("t"), status: { lastStatus: "PENDING", version: 1 } });
      assert.equal(created.status?.lastStatus, "PENDING");
      assert.deepEqual(await client.get("Task", ref("t")), created);
    });

    it("makes up a name from generateName, and refuses one that is taken", async () => {
      await open();
      const made = await client.create("Task", { ...task("t"), metadata: { generateName: "web-" } });
      assert.match(made.metadata.name, /^web-.{5}$/);
      await client.create("Task", task("t"));
      await refused(client.create("Task", task("t")), 409, "AlreadyExists");
    });

    it("refuses an object that breaks its schema, naming the field", async () => {
      await open();
      const bad = {
        ...service("web"),
        spec: { taskDefinition: "web", desiredCount: "many" },
      } as unknown as New<"Service">;
      const error = await refused(client.create("Service", bad), 422, "Invalid");
      assert.ok(
        error.status.details?.causes?.some(({ field }) => field === "spec.desiredCount"),
        error.message,
      );
      const unknown = {
        ...service("web"),
        spec: { taskDefinition: "web", noSuchField: 1 },
      } as unknown as New<"Service">;
      assert.match((await refused(client.create("Service", unknown), 400, "BadRequest")).message, /noSuchField/);
    });

    it("lists one namespace or all, by labels and by name", async () => {
      await open();
      await opened.makeNamespace("other");
      await client.create("Service", service("a", { labels: { tier: "front" } }));
      await client.create("Service", service("b", { labels: { tier: "back" } }));
      await client.create("Service", service("c", { namespace: "other", labels: { tier: "front" } }));
      const names = async (options?: Parameters<ObjectClient["list"]>[1]) => {
        const { items } = await client.list("Service", options);
        assert.ok(items.every((item) => item.kind === "Service" && item.apiVersion === "davit.dev/v1"));
        return items.map((item) => item.metadata.name);
      };
      assert.deepEqual(await names(), ["a", "b", "c"]);
      assert.deepEqual(await names({ namespace: "other" }), ["c"]);
      assert.deepEqual(await names({ labelSelector: "tier=front" }), ["a", "c"]);
      assert.deepEqual(await names({ namespace: "default", labelSelector: "tier in (back)" }), ["b"]);
      assert.deepEqual(await names({ fieldSelector: "metadata.name=b" }), ["b"]);
      assert.deepEqual(await names({ namespace: "empty" }), []);
    });

    it("updates metadata and spec, leaves the status alone, and counts the generation", async () => {
      await open();
      const created = await client.create("Task", { ...task("t"), status: { lastStatus: "PENDING" } });
      const labels = { changed: "yes" };
      const changed = {
        ...created,
        metadata: { ...created.metadata, labels },
        status: { lastStatus: "STOPPED" as const },
      };
      const updated = await client.update("Task", changed);
      assert.deepEqual(updated.metadata.labels, labels);
      assert.equal(updated.status?.lastStatus, "PENDING");
      assert.equal(updated.metadata.generation, created.metadata.generation);
      const spec = { ...updated.spec, desiredStatus: "STOPPED" as const };
      const stopped = await client.update("Task", { ...updated, spec });
      assert.equal(stopped.metadata.generation, created.metadata.generation + 1);
      assert.ok(Number(stopped.metadata.resourceVersion) > Number(updated.metadata.resourceVersion));
    });

    it("replaces the status as a whole and nothing else", async () => {
      await open();
      const created = await client.create("Task", { ...task("t"), status: { lastStatus: "PENDING", version: 1 } });
      const changed: Task = { ...created, spec: { ...created.spec, desiredStatus: "STOPPED" }, status: { version: 2 } };
      const updated = await client.updateStatus("Task", changed);
      assert.deepEqual(updated.status, { version: 2 });
      assert.deepEqual(updated.spec, created.spec);
      assert.equal(updated.metadata.generation, created.metadata.generation);
    });

    it("refuses a stale update of either part, and lets one without a version through", async () => {
      await open();
      const first = await client.create("Task", task("t"));
      const second = await client.patch("Task", ref("t"), { metadata: { labels: { n: "2" } } });
      await refused(
        client.update("Task", { ...first, metadata: { ...first.metadata, labels: { n: "3" } } }),
        409,
        "Conflict",
      );
      await refused(client.updateStatus("Task", { ...first, status: { version: 3 } }), 409, "Conflict");
      assert.deepEqual(await client.get("Task", ref("t")), second);
      const unversioned = { ...first, metadata: { ...first.metadata, resourceVersion: "", labels: { n: "4" } } };
      assert.equal((await client.update("Task", unversioned)).metadata.labels?.n, "4");
    });

    it("patches: what is null goes, what is not named stays", async () => {
      await open();
      await client.create("Service", service("web", { labels: { a: "1", b: "2" } }));
      const patch = { metadata: { labels: { a: null, c: "3" } }, spec: { desiredCount: 5 } };
      const patched = await client.patch("Service", ref("web"), patch);
      assert.deepEqual(patched.metadata.labels, { b: "2", c: "3" });
      assert.deepEqual([patched.spec.desiredCount, patched.spec.taskDefinition], [5, "web"]);
      await refused(client.patch("Service", ref("no-such"), patch), 404, "NotFound");
    });

    it("deletes, but what has finalizers only when the last of them is gone", async () => {
      await open();
      await client.create("Service", service("web"));
      await client.delete("Service", ref("web"));
      assert.equal(await client.get("Service", ref("web")), undefined);
      await refused(client.delete("Service", ref("web")), 404, "NotFound");

      await client.create("Service", service("held", { finalizers: ["davit.dev/test"] }));
      await client.delete("Service", ref("held"));
      const dying = await client.get("Service", ref("held"));
      assert.ok(dying?.metadata.deletionTimestamp);
      await client.patch("Service", ref("held"), { metadata: { finalizers: null } });
      assert.equal(await client.get("Service", ref("held")), undefined);
    });

    it("deletes only the object that is meant", async () => {
      await open();
      const { metadata } = await client.create("Service", service("web"));
      await refused(client.delete("Service", ref("web"), { uid: "another" }), 409, "Conflict");
      await refused(client.delete("Service", ref("web"), { resourceVersion: "1" }), 409, "Conflict");
      await client.delete("Service", ref("web"), { uid: metadata.uid, resourceVersion: metadata.resourceVersion });
    });

    it("changes nothing in a dry run", async () => {
      await open();
      const dryRun = true;
      const created = await client.create("Task", { ...task("t"), status: { version: 1 } }, { dryRun });
      assert.equal(created.metadata.name, "t");
      assert.equal(await client.get("Task", ref("t")), undefined);
      const real = await client.create("Task", task("t"));
      const labels = { dry: "yes" };
      assert.deepEqual(
        (await client.patch("Task", ref("t"), { metadata: { labels } }, { dryRun })).metadata.labels,
        labels,
      );
      await client.update("Task", { ...real, metadata: { ...real.metadata, labels } }, { dryRun });
      assert.deepEqual(await client.get("Task", ref("t")), real);
    });

    it("watches from a list on: every change once, in order, and a watch resumes where another ended", async () => {
      await open();
      const before = await client.create("Service", service("before"));
      const { resourceVersion } = await client.list("Service");
      const a = await client.create("Service", service("a"));
      const b = await client.create("Service", service("b"));
      const a2 = await client.patch("Service", ref("a"), { spec: { desiredCount: 7 } });
      await client.delete("Service", ref("before"));
      await client.create("Cluster", cluster("not-asked-for"));
      const all = await events(client, { resourceVersion }, 4);
      assert.deepEqual(
        all.map(({ type, object }) => [type, object.metadata.name, object.metadata.uid]),
        [
          ["ADDED", "a", a.metadata.uid],
          ["ADDED", "b", b.metadata.uid],
          ["MODIFIED", "a", a.metadata.uid],
          ["DELETED", "before", before.metadata.uid],
        ],
      );
      assert.deepEqual([all[0]?.object, all[2]?.object], [a, a2]);
      const versions = all.map(({ object }) => Number(object.metadata.resourceVersion));
      assert.ok(versions.every((version, index) => index === 0 || version > (versions[index - 1] ?? 0)));
      const rest = await events(client, { resourceVersion: String(versions[1]) }, 2);
      assert.deepEqual(rest, all.slice(2));
    });

    it("shows a watcher what enters and leaves its selection", async () => {
      await open();
      await opened.makeNamespace("other");
      const { resourceVersion } = await client.list("Service");
      await client.create("Service", service("a", { labels: { tier: "front" } }));
      await client.create("Service", service("b", { labels: { tier: "back" } }));
      await client.create("Service", service("c", { namespace: "other", labels: { tier: "front" } }));
      await client.patch("Service", ref("b"), { metadata: { labels: { tier: "front" } } });
      await client.patch("Service", ref("a"), { metadata: { labels: { tier: "back" } } });
      const options = { resourceVersion, namespace: "default", labelSelector: "tier=front" };
      assert.deepEqual(
        (await events(client, options, 3)).map(({ type, object }) => `${type} ${object.metadata.name}`),
        ["ADDED a", "ADDED b", "DELETED a"],
      );
    });

    it("tells a quiet watcher how far it is", async () => {
      await open();
      const { resourceVersion } = await client.list("Service");
      const batches: WatchBatch<Service>[] = [];
      const watching = (async () => {
        for await (const batch of client.watch("Service", { resourceVersion, signal: end.signal })) batches.push(batch);
      })();
      const other = await client.create("Cluster", cluster("other"));
      await eventually("a bookmark", () => batches.at(-1)?.resourceVersion === other.metadata.resourceVersion);
      end.abort();
      await watching;
      assert.ok(batches.every((batch) => batch.events.length === 0));
    });

    it("answers 410 to a watch from too far back", async () => {
      await open({ keepChanges: 10 });
      const { resourceVersion } = await client.list("Service");
      await client.create("Service", service("a"));
      for (let n = 0; n < 30; n++) await client.patch("Service", ref("a"), { spec: { desiredCount: n } });
      const error = await refused(events(client, { resourceVersion }, 1), 410);
      assert.ok(["Expired", "Gone"].includes(error.reason), error.reason);
      await refused(events(client, { resourceVersion: "999999" }, 1), 410);
    });

    it("ends a watch quietly with its signal and with the server", async () => {
      await open();
      const { resourceVersion } = await client.list("Service");
      const watch = async (signal: AbortSignal) => {
        for await (const _ of client.watch("Service", { resourceVersion, signal }));
      };
      const one = watch(end.signal);
      const two = watch(new AbortController().signal);
      await client.create("Service", service("a"));
      end.abort();
      await one;
      await opened.endServer();
      await two;
    });

    it("carries an informer and a controller, who never decides on a world without its own last write", async () => {
      await open();
      const informer = createInformer(client, "Service", { signal: end.signal, log: silent });
      let stale = 0;
      const controller = runController({
        name: "count-up",
        client,
        log: silent,
        sources: [source(informer, ({ metadata }) => [metadata.name])],
        async reconcile(key, writer) {
          const seen = informer.get(ref(key));
          const now = await client.get("Service", ref(key));
          if (seen?.metadata.resourceVersion !== now?.metadata.resourceVersion) stale++;
          if (!seen || (seen.spec.desiredCount ?? 0) >= 10) return done();
          await writer.patch("Service", ref(key), { spec: { desiredCount: (seen.spec.desiredCount ?? 0) + 1 } });
          // Brought up again at once, as by some other event.
          controller.add(key);
          return done();
        },
      });
      for (const each of ["a", "b", "c"]) await client.create("Service", service(each));
      await eventually("all to have counted up", () => {
        const all = informer.list();
        return all.length === 3 && all.every(({ spec }) => spec.desiredCount === 10);
      });
      await controller.stop();
      assert.equal(stale, 0);
      const { items } = await client.list("Service");
      assert.ok(items.every(({ metadata }) => metadata.generation === 11));
    });
  });
}

const silent = { info: () => {}, warn: () => {}, error: () => {} };
const ref = (name: string) => ({ namespace: "default", name });

type Metadata = { namespace?: string; labels?: Record<string, string>; finalizers?: string[] };
const service = (name: string, metadata: Metadata = {}): New<"Service"> => ({
  apiVersion: "davit.dev/v1",
  kind: "Service",
  metadata: { name, ...metadata },
  spec: { taskDefinition: "web", desiredCount: 0 },
});
const task = (name: string): New<"Task"> => ({
  apiVersion: "davit.dev/v1",
  kind: "Task",
  metadata: { name },
  spec: { taskDefinition: "web:1" },
});
const cluster = (name: string): Omit<Cluster, "metadata"> & { metadata: { name: string } } => ({
  apiVersion: "davit.dev/v1",
  kind: "Cluster",
  metadata: { name },
  spec: {},
});

/** The first `count` events of a watch of services. */
async function events(
  client: ObjectClient,
  options: Omit<Parameters<ObjectClient["watch"]>[1], "signal">,
  count: number,
): Promise<{ type: string; object: ApiObject }[]> {
  const enough = new AbortController();
  const found: { type: string; object: ApiObject }[] = [];
  for await (const batch of client.watch("Service", { ...options, signal: enough.signal })) {
    found.push(...batch.events);
    if (found.length >= count) enough.abort();
  }
  return found.slice(0, count);
}

async function refused(answer: Promise<unknown>, code: number, reason?: string): Promise<ApiError> {
  const error = await answer.then(
    () => assert.fail(`not refused with ${code}`),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ApiError, String(error));
  assert.equal(error.code, code, error.message);
  if (reason !== undefined) assert.equal(error.reason, reason);
  return error;
}
