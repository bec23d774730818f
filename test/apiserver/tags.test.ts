// Tags through kubectl: kept, replaced and refused.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Kubectl, kubectls } from "../support/kubectl.js";
import { CLUSTERS, cluster, SERVICES, service } from "./support/objects.js";
import { startServer, type TestServer } from "./support/server.js";

const TASKS = SERVICES.replace("services", "tasks");
const MERGE = { "Content-Type": "application/merge-patch+json" };

describe("tags", function () {
  this.timeout(30_000);
  let server: TestServer;
  let kubectl: Kubectl;
  let all: Kubectl[];
  before(async () => {
    server = await startServer("tags");
    all = kubectls(server.kubeconfig);
    const [first] = all;
    assert(first);
    kubectl = first;
  });
  after(async () => {
    for (const each of all) each.remove();
    await server.close();
    assert.deepEqual(server.errors, []);
  });

  const send = (verb: "apply" | "create", object: unknown) => {
    mkdirSync(server.folder, { recursive: true });
    const file = join(server.folder, "object.json");
    writeFileSync(file, JSON.stringify(object));
    return kubectl([verb, "-f", file]);
  };
  const apply = (object: unknown) => send("apply", object);
  const spec = async (path: string) => (await server.call("GET", path)).body.spec;

  it("[01-5] a cluster's are read back as they were given; an equal key takes the new value", async () => {
    const tags = [
      { key: "team", value: "blue" },
      { key: "Cost Centre", value: "" },
    ];
    assert.equal((await apply(cluster("tagged", { tags }))).code, 0);
    assert.deepEqual((await spec(`${CLUSTERS}/tagged`)).tags, tags);
    const changed = [{ key: "team", value: "red" }];
    assert.equal((await apply(cluster("tagged", { tags: changed }))).code, 0);
    assert.deepEqual((await spec(`${CLUSTERS}/tagged`)).tags, changed);
    await server.call("DELETE", `${CLUSTERS}/tagged`);
    assert.equal((await apply(cluster("tagged"))).code, 0);
    assert.equal((await spec(`${CLUSTERS}/tagged`)).tags, undefined, "they went with it");
  });

  for (const [what, tags, error] of [
    ["51 of them", Array.from({ length: 51 }, (_, i) => ({ key: `k${i}` })), /spec\.tags: Too many: 51/],
    ["a reserved key", [{ key: "AWS:ecs:x", value: "1" }], /spec\.tags\[0\]\.key: Forbidden: "AWS:ecs:x"/],
    ["null for a value", [{ key: "a", value: null }], /spec\.tags\[0\]\.value: .*not null/],
    ["a key twice", [{ key: "a" }, { key: "a" }], /spec\.tags\[1\]: Duplicate value/],
  ] as const)
    it(`[07-47] with ${what} nothing is made`, async () => {
      const before = server.store.revision();
      // `apply` takes nulls out before it sends anything.
      const { code, stderr } = await send("create", service("refused", { tags }));
      assert.equal(code, 1);
      assert.match(stderr, error);
      assert.equal((await server.call("GET", `${SERVICES}/refused`)).code, 404);
      assert.equal(server.store.revision(), before);
    });

  it("[09-25] a 51st cannot be added, and those that are there stay", async () => {
    const tags = Array.from({ length: 50 }, (_, i) => ({ key: `k${i}` }));
    assert.equal((await apply(service("full", { tags }))).code, 0);
    const { code, body } = await server.call(
      "PATCH",
      `${SERVICES}/full`,
      { spec: { tags: [...tags, { key: "x" }] } },
      MERGE,
    );
    assert.deepEqual([code, body.details.causes?.[0]?.field], [422, "spec.tags"]);
    assert.deepEqual((await spec(`${SERVICES}/full`)).tags, tags);
  });

  it("[07-46] the system's own can be neither set, changed nor removed, and do not count", async () => {
    const tags = Array.from({ length: 50 }, (_, i) => ({ key: `k${i}` }));
    const managed = [{ key: "aws:ecs:clusterName", value: "default" }];
    const task = {
      apiVersion: "davit.dev/v1",
      kind: "Task",
      metadata: { name: "t" },
      spec: { taskDefinition: "w:1", tags },
    };
    assert.equal((await server.call("POST", TASKS, task)).code, 201);
    const patch = (path: string, body: object) => server.call("PATCH", path, body, MERGE);
    assert.equal((await patch(`${TASKS}/t/status`, { status: { managedTags: managed } })).code, 200);
    for (const managedTags of [null, [], [{ key: "aws:ecs:clusterName", value: "other" }]]) {
      const { code, body } = await patch(`${TASKS}/t/status`, { status: { managedTags } });
      assert.equal(code, 422);
      assert.match(body.message ?? "", /status\.managedTags: .*cannot be changed or removed/);
    }
    assert.equal((await patch(`${TASKS}/t`, { spec: { tags: managed } })).code, 422);
    assert.equal((await patch(`${TASKS}/t`, { spec: { tags: null } })).code, 200);
    const { body } = await server.call("GET", `${TASKS}/t`);
    assert.deepEqual([body.spec.tags, body.status.managedTags], [undefined, managed]);
  });

  it("a task's propagateTags SERVICE needs the service's group", async () => {
    const task = (more: object) => ({
      apiVersion: "davit.dev/v1",
      kind: "Task",
      metadata: { name: "p" },
      spec: { taskDefinition: "w:1", propagateTags: "SERVICE", ...more },
    });
    const { code, stderr } = await apply(task({}));
    assert.equal(code, 1);
    assert.match(stderr, /spec\.propagateTags: .*needs group service:NAME/);
    assert.equal((await apply(task({ group: "service:web" }))).code, 0);
  });
});
