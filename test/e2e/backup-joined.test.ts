// A control plane that comes back from a backup, and a machine that joined it and knows nothing of that.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ContainerInstance, Task } from "../../api/types.gen.js";
import { Davit } from "../support/davit.js";
import { temporaryFolder } from "../support/folder.js";
import { eventually } from "../support/wait.js";

const DAVIT = new URL("../../cli/davit.js", import.meta.url).pathname;
const MANIFEST = `
apiVersion: davit.dev/v1
kind: TaskDefinition
metadata: { name: web }
spec:
  containerDefinitions: [{ name: main, image: web, memory: 16 }]
`;

describe("restoring under a joined machine", function () {
  this.timeout(120_000);
  const outside = temporaryFolder("backup-joined");
  const at = (name: string): string => join(outside.path, name);
  let davit: Davit;
  let agent: ChildProcess | undefined;
  before(async () => {
    davit = await Davit.start("backup-joined", ["--runtime", "simulated", "--bind", "127.0.0.1"]);
  });
  after(async () => {
    if (agent && agent.exitCode === null) {
      agent.kill("SIGTERM");
      await once(agent, "exit");
    }
    await davit?.purge();
    outside.remove();
  });

  const ok = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await davit.cli(...args);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const edge = async (): Promise<ContainerInstance | undefined> =>
    (await davit.list("ContainerInstance")).find(
      ({ spec, status }) => spec.cluster === "edge" && status?.agentConnected,
    );
  const task = async (name: string): Promise<Task | undefined> =>
    (await davit.list("Task")).find(
      ({ metadata, status }) => metadata.name === name && status?.lastStatus === "RUNNING",
    );
  const run = async (): Promise<Task> => {
    const name = (await ok("run", "web", "--cluster", "edge", "-o", "name")).trim().replace("task.davit.dev/", "");
    return eventually("the task runs", () => task(name));
  };

  it("the machine comes back by itself, its task goes on, what the backup does not know of goes; users' tokens are good", async () => {
    const line = (await ok("token", "create", "--cluster", "edge", "--create-cluster")).trim().split(/\s+/).slice(2);
    agent = spawn(
      process.execPath,
      [DAVIT, "join", ...line, "--data-dir", at("agent"), "--machine-id", "edge-1", "--runtime", "simulated"],
      { stdio: "ignore" },
    );
    const before = await eventually("the machine is there", edge);
    writeFileSync(at("web.yaml"), MANIFEST);
    await ok("apply", "-f", at("web.yaml"), "--wait");
    const kept = await run();
    await ok("token", "create", "--role", "viewer", "--write-kubeconfig", at("viewer.yaml"));
    const unused = await ok("token", "create", "--cluster", "edge");
    await ok("backup", at("davit.backup"));
    const refused = await davit.cli("backup", at("viewer.backup"), "--kubeconfig", at("viewer.yaml"));
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /cannot get path "\/davit\/v1\/backup": it holds all keys/);
    const late = await run();

    const ports = davit.state();
    await davit.kill("supervisor", "agent", "server", "nats");
    rmSync(davit.folder, { recursive: true });
    assert.match(await ok("restore", at("davit.backup")), /2 tokens for joining were left out/);
    await davit.up(ports);

    const after = await eventually("the machine is back", async () => {
      const found = await edge();
      return (found?.status?.epoch ?? 0) > (before.status?.epoch ?? 0) && found;
    });
    assert.equal(after.metadata.uid, before.metadata.uid);
    const now = await eventually("its task runs", () => task(kept.metadata.name));
    assert.deepEqual(
      [now.metadata.uid, now.status?.containers?.[0]?.runtimeId, now.status?.startedAt],
      [kept.metadata.uid, kept.status?.containers?.[0]?.runtimeId, kept.status?.startedAt],
    );
    assert.equal(
      (await davit.list("Task")).some(({ metadata }) => metadata.uid === late.metadata.uid),
      false,
    );
    await eventually("the machine uses nothing for what nobody knows of", async () => {
      const { usage } = JSON.parse(
        (
          await davit.kubectl(
            "get",
            "--raw",
            `/apis/davit.dev/v1/namespaces/default/containerinstances/${after.metadata.name}/probe`,
          )
        ).stdout,
      ) as { usage: { task: string }[] };
      return usage.length === 1 && usage[0]?.task === kept.metadata.uid.replaceAll("-", "");
    });

    const viewer = await davit.cli("get", "services", "--kubeconfig", at("viewer.yaml"));
    assert.equal(viewer.code, 0, viewer.stderr);
    const second = await davit.cli(
      "join",
      ...unused.trim().split(/\s+/).slice(2),
      "--data-dir",
      at("other"),
      "--machine-id",
      "edge-2",
      "--runtime",
      "simulated",
    );
    assert.notEqual(second.code, 0);
    assert.match(second.stderr, /token/);
  });
});
