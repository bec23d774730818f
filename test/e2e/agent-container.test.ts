// The agent as a container on the real Docker Engine, started by the very lines that Davit writes.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { containerLine } from "../../cli/install/container.js";
import { agentContainer } from "../../cli/install/units.js";
import { Nanny, readUnit } from "../cli/install/unit-file.js";
import { buildAgentImage } from "../support/agent-image.js";
import { Davit, execute } from "../support/davit.js";
import { temporaryFolder } from "../support/folder.js";
import { buildImage, removeImage } from "../support/images.js";
import { eventually } from "../support/wait.js";

const id = randomBytes(4).toString("hex");
const AGENT_IMAGE = `davit-test-agent:${id}`;
const TASK_IMAGE = `davit-test-agent-task:${id}`;

describe("the agent as a container", function () {
  this.timeout(120_000);
  const folder = temporaryFolder("agent-container");
  const name = `davit-agent-${id}`;
  const dataDir = join(folder.path, "agent");
  let davit: Davit;

  const docker = async (...args: string[]) => (await execute("docker", args)).stdout.trim();
  const inspect = (format: string) => docker("inspect", "-f", format, name);
  const instances = () => davit.list("ContainerInstance");
  const connected = async () => {
    const found = (await instances()).find(({ spec }) => spec?.cluster === "blue");
    return found?.status?.agentConnected ? found : undefined;
  };
  const tasks = async () => (await davit.list("Task")).filter(({ spec }) => spec.cluster === "blue");
  const taskContainers = (instance: string) =>
    docker("ps", "-q", "--no-trunc", "--filter", `label=davit.dev/agent=${instance}`);

  before(async () => {
    await Promise.all([buildAgentImage(AGENT_IMAGE), buildImage(TASK_IMAGE)]);
    davit = await Davit.start("agent-container", ["--runtime", "simulated"]);
  });
  after(async () => {
    await docker("rm", "-f", name);
    const [joined] = (await davit?.list("ContainerInstance"))?.filter(({ spec }) => spec?.cluster === "blue") ?? [];
    const left = joined ? (await taskContainers(joined.metadata.name)).split("\n").filter(Boolean) : [];
    if (left.length > 0) await docker("rm", "-f", ...left);
    await davit?.purge();
    await removeImage(AGENT_IMAGE, TASK_IMAGE);
    folder.remove();
  });

  it("[01-17] [04-44] runs on the host's network, a task runs by it; it is back after its death, a stale one is removed first", async () => {
    const { stdout, stderr } = await davit.cli("token", "create", "--cluster", "blue", "--create-cluster");
    const [, url = "", token = ""] = /davit join (\S+) --token (\S+)/.exec(stdout) ?? [];
    assert.ok(url, stderr);
    const joined = await davit.cli(
      ...["join", url, "--token", token, "--data-dir", dataDir, "--machine-id", `machine-${id}`],
      ...["--install", "--container", AGENT_IMAGE, "--unit-name", name, "--unit-dir", folder.path],
      ...["--introspection-port", "0", "--cpu", "512", "--memory", "256"],
    );
    assert.equal(joined.code, 0, joined.stderr);
    const unit = readUnit(join(folder.path, `${name}.service`));
    assert.doesNotMatch(unit.text, /davit\.join/, "no token in the unit");

    // What a machine that lost its power left behind.
    await docker("create", "--name", name, TASK_IMAGE);
    const stale = await inspect("{{.Id}}");
    const nanny = new Nanny(unit);
    try {
      const instance = await eventually("the agent is connected", connected, 30_000);
      assert.equal(await inspect("{{.HostConfig.NetworkMode}}"), "host");
      const first = await inspect("{{.Id}}");
      assert.notEqual(first, stale);

      const file = join(folder.path, "task.json");
      writeFileSync(file, JSON.stringify(definition()));
      assert.equal((await davit.cli("apply", "-f", file)).code, 0);
      const run = await davit.cli("run", "contained", "--cluster", "blue");
      assert.equal(run.code, 0, run.stderr);
      await eventually("the task runs", async () => (await tasks())[0]?.status?.lastStatus === "RUNNING");
      const container = await taskContainers(instance.metadata.name);
      assert.match(container, /^[0-9a-f]{64}$/);

      // The agent dies; then the client that systemd watches, and leaves the container behind.
      process.kill(Number(await inspect("{{.State.Pid}}")), "SIGKILL");
      const epoch = async () => (await connected())?.status?.epoch ?? 0;
      await eventually("it is back", async () => (await epoch()) === 2, 30_000);
      assert.notEqual(await inspect("{{.Id}}"), first);
      process.kill(nanny.pid, "SIGKILL");
      await eventually("it is back again", async () => (await epoch()) === 3, 30_000);

      assert.equal((await instances()).length, 2, "no further instance");
      assert.equal(await taskContainers(instance.metadata.name), container, "the task's container ran on");
      const [task] = await tasks();
      assert.equal(task?.status?.lastStatus, "RUNNING", JSON.stringify(task?.status));

      // From outside, by the folder that both see.
      const left = await davit.cli("leave", "--data-dir", dataDir);
      assert.equal(left.code, 0, left.stderr);
      assert.equal(await taskContainers(instance.metadata.name), "");
      await nanny.over();
      assert.equal(await docker("ps", "-a", "-q", "--filter", `name=${name}`), "");
    } finally {
      await nanny.stop();
    }
  });

  it("[05-19] is kept by Docker alone, too: joins in its container, and is back after its death as the same machine", async () => {
    const { stdout } = await davit.cli("token", "create", "--cluster", "green", "--create-cluster");
    const [, url = "", token = ""] = /davit join (\S+) --token (\S+)/.exec(stdout) ?? [];
    const kept = join(folder.path, "kept");
    const own = ["--data-dir", kept, "--machine-id", `kept-${id}`, "--introspection-port", "0"];
    const args = ["join", url, "--token", token, ...own];
    const [program = "", ...line] = containerLine(agentContainer(AGENT_IMAGE, name, kept), { keeper: "docker", args });
    const started = await execute(program, line);
    assert.equal(started.code, 0, started.stderr);
    try {
      const machine = async (epoch: number) =>
        (await instances()).some(
          ({ spec, status }) => spec?.cluster === "green" && status?.agentConnected && status.epoch === epoch,
        );
      await eventually("the agent is connected", () => machine(1), 30_000);
      process.kill(Number(await inspect("{{.State.Pid}}")), "SIGKILL");
      await eventually("it is back", () => machine(2), 30_000);
      assert.equal(await inspect("{{.RestartCount}}"), "1");
    } finally {
      await docker("rm", "-f", name);
    }
  });
});

const definition = () => ({
  family: "contained",
  requiresCompatibilities: ["EXTERNAL"],
  networkMode: "host",
  containerDefinitions: [{ name: "main", image: TASK_IMAGE, memory: 32, essential: true, stopTimeout: 1 }],
});
