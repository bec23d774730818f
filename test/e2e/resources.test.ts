// What a machine offers and what its tasks hold of it, on a whole Davit with two simulated machines.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ContainerInstance, Resource } from "../../api/types.gen.js";
import { Davit } from "../support/davit.js";
import { eventually } from "../support/wait.js";

const MACHINE_MIB = 4096;
const definition = (name: string, memoryMiB: number): string =>
  `---\napiVersion: davit.dev/v1\nkind: TaskDefinition\nmetadata: { name: ${name} }\nspec:\n  containerDefinitions:\n    - { name: main, image: "any:1", cpu: 100, memory: ${memoryMiB} }\n`;
const memoryOf = (resources: readonly Resource[] | undefined): number | undefined =>
  resources?.find(({ name }) => name === "MEMORY")?.integerValue;

describe("a machine's resources", function () {
  this.timeout(60_000);
  let davit: Davit;
  const machines = (): Promise<ContainerInstance[]> => davit.list("ContainerInstance");
  before(async () => {
    davit = await Davit.start("resources", ["--runtime", "simulated", "--instances", "2"], {
      DAVIT_SIMULATED: JSON.stringify({ memoryMiB: MACHINE_MIB }),
    });
    const file = join(davit.folder, "all.yaml");
    writeFileSync(file, definition("small", 512) + definition("large", 8192));
    const { code, stderr } = await davit.cli("apply", "-f", file);
    assert.equal(code, 0, stderr);
    await eventually("both machines are there", async () => {
      const active = (await machines()).filter(({ status }) => status?.status === "ACTIVE");
      return active.length === 2;
    });
  });
  after(() => davit?.purge());

  it("[09-15] an idle machine has all that it registered", async () => {
    for (const { status } of await machines()) {
      assert.equal(memoryOf(status?.registeredResources), MACHINE_MIB);
      assert.deepEqual(status?.remainingResources, status?.registeredResources);
    }
  });

  it("[04-38] a task of more memory than any machine has finds no place", async () => {
    const { code, stderr } = await davit.cli("run", "large");
    assert.notEqual(code, 0);
    assert.match(stderr, /RESOURCE:MEMORY|insufficient memory/i);
    for (const { status } of await machines())
      assert.deepEqual(status?.remainingResources, status?.registeredResources);
  });

  it("[04-39] a placed task takes its memory from what remains, not from what is registered", async () => {
    const { code, stdout, stderr } = await davit.cli("run", "small", "-o", "name");
    assert.equal(code, 0, stderr);
    const name = stdout.trim().split("/").at(-1) ?? "";
    const holder = await eventually("a machine holds it", async () =>
      (await machines()).find(({ status }) => memoryOf(status?.remainingResources) === MACHINE_MIB - 512),
    );
    assert.equal(memoryOf(holder.status?.registeredResources), MACHINE_MIB);
    const task = (await davit.list("Task")).find(({ metadata }) => metadata.name === name);
    assert.equal(task?.spec.containerInstance, holder.metadata.name);
    await davit.cli("stop", name);
    await eventually("it gives it back", async () =>
      (await machines()).every(({ status }) => memoryOf(status?.remainingResources) === MACHINE_MIB),
    );
  });
});
