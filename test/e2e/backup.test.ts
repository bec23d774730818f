// The day somebody's disk dies: a whole Davit under load is backed up, its data folder goes, and it comes back.
import assert from "node:assert/strict";
import { createReadStream, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ApiObject } from "../../api/meta.js";
import { decode, type Header } from "../../cli/backup/format.js";
import { createTransport, type Transport } from "../../client/http-transport.js";
import { readKubeconfig } from "../../client/kubeconfig.js";
import type { Entry } from "../../store/store.js";
import { Davit, execute } from "../support/davit.js";
import { temporaryFolder } from "../support/folder.js";
import { buildImage, removeImage } from "../support/images.js";
import { countOf } from "../support/soak-count.js";
import { eventually } from "../support/wait.js";

const IMAGE = "davit-test-backup:1";
const CLUSTERS = "/apis/davit.dev/v1/namespaces/default/clusters";
const MANIFEST = `
apiVersion: davit.dev/v1
kind: TaskDefinition
metadata: { name: web }
spec:
  containerDefinitions:
    - { name: main, image: "${IMAGE}", memory: 16, stopTimeout: 2 }
---
apiVersion: davit.dev/v1
kind: Service
metadata: { name: web }
spec: { taskDefinition: web, desiredCount: 2, deploymentConfiguration: { minHealthySeconds: 1 } }
`;

interface Read {
  header: Header;
  entries: Entry[];
}
async function readBackup(file: string): Promise<Read> {
  let header: Header | undefined;
  const entries: Entry[] = [];
  for await (const line of decode(createReadStream(file))) {
    if ("header" in line) header = line.header;
    if ("entry" in line) entries.push(line.entry);
  }
  assert.ok(header);
  return { header, entries };
}

/** Each writer: `a`, then, once that is answered, `b`, with equal counters, on and on. */
async function startWriters(api: Transport, count: number): Promise<{ written(): number; stop(): Promise<void> }> {
  const metadata = (name: string) => ({ name, namespace: "default" });
  for (let writer = 0; writer < count; writer++)
    for (const side of ["a", "b"])
      await api.call(CLUSTERS, {
        method: "POST",
        body: { apiVersion: "davit.dev/v1", kind: "Cluster", metadata: metadata(`${side}-${writer}`), spec: {} },
      });
  let written = 0;
  let stopped = false;
  const write = async (writer: number): Promise<void> => {
    for (let counter = 1; !stopped; counter++)
      for (const side of ["a", "b"]) {
        const body = { metadata: { annotations: { counter: String(counter) } } };
        const contentType = "application/merge-patch+json";
        await api.call(`${CLUSTERS}/${side}-${writer}`, { method: "PATCH", body, contentType });
        written++;
      }
  };
  const writing = Promise.all(Array.from({ length: count }, (_, writer) => write(writer)));
  return {
    written: () => written,
    stop: async () => {
      stopped = true;
      await writing;
    },
  };
}

const counters = ({ entries }: Read): Map<string, number> =>
  new Map(
    entries
      .filter(({ key }) => key.startsWith("clusters.davit.dev/"))
      .map(({ object: { metadata } }) => [metadata.name, Number(metadata.annotations?.counter ?? 0)]),
  );

