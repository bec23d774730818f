// What the API server does on its own: collecting what lost its owners, emptying namespaces, making the defaults.
import assert from "node:assert/strict";
import type { ApiObject } from "../../api/meta.js";
import { eventually } from "../support/wait.js";
import { CLUSTERS, SERVICES, service } from "./support/objects.js";
import { startServer, type TestServer } from "./support/server.js";

const NAMESPACES = "/api/v1/namespaces";
const namespace = (name: string) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } });

describe("background work", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await startServer("background");
  });
  afterEach(async () => {
    await server.close();
    assert.deepEqual(server.errors, []);
  });

  const post = async (path: string, object: object) => {
    const { code, body } = await server.call("POST", path, object);
    assert.equal(code, 201, body.message);
    return body;
  };
  const exists = async (path: string) => (await server.call("GET", path)).code === 200;
  const ownedBy = (...owners: { metadata: ApiObject["metadata"] }[]) => ({
    ownerReferences: owners.map(({ metadata: { name, uid } }) => ({
      apiVersion: "davit.dev/v1",
      kind: "Service",
      name,
      uid,
    })),
  });

  describe("garbage collection", () => {
    it("an owner takes along what it owns, and what that owns", async () => {
      const top = await post(SERVICES, service("top"));
      const middle = await post(SERVICES, service("middle", {}, ownedBy(top)));
      await post(SERVICES, service("bottom", {}, ownedBy(middle)));
      await post(SERVICES, service("free"));
      await server.call("DELETE", `${SERVICES}/top`);
      await eventually(
        "both are gone",
        async () => !(await exists(`${SERVICES}/middle`)) && !(await exists(`${SERVICES}/bottom`)),
      );
      assert(await exists(`${SERVICES}/free`));
    });

    it("an owner of the same name that came later is another one", async () => {
      const first = await post(SERVICES, service("owner"));
      await server.call("DELETE", `${SERVICES}/owner`);
      await post(SERVICES, service("owner"));
      await post(SERVICES, service("orphan", {}, ownedBy(first)));
      await eventually("it is collected at once", async () => !(await exists(`${SERVICES}/orphan`)));
    });

    it("of two owners, the last one decides; the other is struck off", async () => {
      const [a, b] = [await post(SERVICES, service("a")), await post(SERVICES, service("b"))];
      await post(SERVICES, service("shared", {}, ownedBy(a, b)));
      await server.call("DELETE", `${SERVICES}/a`);
      await eventually("a is struck off", async () => {
        const { body } = await server.call("GET", `${SERVICES}/shared`);
        return body.metadata.ownerReferences?.length === 1 && body.metadata.ownerReferences[0]?.name === "b";
      });
      await server.call("DELETE", `${SERVICES}/b`);
      await eventually("it is collected", async () => !(await exists(`${SERVICES}/shared`)));
    });

    it("a dependent with finalizers gets its deletionTimestamp, and waits", async () => {
      const owner = await post(SERVICES, service("owner"));
      await post(SERVICES, service("held", {}, { ...ownedBy(owner), finalizers: ["davit.dev/test"] }));
      await server.call("DELETE", `${SERVICES}/owner`);
      await eventually("it is asked to go", async () => {
        const { body } = await server.call("GET", `${SERVICES}/held`);
        return body.metadata.deletionTimestamp !== undefined;
      });
    });

    it("finds what was orphaned while nobody looked", async () => {
      const owner = await post(SERVICES, service("owner"));
      await post(SERVICES, service("left", {}, ownedBy(owner)));
      await server.api.close(); // the collector has ended: the registry has not
      const { registry } = server.api;
      const resource = registry.resources.byKind("davit.dev/v1", "Service");
      assert(resource);
      await registry.remove(resource, { namespace: "default", name: "owner" });
      assert(await registry.find(resource, { namespace: "default", name: "left" }));
      const again = await startAgain(server);
      await eventually(
        "it is collected",
        async () => !(await registry.find(resource, { namespace: "default", name: "left" })),
      );
      await again.close();
    });
  });

  describe("namespaces", () => {
    it("a deleted namespace is emptied, waits for finalizers, then goes", async () => {
      await post(NAMESPACES, namespace("team"));
      const inTeam = SERVICES.replace("/default/", "/team/");
      await post(inTeam, service("a"));
      await post(inTeam, service("b", {}, { finalizers: ["davit.dev/test"] }));
      const { body } = await server.call("DELETE", `${NAMESPACES}/team`);
      assert.deepEqual([body.status.phase, body.metadata.deletionTimestamp !== undefined], ["Terminating", true]);
      const late = await server.call("POST", inTeam, service("late"));
      assert.equal(late.code, 403);
      assert.match(
        late.body.message ?? "",
        /unable to create new content in namespace team because it is being terminated/,
      );
      await eventually("a is gone", async () => !(await exists(`${inTeam}/a`)));
      assert(await exists(`${NAMESPACES}/team`), "b keeps it");
      await server.call(
        "PATCH",
        `${inTeam}/b`,
        { metadata: { finalizers: null } },
        { "Content-Type": "application/merge-patch+json" },
      );
      await eventually("the namespace is gone", async () => !(await exists(`${NAMESPACES}/team`)));
      assert.equal((await server.call("POST", inTeam, service("late"))).code, 404);
    });

    it("an empty one goes at once, and may come again", async () => {
      await post(NAMESPACES, namespace("brief"));
      await server.call("DELETE", `${NAMESPACES}/brief`);
      await eventually("it is gone", async () => !(await exists(`${NAMESPACES}/brief`)));
      await post(NAMESPACES, namespace("brief"));
      await post(SERVICES.replace("/default/", "/brief/"), service("a"));
    });

    it("creates that race the deletion leave nothing behind", async () => {
      await post(NAMESPACES, namespace("race"));
      const path = SERVICES.replace("/default/", "/race/");
      const creates = Array.from({ length: 50 }, (_, i) => server.call("POST", path, service(`s${i}`)));
      const deletion = server.call("DELETE", `${NAMESPACES}/race`);
      await Promise.all([...creates, deletion]);
      await eventually("the namespace is gone", async () => !(await exists(`${NAMESPACES}/race`)));
      assert.deepEqual((await server.store.list("services.davit.dev/race/")).entries, []);
    });

    it("`default` stays", async () => {
      const { code, body } = await server.call("DELETE", `${NAMESPACES}/default`);
      assert.deepEqual(
        [code, body.message],
        [403, 'namespaces "default" is forbidden: this namespace may not be deleted'],
      );
    });
  });

  describe("bootstrap", () => {
    it("[01-1] makes the namespace and the cluster `default`", async () => {
      const { body } = await server.call("GET", `${CLUSTERS}/default`);
      assert.equal(body.kind, "Cluster");
      assert.equal(
        (await server.call("GET", `${NAMESPACES}/default`)).body.metadata.annotations?.["davit.dev/account"],
        "000000000000",
      );
    });
    it("writes nothing the second time", async () => {
      const before = server.store.revision();
      await server.api.bootstrap();
      assert.equal(server.store.revision(), before);
    });
  });
});

/** A second server on the same store. */
async function startAgain({ store }: TestServer) {
  const { createApiServer } = await import("../../apiserver/index.js");
  const log = { info() {}, warn() {}, error() {} };
  const api = createApiServer({ store, now: Date.now, newUid: () => crypto.randomUUID(), random: Math.random, log });
  await api.bootstrap();
  return api;
}
