// The folder sync on a real folder, with real chokidar, a real store and the real API server in this process.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ApiServer, createApiServer } from "../../apiserver/index.js";
import type { ObjectClient } from "../../client/object-client.js";
import { parseManifest } from "../../gitops/parse.js";
import { type FolderSync, startFolderSync } from "../../gitops/sync.js";
import { SYNC_ANNOTATIONS } from "../../gitops/sync-status.js";
import { openLmdbStore } from "../../store/lmdb/lmdb-store.js";
import type { Store } from "../../store/store.js";
import { temporaryFolder } from "../support/folder.js";
import { eventually } from "../support/wait.js";

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const CLUSTER = { namespace: "default", name: "default" };

const service = (name: string, desiredCount = 1) => `apiVersion: davit.dev/v1
kind: Service
metadata: { name: ${name} }
spec: { taskDefinition: web, desiredCount: ${desiredCount} }
`;

describe("folder sync", () => {
  const data = temporaryFolder("gitops-store");
  let store: Store;
  let api: ApiServer;
  let folder: ReturnType<typeof temporaryFolder>;
  let sync: FolderSync;

  before(async () => {
    store = await openLmdbStore({ folder: data.path });
    api = createApiServer({ store, now: Date.now, newUid: randomUUID, random: Math.random, log: silent });
    await api.bootstrap();
  });
  after(async () => {
    await api.close();
    await store.close();
    data.remove();
  });

  beforeEach(() => {
    folder = temporaryFolder("gitops");
  });
  afterEach(async () => {
    await sync.close();
    folder.remove();
    for (const { metadata } of (await api.client.list("Service")).items) await api.client.delete("Service", metadata);
    const annotations = Object.fromEntries(Object.values(SYNC_ANNOTATIONS).map((key) => [key, null]));
    await api.client.patch("Cluster", CLUSTER, { metadata: { annotations } });
  });

  const start = (client: ObjectClient = api.client) => {
    sync = startFolderSync({
      root: folder.path,
      client,
      parse: parseManifest,
      log: silent,
      now: Date.now,
      newBatchId: randomUUID,
      quietMs: 50,
      retryMs: 200,
    });
  };
  const write = (path: string, text: string) => writeFileSync(join(folder.path, path), text);
  const names = async () =>
    (await api.client.list("Service")).items
      .map(({ metadata }) => metadata.name)
      .sort()
      .join(" ");
  const told = async () => (await api.client.get("Cluster", CLUSTER))?.metadata.annotations ?? {};
  const state = async (wanted: string) =>
    eventually(
      `the sync is ${wanted}`,
      async () => (await told())[SYNC_ANNOTATIONS.state] === wanted && (await told()),
    );

  it("applies all files below, of several documents, and leaves dot-folders out", async () => {
    mkdirSync(join(folder.path, "deep/er"), { recursive: true });
    mkdirSync(join(folder.path, ".git"));
    write("a.yaml", `${service("a")}---\n${service("b")}`);
    write("deep/er/c.yml", service("c"));
    write(".git/d.yaml", service("d"));
    write("notes.txt", "no manifest");
    start();
    await eventually("three services", async () => (await names()) === "a b c");
    assert.equal((await state("Synced"))[SYNC_ANNOTATIONS.message], "3 objects from 2 files");
  });

  it("follows changes, and writes nothing when nothing changed", async () => {
    write("a.yaml", service("a", 1));
    start();
    await eventually("applied", async () => (await names()) === "a");
    write("a.yaml", service("a", 5));
    const changed = await eventually("changed", async () => {
      const found = await api.client.get("Service", { namespace: "default", name: "a" });
      return found?.spec.desiredCount === 5 && found;
    });
    assert.ok(changed.metadata.annotations?.["davit.dev/batch"]);
    await sync.once();
    const again = await api.client.get("Service", { namespace: "default", name: "a" });
    assert.equal(again?.metadata.resourceVersion, changed.metadata.resourceVersion);
  });

  it("leaves what others set, heals what they change of its own", async () => {
    write("a.yaml", "apiVersion: davit.dev/v1\nkind: Service\nmetadata: { name: a }\nspec: { taskDefinition: web }\n");
    start();
    await eventually("applied", async () => (await names()) === "a");
    const ref = { namespace: "default", name: "a" };
    await api.client.patch("Service", ref, { spec: { desiredCount: 7, taskDefinition: "other" } });
    await sync.once();
    const healed = await api.client.get("Service", ref);
    assert.equal(healed?.spec.desiredCount, 7);
    assert.equal(healed?.spec.taskDefinition, "web");
  });

  it("deletes what left it, of what it applied itself", async () => {
    await api.client.create("Service", {
      apiVersion: "davit.dev/v1",
      kind: "Service",
      metadata: { name: "foreign" },
      spec: { taskDefinition: "x" },
    });
    for (const name of ["a", "b", "c", "d"]) write(`${name}.yaml`, service(name));
    start();
    await eventually("applied", async () => (await names()) === "a b c d foreign");
    rmSync(join(folder.path, "b.yaml"));
    await eventually("pruned", async () => (await names()) === "a c d foreign");
  });

  it("deletes a cluster after what it holds, however long that takes, and asks for one confirmation only", async () => {
    const inProd = (name: string) => service(name).replace("spec: {", "spec: { cluster: prod,");
    write(
      "a.yaml",
      `apiVersion: davit.dev/v1\nkind: Cluster\nmetadata: { name: prod }\nspec: {}\n---\n${inProd("own")}`,
    );
    start();
    await eventually("applied", async () => (await names()) === "own");
    const guest = { name: "guest", namespace: "default" };
    await api.client.create("Service", {
      apiVersion: "davit.dev/v1",
      kind: "Service",
      metadata: guest,
      spec: { taskDefinition: "x", cluster: "prod" },
    });
    rmSync(join(folder.path, "a.yaml"));
    const held = (await state("Held"))[SYNC_ANNOTATIONS.held];
    await api.client.patch("Cluster", CLUSTER, { metadata: { annotations: { [SYNC_ANNOTATIONS.confirm]: held } } });
    await eventually("its own service is deleted", async () => (await names()) === "guest");
    const failed = await state("Failed");
    assert.match(failed[SYNC_ANNOTATIONS.message] ?? "", /Cluster\/default\/prod: .*\(1 service: guest\)/);
    await sync.once();
    assert.equal((await told())[SYNC_ANNOTATIONS.state], "Failed", "it is not asked for again");
    await api.client.delete("Service", guest);
    await state("Synced");
    assert.equal(await api.client.get("Cluster", { namespace: "default", name: "prod" }), undefined);
  });

  it("a copy of an applied object under another name is not its own", async () => {
    for (const name of ["a", "b", "c", "d"]) write(`${name}.yaml`, service(name));
    start();
    await eventually("applied", async () => (await names()) === "a b c d");
    const original = await api.client.get("Service", { namespace: "default", name: "a" });
    const { labels, annotations } = original?.metadata ?? {};
    await api.client.create("Service", {
      apiVersion: "davit.dev/v1",
      kind: "Service",
      metadata: { name: "copy", ...(labels && { labels }), ...(annotations && { annotations }) },
      spec: { taskDefinition: "web" },
    });
    await sync.once();
    assert.equal(await names(), "a b c copy d");
  });

  it("prunes nothing when everything left at once, until confirmed", async () => {
    for (const name of ["a", "b", "c"]) write(`${name}.yaml`, service(name));
    start();
    await eventually("applied", async () => (await names()) === "a b c");
    for (const name of ["a", "b", "c"]) rmSync(join(folder.path, `${name}.yaml`));
    const annotations = await state("Held");
    assert.match(
      annotations[SYNC_ANNOTATIONS.message] ?? "",
      /the folder is empty: 3 objects would be deleted; kept until `davit gitops confirm`/,
    );
    assert.equal(await names(), "a b c");
    const confirm = { [SYNC_ANNOTATIONS.confirm]: annotations[SYNC_ANNOTATIONS.held] };
    await api.client.patch("Cluster", CLUSTER, { metadata: { annotations: confirm } });
    await eventually("pruned", async () => (await names()) === "");
    await state("Synced");
    assert.equal((await told())[SYNC_ANNOTATIONS.confirm], undefined);
  });

  it("prunes nothing when the folder can't be read", async () => {
    write("a.yaml", service("a"));
    start();
    await eventually("applied", async () => (await names()) === "a");
    renameSync(folder.path, `${folder.path}.away`);
    try {
      assert.match((await state("Failed"))[SYNC_ANNOTATIONS.message] ?? "", /the folder can't be read: ENOENT/);
      assert.equal(await names(), "a");
    } finally {
      renameSync(`${folder.path}.away`, folder.path);
    }
    await state("Synced");
  });

  it("a file that fails to parse keeps its objects, and heals", async () => {
    write("a.yaml", service("a"));
    write("b.yaml", service("b"));
    start();
    await eventually("applied", async () => (await names()) === "a b");
    write("a.yaml", "kind: [");
    const failed = await state("Failed");
    assert.match(failed[SYNC_ANNOTATIONS.message] ?? "", /^a\.yaml: /);
    assert.equal(await names(), "a b");
    write("a.yaml", service("a", 2));
    await state("Synced");
  });

  it("two files that define one object are an error naming both, and it is kept", async () => {
    write("a.yaml", service("a"));
    start();
    await eventually("applied", async () => (await names()) === "a");
    write("z.yaml", service("a", 9));
    const failed = await state("Failed");
    assert.match(
      failed[SYNC_ANNOTATIONS.message] ?? "",
      /Service\/default\/a is defined more than once: in a\.yaml#1 and in z\.yaml#1/,
    );
    assert.equal((await api.client.get("Service", { namespace: "default", name: "a" }))?.spec.desiredCount, 1);
  });

  it("a namespace in the folder is told of, and the rest is applied", async () => {
    write("a.yaml", `apiVersion: v1\nkind: Namespace\nmetadata: { name: prod }\n---\n${service("a")}`);
    start();
    const failed = await state("Failed");
    assert.match(failed[SYNC_ANNOTATIONS.message] ?? "", /^a\.yaml: document 1, line 1: kind: .*the Namespace by/);
    assert.equal(await names(), "a");
  });

  it("what nobody foresaw is told too, and it tries again", async () => {
    write("a.yaml", service("a"));
    let broken = true;
    const client: ObjectClient = {
      ...api.client,
      list: (...args) => {
        if (broken) throw new Error("out of order");
        return api.client.list(...args);
      },
    };
    start(client);
    const failed = await state("Failed");
    assert.match(failed[SYNC_ANNOTATIONS.message] ?? "", /out of order/);
    broken = false;
    await state("Synced");
  });

  it("what the API refuses is told with file and document, and the rest is applied", async () => {
    write("a.yaml", `${service("a")}---\n${service("b").replace("desiredCount: 1", "desiredCount: many")}`);
    start();
    const failed = await state("Failed");
    assert.match(failed[SYNC_ANNOTATIONS.message] ?? "", /^a\.yaml: document 2, line \d+: .*desiredCount/);
    assert.equal(await names(), "a");
  });
});
