import assert from "node:assert/strict";
import type { Service, Task } from "../../api/types.gen.js";
import type { ApiError, ObjectClient, WatchBatch } from "../../client/object-client.js";
import { SERVICES, service } from "./support/objects.js";
import { startServer, type TestServer } from "./support/server.js";

describe("the in-process client", () => {
  let server: TestServer;
  let client: ObjectClient;
  let trusted: ObjectClient;
  before(async () => {
    server = await startServer("local");
    client = server.api.client;
    trusted = server.api.trustedClient;
  });
  after(async () => {
    await server.close();
    assert.deepEqual(server.errors, []);
  });
  const ref = (name: string) => ({ namespace: "default", name });
  const task = (name: string): Parameters<typeof client.create<"Task">>[1] => ({
    apiVersion: "davit.dev/v1",
    kind: "Task",
    metadata: { name, namespace: "default" },
    spec: { taskDefinition: "web:1" },
    status: { lastStatus: "PENDING" },
  });
  const newService = (name: string, spec = {}) =>
    ({ ...service(name, spec), metadata: { name, namespace: "default" } }) as unknown as Service;

  it("hands out the stored objects themselves", async () => {
    const made = await client.create("Service", newService("shared"));
    assert.equal(await client.get("Service", ref("shared")), made);
    const { items } = await client.list("Service", { namespace: "default" });
    assert(items.includes(made));
    assert.equal(await client.get("Service", ref("ghost")), undefined);
  });

  it("keeps a status given at creation, and raises no generation with status", async () => {
    const made = await trusted.create("Task", task("t1"));
    assert.equal(made.status?.lastStatus, "PENDING");
    const running = await trusted.updateStatus("Task", { ...made, status: { lastStatus: "RUNNING" } });
    assert.deepEqual([running.metadata.generation, running.spec === made.spec], [1, true]);
    await assert.rejects(
      () => trusted.updateStatus("Task", { ...made, status: { lastStatus: "STOPPED" } }),
      (error: ApiError) => error.code === 409 && error.reason === "Conflict",
    );
  });

  it("fills in defaults for trusted writers, and checks the others", async () => {
    const made = await trusted.create("Task", task("t2"));
    const overHttp = await server.call("POST", SERVICES.replace("services", "tasks"), task("t3"));
    assert.deepEqual(made.spec, overHttp.body.spec);
    const wrong = { ...task("t4"), spec: { taskDefinition: 5 } } as unknown as Task;
    await assert.rejects(
      () => client.create("Task", wrong),
      (error: ApiError) => error.code === 422,
    );
    const unknown = { ...task("t5"), spec: { taskDefinition: "web:1", nope: 1 } } as unknown as Task;
    await assert.rejects(() => client.create("Task", unknown), /unknown field "spec\.nope"/);
  });

  it("watches what HTTP writes, and HTTP sees what it writes", async () => {
    const controller = new AbortController();
    const { resourceVersion } = await client.list("Service");
    const batches: WatchBatch<Service>[] = [];
    const reading = (async () => {
      for await (const batch of client.watch("Service", { resourceVersion, signal: controller.signal })) {
        batches.push(batch);
        if (batches.flatMap(({ events }) => events).length === 2) return;
      }
    })();
    await server.call("POST", SERVICES, service("over-http"));
    await client.patch("Service", ref("over-http"), { spec: { desiredCount: 4 } });
    await reading;
    controller.abort();
    const events = batches.flatMap((batch) => batch.events);
    assert.deepEqual(
      events.map(({ type, object }) => [type, object.metadata.name, object.spec.desiredCount]),
      [
        ["ADDED", "over-http", 1],
        ["MODIFIED", "over-http", 4],
      ],
    );
    assert.equal((await server.call("GET", `${SERVICES}/over-http`)).body.spec.desiredCount, 4);
  });

  it("a watch from before this store began is 410", async () => {
    const { signal } = new AbortController();
    const watching = client.watch("Service", { resourceVersion: "99999999", signal })[Symbol.asyncIterator]();
    await assert.rejects(
      () => watching.next(),
      (error: ApiError) => error.code === 410,
    );
  });

  it("deletes with a precondition on the uid", async () => {
    const made = await client.create("Service", newService("doomed"));
    await assert.rejects(
      () => client.delete("Service", ref("doomed"), { uid: "other" }),
      (error: ApiError) => error.code === 409,
    );
    await client.delete("Service", ref("doomed"), { uid: made.metadata.uid });
    await assert.rejects(
      () => client.delete("Service", ref("doomed")),
      (error: ApiError) => error.code === 404,
    );
  });

  it("64 writers at once: no update is accepted twice on one version, and none is lost", async () => {
    await client.create("Service", newService("hot", { desiredCount: 0 }));
    const seen = new Set<string>();
    const writer = async () => {
      for (;;) {
        const current = await client.get("Service", ref("hot"));
        assert(current);
        try {
          const next = { ...current, spec: { ...current.spec, desiredCount: (current.spec.desiredCount ?? 0) + 1 } };
          const { metadata } = await client.update("Service", next);
          assert(!seen.has(metadata.resourceVersion));
          seen.add(metadata.resourceVersion);
          return;
        } catch (error) {
          if ((error as ApiError).code !== 409) throw error;
        }
      }
    };
    await Promise.all(Array.from({ length: 64 }, writer));
    assert.equal((await client.get("Service", ref("hot")))?.spec.desiredCount, 64);
  });

  it("patches run again when they lose a race", async () => {
    await client.create("Service", newService("patched"));
    const patches = Array.from({ length: 5 }, (_, i) =>
      client.patch("Service", ref("patched"), { metadata: { labels: { [`l${i}`]: "x" } } }),
    );
    await Promise.all(patches);
    assert.equal(Object.keys((await client.get("Service", ref("patched")))?.metadata.labels ?? {}).length, 5);
  });
});
