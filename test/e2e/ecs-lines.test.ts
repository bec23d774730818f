// Lines of the specification that only a whole Davit with real containers can prove.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Task } from "../../api/types.gen.js";
import { Davit, execute } from "../support/davit.js";
import { buildImage, removeImage } from "../support/images.js";
import { eventually } from "../support/wait.js";

const IMAGE = "davit-test-lines:1";
const container = (name: string, script: string, more = ""): string =>
  `    - { name: ${name}, image: "${IMAGE}", memory: 16, stopTimeout: 2, command: [sh, -c, ${JSON.stringify(script)}]${more} }\n`;
const definition = (name: string, ...containers: string[]): string =>
  `---\napiVersion: davit.dev/v1\nkind: TaskDefinition\nmetadata: { name: ${name} }\nspec:\n  containerDefinitions:\n${containers.join("")}`;
const FOREVER = "trap 'exit 0' TERM; sleep 100000 & wait";

describe("a whole Davit, line by line", function () {
  this.timeout(120_000);
  let davit: Davit;
  before(async () => {
    await buildImage(IMAGE);
    davit = await Davit.start("lines");
    const file = join(davit.folder, "all.yaml");
    writeFileSync(
      file,
      definition("pair", container("one", FOREVER), container("two", FOREVER)) +
        definition("ends", container("main", "sleep 1; exit 0"), container("side", FOREVER)),
    );
    const { code, stderr } = await davit.cli("apply", "-f", file);
    assert.equal(code, 0, stderr);
  });
  after(async () => {
    await davit?.purge();
    await removeImage(IMAGE);
  });

  /** Runs one task of a family and waits for a state. */
  async function run(family: string, state: string): Promise<Task> {
    const { code, stdout, stderr } = await davit.cli("run", family, "-o", "name");
    assert.equal(code, 0, stderr);
    const name = stdout.trim().split("/").at(-1);
    return eventually(`${name} is ${state}`, async () =>
      (await davit.list("Task")).find(({ metadata, status }) => metadata.name === name && status?.lastStatus === state),
    );
  }
  const inspect = async (
    id: string | undefined,
  ): Promise<{ HostConfig: { NetworkMode: string }; State: { Running: boolean } }> =>
    JSON.parse((await execute("docker", ["inspect", id ?? ""])).stdout)[0];

  it("[01-4] a cluster is made empty, and is there with no instances", async () => {
    const file = join(davit.folder, "empty.yaml");
    writeFileSync(file, "apiVersion: davit.dev/v1\nkind: Cluster\nmetadata: { name: empty }\n");
    assert.equal((await davit.cli("apply", "-f", file)).code, 0);
    const cluster = await eventually("it has a status", async () =>
      (await davit.list("Cluster")).find(({ metadata, status }) => metadata.name === "empty" && status?.status),
    );
    assert.equal(cluster.status?.status, "ACTIVE");
    assert.equal(cluster.status?.registeredContainerInstancesCount, 0);
    assert.ok(!(await davit.list("ContainerInstance")).some(({ spec }) => spec.cluster === "empty"));
  });

  it("[01-31] [01-32] [02-4] the containers of a task share its machine, and without networkMode the bridge", async () => {
    const task = await run("pair", "RUNNING");
    const containers = task.status?.containers ?? [];
    assert.deepEqual(containers.map(({ name }) => name).sort(), ["one", "two"]);
    assert.ok(task.spec.containerInstance);
    for (const { runtimeId } of containers) {
      const { HostConfig, State } = await inspect(runtimeId);
      assert.equal(State.Running, true, "on this machine's engine");
      assert.ok(["bridge", "default"].includes(HostConfig.NetworkMode), HostConfig.NetworkMode);
    }
    await davit.cli("stop", task.metadata.name);
  });

  it("[09-1] a command that names no cluster acts on default", async () => {
    const task = await run("pair", "RUNNING");
    assert.match(task.status?.clusterArn ?? "", /:cluster\/default$/);
    await davit.cli("stop", task.metadata.name);
  });

  it("[02-22] [09-30] an essential container that exits, even with 0, stops the others, and the reason says so", async () => {
    const task = await run("ends", "STOPPED");
    assert.equal(task.status?.stoppedReason, "Essential container in task exited");
    assert.equal(task.status?.stopCode, "EssentialContainerExited");
    const [main, side] = ["main", "side"].map((name) => task.status?.containers?.find((one) => one.name === name));
    assert.equal(main?.exitCode, 0);
    assert.equal(side?.lastStatus, "STOPPED");
    const left = await execute("docker", ["ps", "-q", "--no-trunc"]);
    assert.ok(side?.runtimeId && !left.stdout.includes(side.runtimeId), "it does not run any more");
  });
});
