// `davit top` and `davit doctor` on a whole Davit with a real container.
import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Finding } from "../../cli/doctor/facts.js";
import type { Report } from "../../cli/top/report.js";
import { Davit } from "../support/davit.js";
import { buildImage, removeImage } from "../support/images.js";
import { eventually } from "../support/wait.js";

const IMAGE = "davit-test-operations:1";
const MANIFEST = `
apiVersion: davit.dev/v1
kind: TaskDefinition
metadata: { name: busy }
spec:
  containerDefinitions:
    - name: main
      image: ${IMAGE}
      cpu: 64
      memoryReservation: 16
      memory: 32
      stopTimeout: 1
      command: [sh, -c, "while :; do :; done"]
---
apiVersion: davit.dev/v1
kind: Service
metadata: { name: busy }
spec: { taskDefinition: busy, desiredCount: 1, deploymentConfiguration: { minHealthySeconds: 1 } }
`;

describe("looking after a Davit", function () {
  this.timeout(180_000);
  let davit: Davit;
  before(async () => {
    await buildImage(IMAGE);
    davit = await Davit.start("operations");
    writeFileSync(join(davit.folder, "all.yaml"), MANIFEST);
    const { code, stderr } = await davit.cli("apply", "-f", join(davit.folder, "all.yaml"), "--wait");
    assert.equal(code, 0, stderr);
  });
  after(async () => {
    await davit?.purge();
    await removeImage(IMAGE);
  });

  const top = async (what: string): Promise<Report> => {
    const { code, stdout, stderr } = await davit.cli("top", what, "-o", "json");
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout) as Report;
  };
  const doctor = async (): Promise<{ code: number; findings: Finding[] }> => {
    const { code, stdout, stderr } = await davit.cli("doctor", "-o", "json");
    assert.notEqual(stdout, "", stderr);
    return { code, findings: (JSON.parse(stdout) as { findings: Finding[] }).findings };
  };
  const problems = async (): Promise<string[]> =>
    (await doctor()).findings.filter(({ severity }) => severity === "problem").map(({ what }) => what);

  it("top shows what the container really uses, of its task, its service, its machine and the cluster", async () => {
    const [task] = (await top("tasks")).tasks;
    assert.deepEqual([task?.reserved, task?.group], [{ cpuUnits: 64, memoryMiB: 16, gpus: 0 }, "service:busy"]);
    const [service] = (
      await eventually("the container is seen at work", async () => {
        const report = await top("services");
        return (report.services[0]?.used?.cpuUnits ?? 0) > 64 && report;
      })
    ).services;
    assert.ok((service?.cpuUtilization ?? 0) > 100, "idle CPU is everybody's");
    assert.ok((service?.used?.memoryMiB ?? 0) > 0);
    const { instances, silent } = await top("instances");
    assert.equal(instances[0]?.reserved.cpuUnits, 64);
    assert.deepEqual(silent, []);
    const [cluster] = (await top("clusters")).clusters;
    assert.equal(cluster?.cpuReservation, (100 * 64) / (cluster?.registered.cpuUnits ?? 0));
    assert.ok((cluster?.cpuUtilization ?? 0) > 0);
    const { stdout } = await davit.cli("top");
    assert.match(
      stdout,
      /^CLUSTER +MACHINES +TASKS +CPU RESERVED +CPU USED +MEMORY RESERVED +MEMORY USED\ndefault +1 +1 /,
    );
    const none = await davit.cli("top", "--cluster", "none");
    assert.deepEqual([none.code, none.stdout], [1, ""]);
    assert.match(none.stderr, /cluster none has no machine that is ACTIVE or DRAINING/);
  });

  it("doctor finds a healthy Davit healthy, on a short page", async () => {
    const { code, stdout } = await davit.cli("doctor");
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^Davit at https:\/\/\S+: 1 machine, 1 service, 1 running task\. Nothing is wrong\.\n/);
    assert.ok(stdout.trim().split("\n").length <= 5, stdout);
  });

  it("doctor sees rights that are too wide, and that its remedy mends them", async () => {
    const keys = [join(davit.folder, "pki/ca.key"), join(davit.folder, "kubeconfig")];
    for (const file of keys) chmodSync(file, 0o644);
    const { code, findings } = await doctor();
    assert.equal(code, 1);
    const found = findings.find(({ check }) => check === "rights");
    const [, files = ""] = /^`chmod 600 (.*)`$/.exec(found?.remedy ?? "") ?? [];
    assert.deepEqual(files.split(" ").sort(), keys.sort());
    for (const file of files.split(" ")) chmodSync(file, 0o600);
    assert.equal((await doctor()).code, 0);
  });

  it("doctor sees an agent fall silent, counts down, and sees it come back; top names it", async () => {
    const pid = davit.pid("agent");
    process.kill(pid, "SIGSTOP");
    try {
      const silent = await eventually(
        "the silence is noticed",
        async () =>
          (await problems()).find((what) =>
            / has been silent for \d+ s; its 1 task will be replaced at 5 min, in \d+ (s|min)\.$/.test(what),
          ),
        30_000,
      );
      assert.ok(silent);
      const { stderr } = await davit.cli("top");
      assert.match(stderr, /No answer from .*, so its use is not counted: its agent is not connected/);
    } finally {
      process.kill(pid, "SIGCONT");
    }
    await eventually("it is healthy again", async () => (await doctor()).code === 0, 30_000);
  });

  it("doctor says that nats-server is gone, and that the API is", async () => {
    const pid = davit.pid("nats");
    process.kill(pid, "SIGSTOP");
    try {
      await eventually(
        "the bus is missed",
        async () => (await problems()).some((what) => what.startsWith("The server is not connected to the bus")),
        60_000,
      );
    } finally {
      process.kill(pid, "SIGCONT");
    }
    await davit.down();
    const { code, stdout } = await davit.cli("doctor");
    assert.equal(code, 1);
    assert.match(stdout, /✗ The API is out of reach: .*ECONNREFUSED.*\n {4}→ Start it with `davit up`\./);
    await davit.up();
  });
});
