// `davit deregister` and what lists show of machines, against a whole Davit on simulated machines.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Davit, type Output } from "../support/davit.js";
import { eventually } from "../support/wait.js";

const WEB = `apiVersion: davit.dev/v1
kind: TaskDefinition
metadata: { name: web }
spec: { containerDefinitions: [{ name: main, image: any, memory: 64 }] }
---
apiVersion: davit.dev/v1
kind: Service
metadata: { name: web }
spec: { taskDefinition: web, desiredCount: 6, deploymentConfiguration: { minHealthySeconds: 0 } }
`;

describe("deregistering by command", function () {
  this.timeout(120_000);
  let davit: Davit;
  before(async () => {
    davit = await Davit.start("deregister", ["--runtime", "simulated", "--instances", "3"]);
    await eventually("the machines are there", async () => (await davit.list("ContainerInstance")).length === 3);
    const path = join(davit.folder, "web.yaml");
    writeFileSync(path, WEB);
    await ok("apply", "-f", path, "--wait");
  });
  after(() => davit?.purge());

  const ok = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await davit.cli(...args);
    assert.equal(code, 0, `davit ${args.join(" ")}: ${stdout}${stderr}`);
    return stdout;
  };
  const fails = async (...args: string[]): Promise<Output> => {
    const result = await davit.cli(...args);
    assert.equal(result.code, 1, `davit ${args.join(" ")}: ${result.stdout}${result.stderr}`);
    return result;
  };
  const states = async (): Promise<Record<string, string>> =>
    Object.fromEntries(
      (await davit.list("ContainerInstance")).map(({ status }) => [status?.hostname ?? "", status?.status ?? ""]),
    );

  it("[01-14] machines are listed with agent, versions, what is left of CPU and memory, and their tasks", async () => {
    const [head = "", ...rows] = (await ok("get", "machines", "-o", "wide")).trim().split("\n");
    for (const column of [
      "HOST",
      "STATUS",
      "CONNECTED",
      "RUNNING",
      "PENDING",
      "CPU LEFT",
      "MEMORY LEFT",
      "AGENT",
      "DOCKER",
    ])
      assert.ok(head.includes(column), `${column} in ${head}`);
    assert.equal(rows.length, 3);
    // Counters and resources are written once a second at most.
    await eventually("what its tasks hold", async () =>
      /vm-1 +ACTIVE +true +2 +0 +\d+ +16256 .* \d+\.\d+\.\d+ +DockerVersion: simulated/.test(
        await ok("get", "machines", "-o", "wide"),
      ),
    );
  });

  it("[07-59] is refused while tasks run, with their number and what to do; nothing is changed", async () => {
    const { stderr } = await fails("deregister", "vm-1");
    assert.match(stderr, /Found running tasks on the instance.*\(2 tasks: .*davit drain .*--force.*--orphan/s);
    const byKubectl = await davit.kubectl("delete", "containerinstances", "--all");
    assert.equal(byKubectl.code, 1);
    assert.match(byKubectl.stderr, /2 tasks/);
    assert.deepEqual(await states(), { "vm-1": "ACTIVE", "vm-2": "ACTIVE", "vm-3": "ACTIVE" });
    assert.match((await davit.cli("deregister", "vm-1", "--force", "--orphan")).stderr, /say one of them/);
  });

  it("--force --wait: it has left, and only --all shows it; the service runs elsewhere", async () => {
    assert.match(
      await ok("deregister", "vm-1", "--force", "--wait"),
      /\(vm-1\) leaves, its tasks are stopped\n.*\(vm-1\) has left\n/,
    );
    assert.equal((await states())["vm-1"], "INACTIVE");
    assert.ok(!(await ok("get", "machines")).includes("vm-1"));
    assert.match(await ok("get", "machines", "--all"), /vm-1 +INACTIVE +false/);
    assert.match(await ok("describe", "machine", "vm-1"), /State: +INACTIVE: It was deregistered\./);
    await eventually("six run", async () => {
      const running = (await davit.list("Task")).filter(({ status }) => status?.lastStatus === "RUNNING");
      return running.length === 6;
    });
    assert.match(await ok("deregister", "vm-1"), /has left already/);
  });

  it("drained, it leaves without a word more; `davit instance deregister` is the same", async () => {
    await ok("drain", "vm-2", "--wait");
    await ok("instance", "deregister", "vm-2", "--wait");
    assert.equal((await states())["vm-2"], "INACTIVE");
  });

  it("a machine that was deregistered stays so when Davit is restarted", async () => {
    await davit.down();
    await davit.up();
    await eventually("vm-3 is back", async () =>
      (await davit.list("ContainerInstance")).some(
        ({ status }) => status?.hostname === "vm-3" && status.agentConnected,
      ),
    );
    assert.deepEqual(await states(), { "vm-1": "INACTIVE", "vm-2": "INACTIVE", "vm-3": "ACTIVE" });
  });
});
