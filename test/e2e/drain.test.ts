// Draining on real Docker: three machines with agents of their own on one Engine, watched through Docker itself.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { LABELS } from "../../agent/runtimes/labels.js";
import type { ContainerInstance } from "../../api/types.gen.js";
import { createHttpClient, type HttpObjectClient } from "../../client/http-client.js";
import { readKubeconfig } from "../../client/kubeconfig.js";
import { execute, type Output } from "../support/davit.js";
import { buildImage, removeImage } from "../support/images.js";
import { type Copies, watchCopies } from "../support/live-copies.js";
import { type Machines, startMachines } from "../support/machines.js";
import { eventually } from "../support/wait.js";

const IMAGE = "davit-test-drain:1";
const manifest = (minimumHealthyPercent: number, maximumPercent: number, desiredCount: number): string => `
apiVersion: davit.dev/v1
kind: TaskDefinition
metadata: { name: web }
spec:
  containerDefinitions:
    - { name: web, image: "${IMAGE}", memory: 16, stopTimeout: 2, portMappings: [{ containerPort: 8080 }] }
---
apiVersion: davit.dev/v1
kind: Service
metadata: { name: web }
spec:
  taskDefinition: web
  desiredCount: ${desiredCount}
  placementStrategy: [{ type: spread, field: instanceId }]
  deploymentConfiguration: { minHealthySeconds: 1, minimumHealthyPercent: ${minimumHealthyPercent}, maximumPercent: ${maximumPercent} }
`;

describe("draining machines with real containers", function () {
  this.timeout(240_000);
  let lan: Machines;
  let api: HttpObjectClient;

  before(async () => {
    // Stops at once when it is told to, and so makes the most of what the floor allows.
    await buildImage(IMAGE, { command: ["sh", "-c", "trap 'exit 0' TERM; httpd -f -p 8080 -h /www & wait"] });
    lan = await startMachines(["first", "second", "third"]);
    await davit(`up --bind ${lan.machine("first").address} --detach`);
    const { connection } = await readKubeconfig({ path: join(lan.machine("first").lib, "davit/kubeconfig") });
    api = createHttpClient({ connection });
    for (const name of ["second", "third"]) {
      const { stdout } = await davit("token create");
      const share = "--cpu 1024 --memory 512 --ports 20000-60999";
      const joined = await lan.machine(name).run(`${stdout.trim()} ${share} --detach`);
      assert.equal(joined.code, 0, joined.stderr);
    }
    await eventually(
      "three machines are there",
      async () => (await instances()).filter(({ status }) => status?.agentConnected).length === 3,
    );
    await apply(50, 150);
  });
  after(async () => {
    api?.close();
    await lan?.remove();
    await removeImage(IMAGE);
  });

  /** Typed on the first machine. */
  async function davit(line: string): Promise<Output> {
    const output = await lan.machine("first").run(`davit ${line}`);
    assert.equal(output.code, 0, `davit ${line}: ${output.stdout}${output.stderr}`);
    return output;
  }
  async function apply(minimumHealthyPercent: number, maximumPercent: number, desiredCount = 6): Promise<void> {
    const path = join(lan.machine("first").lib, "web.yaml");
    writeFileSync(path, manifest(minimumHealthyPercent, maximumPercent, desiredCount));
    await davit(`apply -f ${path} --wait`);
  }
  const instances = async (): Promise<readonly ContainerInstance[]> => (await api.list("ContainerInstance")).items;
  async function instanceOn(machine: string): Promise<ContainerInstance> {
    const found = (await instances()).find(({ status }) => status?.hostname === machine);
    assert.ok(found, machine);
    return found;
  }

  /** Ids of containers, as Docker has them. */
  async function runningOn(machine: string): Promise<string[]> {
    const { metadata } = await instanceOn(machine);
    const { stdout } = await execute("docker", ["ps", "-q", "--filter", `label=${LABELS.agent}=${metadata.name}`]);
    return stdout.split("\n").filter(Boolean).sort();
  }

  /** Looks on, until the function it gives is called: tells what was seen, and holds it against what must never be. */
  async function watching(): Promise<() => Promise<Copies>> {
    const watch = await watchCopies(new Set((await instances()).map(({ metadata }) => metadata.name)), "web");
    return async () => {
      const copies = await watch.stop();
      console.log(`      ${copies.text}`);
      assert.deepEqual(copies.doubles, []);
      assert.ok(copies.samples >= copies.forMs / 100, copies.text);
      return copies;
    };
  }

  it("[04-27] a service of six at 50/150 leaves a machine: never fewer than three containers, never more than nine, and the machine ends empty", async () => {
    assert.equal((await runningOn("second")).length, 2, "its share of six");
    const watch = await watching();
    await davit("drain second --wait --timeout 60s");
    assert.deepEqual(await runningOn("second"), [], "as Docker has it");
    assert.equal((await instanceOn("second")).status?.status, "DRAINING");
    await davit("uncordon second");
    await eventually("ACTIVE", async () => (await instanceOn("second")).status?.status === "ACTIVE");
    const copies = await watch();
    assert.ok(copies.fewest >= 3 && copies.most <= 9, copies.text);
  });

  it("two machines at once have one floor between them", async () => {
    // What has moved stays where it is: only new tasks are spread over all machines again.
    await apply(50, 150, 0);
    await apply(50, 150);
    assert.equal((await runningOn("second")).length + (await runningOn("third")).length, 4);
    const watch = await watching();
    await davit("drain second third --wait --timeout 60s");
    const copies = await watch();
    assert.deepEqual([await runningOn("second"), await runningOn("third")], [[], []]);
    assert.ok(copies.fewest >= 3 && copies.most <= 9, copies.text);
    await davit("uncordon second third");
  });

  it("at 100/100 nothing is given up: the drain says Blocked with both numbers, and ends when the percents allow it", async () => {
    await apply(50, 150, 0);
    await apply(100, 100);
    const before = await runningOn("third");
    assert.ok(before.length > 0);
    const { code, stderr } = await lan.machine("first").run("davit drain third --wait --timeout 3s");
    assert.equal(code, 1);
    assert.match(stderr, /minimumHealthyPercent 100 and maximumPercent 100 leave no move: floor 6, ceiling 6/);
    assert.deepEqual(await runningOn("third"), before);
    const watch = await watching();
    await apply(100, 150);
    await davit("drain third --wait --timeout 60s");
    const copies = await watch();
    assert.deepEqual(await runningOn("third"), []);
    assert.ok(copies.fewest >= 6 && copies.most <= 9, copies.text);
  });
});
