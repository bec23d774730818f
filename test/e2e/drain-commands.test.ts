// `davit drain` and `davit uncordon`, and the same through kubectl, against a whole Davit on simulated machines.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { getCondition } from "../../api/conditions.js";
import type { ContainerInstance } from "../../api/types.gen.js";
import { Davit } from "../support/davit.js";
import { eventually } from "../support/wait.js";

const DAVIT = new URL("../../cli/davit.js", import.meta.url).pathname;
const manifest = (maximumPercent: number, desiredCount: number): string => `apiVersion: davit.dev/v1
kind: TaskDefinition
metadata: { name: web }
spec: { containerDefinitions: [{ name: main, image: any, memory: 64 }] }
---
apiVersion: davit.dev/v1
kind: Service
metadata: { name: web }
spec:
  taskDefinition: web
  desiredCount: ${desiredCount}
  deploymentConfiguration: { minHealthySeconds: 0, minimumHealthyPercent: 100, maximumPercent: ${maximumPercent} }
`;

describe("draining by command", function () {
  this.timeout(120_000);
  let davit: Davit;
  before(async () => {
    davit = await Davit.start("drain", ["--runtime", "simulated", "--instances", "3"]);
    await eventually("the machines are there", async () => (await davit.list("ContainerInstance")).length === 3);
    await apply(150);
  });
  after(() => davit?.purge());
  afterEach(async () => {
    await davit.cli("uncordon", "vm-1", "vm-2");
    // What has moved stays where it is: only new tasks are spread over all machines again.
    await apply(150, 0);
    await apply(150);
  });

  async function apply(maximumPercent: number, desiredCount = 6): Promise<void> {
    const path = join(davit.folder, "web.yaml");
    writeFileSync(path, manifest(maximumPercent, desiredCount));
    const { code, stderr } = await davit.cli("apply", "-f", path, "--wait");
    assert.equal(code, 0, stderr);
  }
  const machine = async (host: string): Promise<ContainerInstance> => {
    const found = (await davit.list("ContainerInstance")).find(({ status }) => status?.hostname === host);
    assert.ok(found, host);
    return found;
  };
  const tasksOn = async ({ metadata }: ContainerInstance): Promise<number> =>
    (await davit.list("Task")).filter(
      ({ spec, status }) => spec.containerInstance === metadata.name && status?.lastStatus !== "STOPPED",
    ).length;
  const BLOCKED =
    /vm-1: Blocked: service web \(\d tasks?\): minimumHealthyPercent 100 and maximumPercent 100 leave no move: floor 6, ceiling 6\./;

  it("drain --wait says what waits for what, ends when nothing is left; uncordon takes tasks again", async () => {
    const { code, stdout, stderr } = await davit.cli("drain", "vm-1", "vm-2", "--wait");
    assert.equal(code, 0, stderr);
    assert.match(stdout, /\(vm-1\) is draining\n.*\(vm-2\) is draining\n/);
    assert.equal([...stdout.matchAll(/ is drained$/gm)].length, 2, stdout);
    for (const host of ["vm-1", "vm-2"]) {
      assert.equal((await machine(host)).status?.status, "DRAINING");
      assert.equal(await tasksOn(await machine(host)), 0);
    }
    assert.match((await davit.cli("status")).stdout, /vm-1 drains: Empty: No task is left\./);
    const back = await davit.cli("uncordon", "vm-1");
    assert.match(back.stdout, /^containerinstance\.davit\.dev\/[0-9a-f]{32} \(vm-1\) is to be ACTIVE$/m);
    await eventually("ACTIVE", async () => (await machine("vm-1")).status?.status === "ACTIVE");
    await eventually(
      "its condition has gone with it",
      async () => getCondition((await machine("vm-1")).status?.conditions, "Drained") === undefined,
    );
  });

  it("a blocked drain says so at once, with both numbers; --timeout ends the waiting with exit code 1, not the drain", async () => {
    await apply(100);
    const { code, stderr } = await davit.cli("drain", "vm-1", "--wait", "--timeout", "3s");
    assert.equal(code, 1);
    assert.match(stderr, BLOCKED);
    assert.match(stderr, /davit: not drained after 3 s:\n.*\nThe drain goes on; `davit uncordon` takes it back\./);
    assert.equal([...stderr.matchAll(/^vm-1: Blocked/gm)].length, 2, `said once, and once at the end: ${stderr}`);
    assert.equal((await machine("vm-1")).status?.status, "DRAINING");
    const described = (await davit.cli("describe", "instance", "vm-1")).stdout;
    assert.match(described, /^Drain:\n {2}Blocked: service web/m);
    assert.match(described, /^ {2}web +2 +0 +0 +replaced at 5 min$/m);
    assert.match((await davit.cli("status")).stdout, /vm-1 drains: Blocked: service web/);
    assert.match(
      (await davit.cli("describe", "service", "web")).stdout,
      /was unable to leave \(instance [0-9a-f]{32}\)/,
    );
  });

  it("Ctrl-C ends the waiting likewise", async () => {
    await apply(100);
    const child = spawn(process.execPath, [DAVIT, "drain", "vm-1", "--wait", "--data-dir", davit.folder], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    await eventually("it waits", () => BLOCKED.test(said));
    child.kill("SIGINT");
    const [code] = (await once(child, "exit")) as [number | null];
    assert.equal(code, 130);
    assert.match(said, /davit: still waits for:\nvm-1: Blocked: .*\nThe drain goes on/);
    assert.equal((await machine("vm-1")).spec.status, "DRAINING");
  });

  it("kubectl does the same: patched to DRAINING and back, and wait follows the condition", async () => {
    const { metadata } = await machine("vm-1");
    const patch = (spec: object) =>
      davit.kubectl("patch", "dci", metadata.name, "--type", "merge", "-p", JSON.stringify({ spec }));
    assert.equal((await patch({ status: "DRAINING" })).code, 0);
    const waited = await davit.kubectl("wait", `dci/${metadata.name}`, "--for=condition=Drained", "--timeout=60s");
    assert.equal(waited.code, 0, waited.stderr);
    assert.equal(await tasksOn(await machine("vm-1")), 0);
    assert.equal((await patch({ status: "ACTIVE" })).code, 0);
    await eventually("ACTIVE", async () => (await machine("vm-1")).status?.status === "ACTIVE");
    await patch({ drainAt: new Date(Date.now() + 1_000).toISOString() });
    const again = await davit.kubectl("wait", `dci/${metadata.name}`, "--for=condition=Drained", "--timeout=60s");
    assert.equal(again.code, 0, again.stderr);
  });

  it("--at names the time; it comes while --wait waits, and uncordon before it takes it back", async () => {
    const far = await davit.cli("drain", "vm-2", "--at", "+2h");
    assert.match(far.stdout, /\(vm-2\) drains at \d{4}-\d\d-\d\dT/);
    assert.match((await davit.cli("status")).stdout, /vm-2 +ACTIVE, drains at /);
    await davit.cli("uncordon", "vm-2");
    assert.equal((await machine("vm-2")).spec.drainAt, undefined);
    const soon = await davit.cli("drain", "vm-1", "--at", "+2s", "--wait");
    assert.equal(soon.code, 0, soon.stderr);
    assert.match(soon.stderr, /^vm-1: drains at /m);
    assert.match(soon.stdout, /is drained$/m);
  });

  it("what is named wrongly changes nothing and gets one sentence", async () => {
    const unknown = await davit.cli("drain", "vm-1", "nowhere");
    assert.deepEqual([unknown.code, unknown.stdout], [1, ""]);
    assert.match(unknown.stderr, /there is no containerinstance "nowhere"/);
    assert.match((await davit.cli("drain", "vm-")).stderr, /fits 3 containerinstances/);
    assert.equal((await davit.cli("drain", "vm-1", "--at", "2020-01-01T00:00:00Z")).code, 2);
    assert.equal((await machine("vm-1")).spec.status, "ACTIVE");
  });
});
