// What a newcomer does in the first hour, where it is easy to be told half the truth.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Davit } from "../support/davit.js";
import { eventually } from "../support/wait.js";

const DAVIT = new URL("../../cli/davit.js", import.meta.url).pathname;
const definition = (memory: number): string => `apiVersion: davit.dev/v1
kind: TaskDefinition
metadata: { name: web }
spec: { containerDefinitions: [{ name: main, image: any, memory: ${memory} }] }
`;
const SERVICE = `apiVersion: davit.dev/v1
kind: Service
metadata: { name: web }
spec: { taskDefinition: web, desiredCount: 2, deploymentConfiguration: { minHealthySeconds: 0 } }
`;

describe("the first hour, on a simulated machine", function () {
  this.timeout(120_000);
  let davit: Davit;
  before(async () => {
    davit = await Davit.start("first-hour", ["--runtime", "simulated"]);
    await eventually("the machine is there", async () => (await davit.list("ContainerInstance")).length === 1);
  });
  after(() => davit?.purge());

  const write = (name: string, text: string): string => {
    const path = join(davit.folder, name);
    writeFileSync(path, text);
    return path;
  };
  async function ok(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await davit.cli(...args);
    assert.equal(code, 0, `davit ${args.join(" ")}: ${stdout}${stderr}`);
    return stdout;
  }

  it("apply of a definition alone, then rollout status: waits for the revision that was just applied", async () => {
    await ok("apply", "-f", write("web.yaml", `${definition(16)}---\n${SERVICE}`), "--wait");
    for (const revision of [2, 3, 4]) {
      await ok("apply", "-f", write("web.yaml", definition(16 + revision)));
      assert.match(await ok("rollout", "status", "service/web"), new RegExp(`of web:${revision} run`));
    }
    await ok("apply", "-f", write("web.yaml", `${definition(64)}---\n${SERVICE}`), "--wait");
    const [service] = await davit.list("Service");
    assert.equal(service?.status?.taskDefinition, "web:5");
  });

  it("apply --wait of a task that has stopped says at once how it ended", async () => {
    const file = write(
      "task.yaml",
      "apiVersion: davit.dev/v1\nkind: Task\nmetadata: { name: once }\nspec: { taskDefinition: web }\n",
    );
    await ok("apply", "-f", file, "--wait");
    await ok("stop", "once", "--reason", "seen enough", "--wait");
    const { code, stderr } = await davit.cli("apply", "-f", file, "--wait", "--timeout", "60");
    assert.equal(code, 1);
    assert.match(stderr, /task once has failed: seen enough/);
  });

  it("run -o json: what it started, also what has failed meanwhile", async () => {
    const { items } = JSON.parse(await ok("run", "web", "--count", "2", "--wait", "running", "-o", "json")) as {
      items: { status: { lastStatus: string } }[];
    };
    assert.deepEqual(
      items.map(({ status }) => status.lastStatus),
      ["RUNNING", "RUNNING"],
    );
    assert.match(await ok("run", "web", "-o", "name"), /^task\.davit\.dev\/web-[0-9a-f]{8}\n$/);
  });

  it("a namespace is applied, waited for and deleted like everything else", async () => {
    const file = write("namespace.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: { name: prod }\n");
    assert.equal(await ok("apply", "-f", file, "--wait", "--timeout", "20"), "namespace/prod created\n");
    assert.equal(await ok("apply", "-f", file), "namespace/prod unchanged\n");
    assert.match(await ok("apply", "-n", "prod", "-f", write("prod.yaml", definition(16))), /web created/);
    await ok("delete", "-f", file);
  });

  it("delete -f: what is not there, or broken, keeps nothing else from being deleted", async () => {
    const other = definition(16).replace("name: web", "name: other");
    await ok("apply", "-f", write("other.yaml", other));
    const missing = definition(16).replace("name: web", "name: missing");
    const file = write("other.yaml", `${other}---\n${missing}---\nkind: Nonsense\n`);
    const { code, stdout, stderr } = await davit.cli("delete", "-f", file);
    assert.deepEqual([code, stdout], [1, "taskdefinition.davit.dev/other deleted\n"], stderr);
    assert.match(stderr, /document 3.*there is no kind "Nonsense"/);
    assert.match(stderr, /there is no TaskDefinition missing in namespace default/);
  });

  for (const kind of ["TaskDefinition", "Service", "Task"])
    it(`the skeleton of a ${kind} applies as it stands, and with every field taken in`, async () => {
      const text = await ok("skeleton", kind);
      for (const each of [text, text.replace(/^( *)# /gm, "$1")]) {
        await ok("apply", "-f", write("skeleton.yaml", each));
        await ok("delete", "-f", join(davit.folder, "skeleton.yaml"));
      }
    });

  it("an empty list prints nothing, and says so to people", async () => {
    const { code, stdout, stderr } = await davit.cli("get", "tasks", "-n", "elsewhere");
    assert.deepEqual([code, stdout, stderr], [0, "", "No tasks in namespace elsewhere.\n"]);
  });

  it("a reader that has seen enough ends any command quietly", async () => {
    const child = spawn(process.execPath, [DAVIT, "--help"], { stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.destroy();
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    const [code] = (await once(child, "close")) as [number];
    assert.deepEqual([code, said], [0, ""]);
  });
});
