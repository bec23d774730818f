// Clusters and tags on the command line, as docs/clusters-and-tags.md has them.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Davit } from "../support/davit.js";
import { eventually } from "../support/wait.js";

const MANIFEST = `apiVersion: davit.dev/v1
kind: Cluster
metadata: { name: staging }
spec:
  tags: [{ key: env, value: staging }]
  stoppedTaskRetention: { perTaskSet: 2, perCluster: 100 }
---
apiVersion: davit.dev/v1
kind: TaskDefinition
metadata: { name: report }
spec:
  tags: [{ key: team, value: blue }, { key: kind, value: batch }]
  containerDefinitions: [{ name: main, image: any, memory: 64 }]
---
apiVersion: davit.dev/v1
kind: Service
metadata: { name: web.staging }
spec: { serviceName: web, cluster: staging, taskDefinition: report, desiredCount: 1 }
`;

describe("clusters and tags on the command line", function () {
  this.timeout(120_000);
  let davit: Davit;
  before(async () => {
    davit = await Davit.start("clusters", ["--runtime", "simulated", "--instances", "1"]);
    await eventually("the machine is there", async () => (await davit.list("ContainerInstance")).length === 1);
    writeFileSync(join(davit.folder, "all.yaml"), MANIFEST);
    await ok("apply", "-f", join(davit.folder, "all.yaml"));
  });
  after(() => davit?.purge());

  const ok = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await davit.cli(...args);
    assert.equal(code, 0, `davit ${args.join(" ")}: ${stdout}${stderr}`);
    return stdout;
  };
  const names = async (...args: string[]): Promise<string[]> =>
    (await ok("get", ...args, "-o", "name")).split("\n").filter(Boolean).sort();

  it("run with tags: what is typed wins over the task definition's; get and describe find them", async () => {
    await ok(
      "run",
      "report",
      "--tag",
      "team=red",
      "--tag",
      "urgent",
      "--propagate-tags",
      "TASK_DEFINITION",
      "--enable-ecs-managed-tags",
    );
    await ok("run", "report", "--tag", "team=red");
    assert.equal((await names("tasks", "--tag", "team=red")).length, 2);
    const [task, ...others] = await names("tasks", "--tag", "team=red", "--tag", "kind=batch", "--tag", "urgent");
    assert(task && others.length === 0);
    assert.deepEqual(await names("tasks", "--tag", "aws:ecs:clusterName=default"), [task]);
    assert.match(
      await ok("describe", task.replace("task.davit.dev", "task")),
      /^Tags: +team=red, urgent=, kind=batch, aws:ecs:clusterName=default$/m,
    );
    assert.deepEqual(await names("taskdefinitions", "--tag", "kind"), ["taskdefinition.davit.dev/report"]);
    assert.deepEqual(await names("clusters", "--tag", "env=staging"), ["cluster.davit.dev/staging"]);
    assert.deepEqual(await names("clusters", "--tag", "env=prod"), []);
    const bad = await davit.cli("run", "report", "--tag", "aws:x=1");
    assert.equal(bad.code, 1);
    assert.match(bad.stderr, /spec\.tags\[0\]\.key: Forbidden: "aws:x": the prefix aws: is kept/);
  });

  it("a cluster that holds something says what, is not deleted, and goes with it on request", async () => {
    const page = await ok("describe", "cluster", "staging");
    assert.match(page, /^Deletion: +refused while it holds 1 service \(web\.staging\)$/m);
    assert.match(page, /Stopped tasks kept +2 per task set, 100 in the cluster/);
    const refused = await davit.cli("delete", "cluster", "staging");
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /cannot be deleted while Services are active\. \(1 service: web\.staging\)/);
    assert.deepEqual(await names("services"), ["service.davit.dev/web.staging"]);
    await ok("delete", "cluster", "staging", "--cascade");
    assert.deepEqual(await names("services", "--all"), []);
    assert.deepEqual(await names("clusters"), ["cluster.davit.dev/default"]);
    const other = await davit.cli("delete", "taskdefinition", "report", "--cascade");
    assert.match(other.stderr, /propagationPolicy Foreground is not carried out/);
    await ok("delete", "-f", join(davit.folder, "all.yaml"), "--ignore-not-found");
  });
});
