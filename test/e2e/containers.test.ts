// A whole Davit with real containers: what a user sees of them, and what stays when Davit goes.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { Davit, execute } from "../support/davit.js";
import { buildImage, page, removeImage } from "../support/images.js";
import { eventually } from "../support/wait.js";

const DAVIT = new URL("../../cli/davit.js", import.meta.url).pathname;
const IMAGE = "davit-test-containers:1";
const MANIFEST = `
apiVersion: davit.dev/v1
kind: TaskDefinition
metadata: { name: web }
spec:
  containerDefinitions:
    - name: main
      image: ${IMAGE}
      memory: 16
      stopTimeout: 2
      portMappings: [{ containerPort: 8080 }]
      command: [sh, -c, "echo begins; httpd -f -p 8080 -h /www & trap 'kill $!' TERM; wait"]
---
apiVersion: davit.dev/v1
kind: Service
metadata: { name: web }
spec: { taskDefinition: web, desiredCount: 2, deploymentConfiguration: { minHealthySeconds: 1 } }
---
apiVersion: davit.dev/v1
kind: TaskDefinition
metadata: { name: batch }
spec:
  containerDefinitions:
    - { name: main, image: "${IMAGE}", memory: 16, command: [sh, -c, "echo one; echo two >&2; exit $CODE"], environment: [{ name: CODE, value: "0" }] }
`;

describe("real containers", function () {
  this.timeout(180_000);
  let davit: Davit;
  before(async () => {
    await buildImage(IMAGE);
    davit = await Davit.start("containers");
    writeFileSync(join(davit.folder, "all.yaml"), MANIFEST);
    const { code, stderr } = await davit.cli("apply", "-f", join(davit.folder, "all.yaml"), "--wait");
    assert.equal(code, 0, stderr);
  });
  after(async () => {
    await davit?.purge();
    await removeImage(IMAGE);
  });

  const running = async () =>
    (await davit.list("Task")).filter(
      ({ metadata, status }) => metadata.labels?.["davit.dev/service"] === "web" && status?.lastStatus === "RUNNING",
    );
  const ids = async () => (await running()).map(({ status }) => status?.containers?.[0]?.runtimeId).sort();

  it("each task serves its page on the port that get tasks shows", async () => {
    const tasks = await running();
    assert.equal(tasks.length, 2);
    for (const { status } of tasks) {
      const port = status?.containers?.[0]?.networkBindings?.[0]?.hostPort;
      assert.match(status?.ports ?? "", new RegExp(`:${port}→8080/tcp`));
      assert.equal(await fetchPage(`http://127.0.0.1:${port}/`), page(IMAGE));
    }
  });

  it("logs of a task and of a service, to the end or followed", async () => {
    const { stdout } = await davit.cli("logs", "service/web");
    assert.equal(stdout.match(/^web-\S+\/main begins$/gm)?.length, 2, stdout);
    const done = await davit.cli("run", "batch", "--wait", "-o", "name");
    assert.equal(done.code, 0, done.stderr);
    const name = done.stdout.trim().replace("task.davit.dev/", "");
    const lines = (await davit.cli("logs", `task/${name}`)).stdout.trim().split("\n").sort();
    assert.deepEqual(lines, ["one", "two"]);
    const following = spawn(process.execPath, [DAVIT, "logs", "service/web", "-f"], {
      env: { ...process.env, DAVIT_DATA_DIR: davit.folder },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let seen = "";
    following.stdout.on("data", (chunk: Buffer) => {
      seen += chunk.toString();
    });
    try {
      await eventually("what was said before", () => seen.match(/begins/g)?.length === 2);
      const [victim] = await running();
      await davit.cli("stop", victim?.metadata.name ?? "");
      await eventually("the new task's words", () => seen.match(/begins/g)?.length === 3, 30_000);
    } finally {
      following.kill();
    }
    await eventually("two again", async () => (await running()).length === 2, 30_000);
  });

  it("run --wait answers with the exit code of what failed", async () => {
    writeFileSync(
      join(davit.folder, "failing.yaml"),
      MANIFEST.split("---\n").slice(2).join("").replace('"0"', '"3"').replace("batch", "failing"),
    );
    assert.equal((await davit.cli("apply", "-f", join(davit.folder, "failing.yaml"), "--wait")).code, 0);
    const { code, stderr } = await davit.cli("run", "failing", "--wait");
    assert.equal(code, 1);
    assert.match(stderr, /1 of 1 tasks failed:\n +failing-\S+: .*\(main: exit code 3\)/);
  });

  it("down leaves the containers and says so; up takes them over", async () => {
    const before = await ids();
    const { stdout } = await davit.cli("down");
    assert.match(stdout, /2 containers of it keep running: /);
    for (const id of before)
      assert.equal((await execute("docker", ["inspect", "-f", "{{.State.Running}}", id ?? ""])).stdout.trim(), "true");
    await davit.up();
    await eventually(
      "connected again",
      async () => (await davit.list("ContainerInstance"))[0]?.status?.agentConnected === true,
    );
    assert.deepEqual(await ids(), before);
  });

  it("down --purge removes its containers", async () => {
    const [instance] = await davit.list("ContainerInstance");
    const filter = `label=davit.dev/agent=${instance?.metadata.name}`;
    assert.equal((await execute("docker", ["ps", "-q", "--filter", filter])).stdout.trim().split("\n").length, 2);
    const { code, stdout } = await davit.cli("down", "--purge");
    assert.equal(code, 0);
    assert.match(stdout, /containers and .* are removed/);
    assert.equal((await execute("docker", ["ps", "-aq", "--filter", filter])).stdout.trim(), "");
  });
});

function fetchPage(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.once("end", () => resolve(text));
    }).once("error", reject);
  });
}