describe("backup and restore", function () {
  this.timeout(240_000);
  const WRITERS = 8;
  const outside = temporaryFolder("backup");
  const at = (name: string): string => join(outside.path, name);
  let davit: Davit;
  let backup: Read;
  /** Containers at the time of the backup. */
  let ran: Record<string, string>;
  before(async () => {
    await buildImage(IMAGE);
    davit = await Davit.start("backup");
    writeFileSync(at("all.yaml"), MANIFEST);
    const { code, stderr } = await davit.cli("apply", "-f", at("all.yaml"), "--wait");
    assert.equal(code, 0, stderr);
    ran = await containers();
    assert.equal(Object.keys(ran).length, 2);
  });
  after(async () => {
    await davit?.purge();
    await removeImage(IMAGE);
    outside.remove();
  });

  /** Of the service's running tasks: container id → when Docker started it. */
  async function containers(): Promise<Record<string, string>> {
    const tasks = (await davit.list("Task")).filter(({ status }) => status?.lastStatus === "RUNNING");
    const ids = tasks.map(({ status }) => status?.containers?.[0]?.runtimeId ?? "");
    const { code, stdout } = await execute("docker", ["inspect", "-f", "{{.Id}} {{.State.StartedAt}}", ...ids]);
    assert.equal(code, 0);
    return Object.fromEntries(
      stdout
        .trim()
        .split("\n")
        .map((line) => line.split(" ")),
    );
  }

  it("backup: under load each one is whole and of one moment: no b ahead of its a", async () => {
    const { connection } = await readKubeconfig({ path: join(davit.folder, "kubeconfig") });
    const api = createTransport(connection);
    const writers = await startWriters(api, WRITERS);
    try {
      let last: Read | undefined;
      for (let round = 0; round < countOf(50); round++) {
        const from = writers.written();
        await eventually("writes go on", () => writers.written() > from + 20);
        const { code, stderr } = await davit.cli("backup", at("davit.backup"));
        assert.equal(code, 0, stderr);
        assert.match(stderr, /holds \d+ objects at revision \d+ and \d+ files of keys.*It is secret/);
        backup = await readBackup(at("davit.backup"));
        const found = counters(backup);
        for (let writer = 0; writer < WRITERS; writer++) {
          const [a, b] = [found.get(`a-${writer}`), found.get(`b-${writer}`)];
          assert.ok(a !== undefined && b !== undefined && (a === b || a === b + 1), `writer ${writer}: a ${a}, b ${b}`);
        }
        assert.ok(last === undefined || backup.header.revision > last.header.revision);
        last = backup;
      }
      console.log(`      ${writers.written()} writes, revision ${backup.header.revision}`);
    } finally {
      await writers.stop();
      api.close();
    }
    assert.equal(statSync(at("davit.backup")).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(outside.path).sort(), ["all.yaml", "davit.backup"]);
  });

  it("works with an administrator's kubeconfig from anywhere, and to standard output", async () => {
    writeFileSync(at("kubeconfig"), readFileSync(join(davit.folder, "kubeconfig")));
    const { code, stdout, stderr } = await davit.cli(
      ...["backup", "-", "--kubeconfig", at("kubeconfig"), "--data-dir", at("nowhere")],
    );
    assert.equal(code, 0, stderr);
    writeFileSync(at("second.backup"), stdout);
    const { entries } = await readBackup(at("second.backup"));
    assert.ok(entries.length >= backup.entries.length);
  });

  it("comes back from the backup: the same objects, CA, tokens and running containers; what came later goes", async () => {
    const later = await davit.cli("run", "web", "-o", "name");
    assert.equal(later.code, 0, later.stderr);
    const lateTask = later.stdout.trim().replace("task.davit.dev/", "");
    const lateId = await eventually("the late task runs", async () => {
      const task = (await davit.list("Task")).find(({ metadata }) => metadata.name === lateTask);
      return task?.status?.lastStatus === "RUNNING" && task.status.containers?.[0]?.runtimeId;
    });
    const ports = davit.state();
    await davit.kill("supervisor", "agent", "server", "nats");
    rmSync(davit.folder, { recursive: true });

    const restored = await davit.cli("restore", at("davit.backup"));
    assert.equal(restored.code, 0, restored.stderr);
    assert.match(restored.stdout, /Start it as it was started before/);
    await davit.up(ports);

    const kubectl = await execute("kubectl", ["get", "services.davit.dev", "web", "-o", "name"], {
      KUBECONFIG: at("kubeconfig"),
      HOME: outside.path,
    });
    assert.deepEqual([kubectl.code, kubectl.stdout], [0, "service.davit.dev/web\n"]);
    await eventually("the tasks of the backup run as they ran", async () => {
      const now = await containers();
      assert.deepEqual(now, ran);
      return true;
    });
    await eventually("the container that the backup knows nothing of is gone", async () => {
      const { code } = await execute("docker", ["inspect", lateId]);
      return code !== 0;
    });
    assert.deepEqual(await containers(), ran);
    await assertSameObjects();
  });

  /** Users' part of every object: specs and identities. What controllers write goes on from there. */
  async function assertSameObjects(): Promise<void> {
    const { connection } = await readKubeconfig({ path: join(davit.folder, "kubeconfig") });
    const api = createTransport(connection);
    for (const { key, object } of backup.entries) {
      const [resource = "", namespace = "", name = ""] = key.split("/");
      if (!resource.endsWith(".davit.dev")) continue;
      const path = `/apis/davit.dev/v1/namespaces/${namespace}/${resource.replace(".davit.dev", "")}/${name}`;
      const now = (await api.call(path)) as ApiObject;
      assert.equal(now.metadata.uid, object.metadata.uid, key);
      assert.deepEqual(now.spec, object.spec, key);
      assert.ok(
        Number(now.metadata.resourceVersion) === Number(object.metadata.resourceVersion) ||
          Number(now.metadata.resourceVersion) > backup.header.revision + 1_000_000,
        key,
      );
    }
    api.close();
  }

  it("a watcher from before the disk died is told to list again, not given another's change", async () => {
    const { connection } = await readKubeconfig({ path: join(davit.folder, "kubeconfig") });
    const api = createTransport(connection);
    const path = `${CLUSTERS}?watch=true&resourceVersion=${backup.header.revision + 3}`;
    const lines: unknown[] = [];
    await assert.rejects(async () => {
      for await (const batch of api.stream(path)) lines.push(...batch);
      if ((lines[0] as { object?: { code?: number } })?.object?.code === 410) throw new Error("410");
    }, /410|too old/);
    api.close();
  });

  it("is refused on a folder that is in use, and where Davit is down the disk is read without it", async () => {
    const inUse = await davit.cli("restore", at("davit.backup"));
    assert.equal(inUse.code, 1);
    assert.match(inUse.stderr, /holds a Davit already: name an empty or new folder/);
    await davit.down();
    const { code, stderr } = await davit.cli("backup", at("offline.backup"));
    assert.equal(code, 0, stderr);
    const { header, entries } = await readBackup(at("offline.backup"));
    assert.ok(header.revision > backup.header.revision + 1_000_000);
    assert.ok(entries.length >= backup.entries.length);
    await davit.up();
    assert.deepEqual(await eventually("they run", containers), ran);
  });
});
