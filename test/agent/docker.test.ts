import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import type { ContainerDefinition } from "../../api/types.gen.js";
import { execute } from "../support/davit.js";
import { buildImage, page, removeImage } from "../support/images.js";
import { eventually } from "../support/wait.js";
import { type DockerBench, dockerBench, first } from "./support/docker.js";

describe("agent on the Docker Engine", function () {
  this.timeout(60_000);
  const image = `davit-agent-test-${randomBytes(4).toString("hex")}:1`;
  const checked = image.replace(":1", ":checked");
  let here: DockerBench;

  before(async () => {
    await buildImage(image);
    await buildImage(checked, { lines: ["HEALTHCHECK --interval=1s --start-period=60s CMD false"] });
  });
  after(() => removeImage(image, checked));
  beforeEach(async () => {
    here = dockerBench();
    await here.start();
  });
  afterEach(() => here.close());

  const web = (change: Partial<ContainerDefinition> = {}): ContainerDefinition => ({
    name: "web",
    image,
    memory: 32,
    command: ["sleep", "1000"],
    stopTimeout: 0,
    ...change,
  });
  const shell = (script: string, change: Partial<ContainerDefinition> = {}) =>
    web({ command: ["sh", "-c", script], ...change });

  it("hands every field to the Engine as ECS's agent does", async () => {
    const task = here.run("fields", [
      web({
        cpu: 256,
        memory: 64,
        memoryReservation: 32,
        entryPoint: ["sh", "-c"],
        command: ["echo $GREETING from $PWD; sleep 1000"],
        workingDirectory: "/tmp",
        environment: [{ name: "GREETING", value: "a=b c" }],
        dockerLabels: { "org.example.team": "shop" },
        logConfiguration: { logDriver: "json-file", options: { "max-size": "1m" } },
      }),
    ]);
    const report = await here.reported(task, "RUNNING");
    const { Id, Name, Config, HostConfig } = await here.raw(task);
    assert.equal(first(report).runtimeId, Id);
    assert.equal(Name, `/ecs-fields-1-web-${task.slice(0, 20)}`);
    assert.deepEqual(Config.Entrypoint, ["sh", "-c"]);
    assert.deepEqual(Config.Cmd, ["echo $GREETING from $PWD; sleep 1000"]);
    assert.equal(Config.WorkingDir, "/tmp");
    assert.ok(Config.Env.includes("GREETING=a=b c"));
    assert.equal(HostConfig.CpuShares, 256);
    assert.equal(HostConfig.Memory, 64 * 2 ** 20);
    assert.equal(HostConfig.MemoryReservation, 32 * 2 ** 20);
    assert.equal(HostConfig.NetworkMode, "bridge");
    assert.deepEqual(HostConfig.LogConfig, { Type: "json-file", Config: { "max-size": "1m" } });
    const labels = Config.Labels ?? {};
    assert.equal(labels["org.example.team"], "shop");
    assert.equal(labels["davit.dev/agent"], here.instance);
    assert.equal(labels["davit.dev/task"], task);
    assert.equal(labels["davit.dev/revision"], "fields:1");
    assert.match(labels["davit.dev/assignment"] ?? "", /^[0-9a-f]{16}$/);
    assert.equal(labels["com.amazonaws.ecs.cluster"], "default");
    assert.equal(labels["com.amazonaws.ecs.container-name"], "web");
    assert.match(labels["com.amazonaws.ecs.task-arn"] ?? "", /^arn:aws:ecs:/);
    assert.equal(labels["com.amazonaws.ecs.task-definition-family"], "fields");
    assert.equal(labels["com.amazonaws.ecs.task-definition-version"], "1");
  });

  it("[02-20] [02-38] cpu below 2 is 2 shares; without logConfiguration the Engine's own driver is used", async () => {
    const task = here.run("least", [
      web({ name: "none", memory: 8 }),
      web({ name: "zero", cpu: 0, memory: 8 }),
      web({ name: "one", cpu: 1, memory: 8 }),
      web({ name: "more", cpu: 512, memory: 8 }),
    ]);
    await here.reported(task, "RUNNING");
    for (const [name, shares] of [
      ["none", 2],
      ["zero", 2],
      ["one", 2],
      ["more", 512],
    ] as const) {
      const { HostConfig } = await here.raw(task, name);
      assert.equal(HostConfig.CpuShares, shares, name);
      const daemon = (await execute("docker", ["info", "--format", "{{.LoggingDriver}}"])).stdout.trim();
      assert.equal(HostConfig.LogConfig.Type, daemon);
    }
  });

  it("keeps what awslogs and awsfirelens would send away in the Engine's own files", async () => {
    const task = here.run("logs", [
      web({ name: "web", logConfiguration: { logDriver: "awslogs", options: { "awslogs-group": "/shop" } } }),
      web({ name: "fire", logConfiguration: { logDriver: "awsfirelens", options: { Name: "cloudwatch" } } }),
      web({ name: "none", logConfiguration: { logDriver: "none" } }),
    ]);
    await here.reported(task, "RUNNING");
    assert.deepEqual((await here.raw(task)).HostConfig.LogConfig, { Type: "json-file", Config: {} });
    assert.deepEqual((await here.raw(task, "fire")).HostConfig.LogConfig, { Type: "json-file", Config: {} });
    assert.equal((await here.raw(task, "none")).HostConfig.LogConfig.Type, "none");
  });

  it("[02-9] a dynamic port is an ephemeral one over tcp, and answers; a static one is itself", async () => {
    const serving = { command: ["httpd", "-f", "-h", "/www", "-p", "80"], portMappings: [{ containerPort: 80 }] };
    const report = await here.reported(here.run("dynamic", [web(serving)]), "RUNNING");
    const bindings = first(report).networkBindings;
    assert.equal(bindings.length, 1);
    const [{ bindIP, containerPort, hostPort, protocol } = assert.fail()] = bindings;
    assert.deepEqual([bindIP, containerPort, protocol], ["0.0.0.0", 80, "tcp"]);
    const [from = 0, to = 0] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").split(/\s+/).map(Number);
    assert.ok(hostPort >= from && hostPort <= to, `${hostPort} in ${from}–${to}`);
    assert.equal(
      await eventually("the page", async () => (await fetch(`http://127.0.0.1:${hostPort}`)).text()),
      page(image),
    );

    const free = hostPort > 40_000 ? hostPort - 7_001 : hostPort + 7_001;
    const task = here.run("static", [
      web({
        ...serving,
        portMappings: [
          { containerPort: 80, hostPort: free },
          { containerPort: 53, hostPort: 0, protocol: "udp" },
        ],
      }),
    ]);
    const both = first(await here.reported(task, "RUNNING")).networkBindings;
    assert.deepEqual(both.find((one) => one.protocol === "tcp")?.hostPort, free);
    assert.ok(both.some((one) => one.protocol === "udp" && one.containerPort === 53 && one.hostPort > 0));
  });

  it("in host mode the host port is the container port", async () => {
    const task = here.run("host", [web({ portMappings: [{ containerPort: 18_080 }] })], { networkMode: "host" });
    const report = await here.reported(task, "RUNNING");
    assert.deepEqual(first(report).networkBindings, [
      { bindIP: "0.0.0.0", containerPort: 18_080, hostPort: 18_080, protocol: "tcp" },
    ]);
    assert.equal((await here.raw(task)).HostConfig.NetworkMode, "host");
  });

  it("[02-25] [02-27] fills in a health check's defaults, and runs a bare command as CMD", async () => {
    const task = here.run("defaults", [
      web({ name: "web", image: checked, healthCheck: { command: ["CMD-SHELL", "true"] } }),
      web({ name: "bare", healthCheck: { command: ["true"] } }),
    ]);
    await here.reported(task, "RUNNING");
    const second = 1_000_000_000;
    const check = (await here.raw(task)).Config.Healthcheck;
    assert.deepEqual([check?.Interval, check?.Timeout, check?.Retries], [30 * second, 5 * second, 3]);
    assert.ok((check?.StartPeriod ?? 0) <= second / 1000, "the image's start period is not inherited");
    assert.deepEqual((await here.raw(task, "bare")).Config.Healthcheck?.Test, ["CMD", "true"]);
  });

  it("[02-28] a check that only the image has is not reported; the definition's overrides it", async () => {
    const task = here.run("health", [
      web({ image: checked, name: "silent" }),
      web({
        image: checked,
        name: "own",
        healthCheck: { command: ["CMD", "test", "!", "-f", "/tmp/sick"], interval: 1, retries: 1 },
      }),
    ]);
    const of = (name: string) => here.control.tasks.get(task)?.report?.containers.find((one) => one.name === name);
    await eventually("HEALTHY", () => of("own")?.health === "HEALTHY");
    await execute("docker", ["exec", of("own")?.runtimeId ?? "", "touch", "/tmp/sick"]);
    await eventually("UNHEALTHY", () => of("own")?.health === "UNHEALTHY");
    assert.equal(of("silent")?.health, "UNKNOWN");
    assert.deepEqual((await here.raw(task, "silent")).Config.Healthcheck?.Test, ["NONE"]);
    assert.equal(here.control.state(task), "RUNNING");
  });

  it("tells the exit code, and stops the others", async () => {
    const task = here.run("exit", [shell("sleep 0.3; exit 3"), web({ name: "side" })]);
    const report = await here.reported(task, "STOPPED");
    assert.equal(first(report).exitCode, 3);
    assert.equal(report.stoppedReason, "Essential container in task exited");
    assert.equal(report.containers[1]?.exitCode, 137);
    await eventually("removed", async () => (await here.runtime().list()).length === 0);
  });

  it("[02-22] [02-23] an essential container's end, even with 0, stops the others; another's failure does not", async () => {
    const task = here.run("essential", [
      shell("while [ ! -f /tmp/end ]; do sleep 0.1; done; exit 0"),
      web({ name: "other" }),
      shell("exit 1", { name: "optional", essential: false }),
    ]);
    await eventually("the optional one has failed", () => {
      const report = here.control.tasks.get(task)?.report;
      return report?.state === "RUNNING" && report.containers[2]?.exitCode === 1;
    });
    const running = ["web", "other"].map(async (name) => (await here.raw(task, name)).State.Status);
    assert.deepEqual(await Promise.all(running), ["running", "running"]);
    await execute("docker", ["exec", (await here.raw(task)).Id, "touch", "/tmp/end"]);
    const report = await here.reported(task, "STOPPED");
    assert.deepEqual(
      report.containers.map(({ exitCode }) => exitCode),
      [0, 137, 1],
    );
  });

  it("[02-18] a container that exceeds its memory is killed, and the report says so", async () => {
    const task = here.run("memory", [
      shell("sleep 0.2; exec dd if=/dev/zero of=/dev/null bs=200M count=1", { memory: 16 }),
    ]);
    const container = first(await here.reported(task, "STOPPED"));
    assert.equal(container.exitCode, 137);
    assert.equal(container.reason, "OutOfMemoryError: Container killed due to memory usage");
  });

  it("an exit code of its own is no memory failure, also when a child was killed for memory", async () => {
    const task = here.run("child", [
      shell("sleep 0.2; dd if=/dev/zero of=/dev/null bs=200M count=1; sleep 0.2; exit 0", { memory: 16 }),
    ]);
    const container = first(await here.reported(task, "STOPPED"));
    assert.equal(container.exitCode, 0);
    assert.equal(container.reason, undefined);
  });

  it("[02-47] kills after stopTimeout what ignores the stop signal", async () => {
    const task = here.run("stubborn", [shell("trap '' TERM; while true; do sleep 1; done", { stopTimeout: 5 })]);
    await here.reported(task, "RUNNING");
    const askedAtMs = Date.now();
    here.control.stop(task);
    const report = await here.reported(task, "STOPPED");
    const took = Date.now() - askedAtMs;
    assert.ok(took >= 4_500 && took < 12_000, `${took} ms`);
    assert.equal(first(report).exitCode, 137);
    assert.ok(here.control.tasks.get(task)?.history.includes("STOPPING"), "a slow stop is told of");
  });

  it("a command that is not there fails the start, with the Engine's words", async () => {
    const report = await here.reported(here.run("nosuch", [web({ command: ["/nosuch"] })]), "STOPPED");
    assert.equal(report.stopCode, "TaskFailedToStart");
    assert.match(first(report).reason ?? "", /^CannotStartContainerError: API error \(400\): .*nosuch/s);
  });

  it("adopts its containers after being killed: same ids, nothing restarted; and leaves others' alone", async () => {
    const other = dockerBench();
    try {
      await other.start();
      const foreign = other.run("foreign", [web()]);
      const task = here.run("kept", [web()]);
      await here.reported(task, "RUNNING");
      await other.reported(foreign, "RUNNING");
      const before = await here.raw(task);
      await here.kill();
      await here.start();
      const after = await here.raw(task);
      assert.deepEqual([after.Id, after.State.StartedAt], [before.Id, before.State.StartedAt]);
      assert.equal(here.control.syncs.at(-1)?.tasks[0]?.state, "RUNNING");
      assert.equal((await here.runtime().list()).length, 1);
      here.control.drop(task);
      here.agent();
      await here.kill();
      await here.start();
      await eventually("not assigned any more: removed", async () => (await here.runtime().list()).length === 0);
      assert.equal((await other.raw(foreign)).State.Status, "running");
    } finally {
      await other.close();
    }
  });

  it("sees at once what happens to a container behind its back", async () => {
    const killed = here.run("killed", [web()]);
    const removed = here.run("removed", [web()]);
    await here.reported(killed, "RUNNING");
    await here.reported(removed, "RUNNING");
    await execute("docker", ["kill", (await here.raw(killed)).Id]);
    assert.equal(first(await here.reported(killed, "STOPPED")).exitCode, 137);
    await execute("docker", ["rm", "-f", (await here.raw(removed)).Id]);
    await here.reported(removed, "STOPPED");
  });

  it("creates a container once, however often it is asked", async () => {
    const task = here.run("once", [web()]);
    await here.reported(task, "RUNNING");
    const { Id, Config, Name } = await here.raw(task);
    const again = await here.runtime().create({
      task,
      definition: web(),
      networkMode: "bridge",
      labels: Config.Labels ?? {},
      runtimeName: Name.slice(1),
    });
    assert.equal(again, Id);
  });

  it("streams the logs of all containers of a task, both outputs, to the end or as they come", async () => {
    const task = here.run("talk", [
      shell("echo héllo; echo bad >&2; sleep 1000"),
      shell("i=0; while true; do echo tick $i; i=$((i+1)); sleep 0.1; done", { name: "clock" }),
    ]);
    await here.reported(task, "RUNNING");
    const texts = async (follow: boolean, enough: (lines: string[]) => boolean): Promise<string[]> => {
      const abort = new AbortController();
      const lines: string[] = [];
      const request = { type: "davit.v1.LogsRequest" as const, task, follow };
      const handlers = here.handlers();
      for await (const chunk of handlers.logs(request, abort.signal)) {
        for (const { container, stream, text, atMs } of chunk.lines) {
          assert.ok(Math.abs(atMs - Date.now()) < 60_000);
          lines.push(`${container} ${stream} ${text}`);
        }
        if (enough(lines)) abort.abort();
      }
      return lines;
    };
    const whole = await eventually("both outputs", async () => {
      const lines = await texts(false, () => false);
      return lines.includes("web stdout héllo") && lines.includes("web stderr bad") && lines;
    });
    assert.ok(whole.some((line) => line.startsWith("clock stdout tick")));
    const followed = await texts(true, (lines) => lines.filter((line) => line.startsWith("clock")).length > 12);
    assert.ok(followed.length > 12);
  });
});
