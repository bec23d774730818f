// Several agents on one Engine, each with a share of the machine, and containers that are none of theirs.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { ContainerDefinition } from "../../api/types.gen.js";
import { execute } from "../support/davit.js";
import { buildImage, removeImage } from "../support/images.js";
import { eventually } from "../support/wait.js";
import { type DockerBench, dockerBench, first } from "./support/docker.js";

describe("agents that share a Docker Engine", function () {
  this.timeout(90_000);
  const image = `davit-agent-shares-${randomBytes(4).toString("hex")}:1`;
  let all: DockerBench[] = [];
  let strangers: string[] = [];
  before(() => buildImage(image));
  after(() => removeImage(image));
  afterEach(async () => {
    for (const bench of all) await bench.close();
    all = [];
    if (strangers.length > 0) await execute("docker", ["rm", "-f", ...strangers]);
    strangers = [];
  });
  const web = (change: Partial<ContainerDefinition> = {}): ContainerDefinition => ({
    name: "web",
    image,
    memory: 32,
    command: ["sleep", "1000"],
    stopTimeout: 0,
    ...change,
  });
  const host = { networkMode: "host" as const };
  const started = async (options: Parameters<DockerBench["start"]>[0] = {}): Promise<DockerBench> => {
    const bench = dockerBench();
    all.push(bench);
    await bench.start(options);
    return bench;
  };
  /** Started by hand, as `docker run` does. */
  const stranger = async (...args: string[]): Promise<string> => {
    const { stdout } = await execute("docker", ["run", "-d", "--network", "none", ...args, image, "sleep", "1000"]);
    strangers.push(stdout.trim());
    return stdout.trim();
  };
  const isRunning = async (id: string): Promise<boolean> =>
    (await execute("docker", ["inspect", "--format", "{{.State.Running}}", id])).stdout.trim() === "true";

  it("none touches another's containers: not adopted, not stopped, not counted, whatever becomes of an agent", async () => {
    const [one, two, three] = [await started(), await started(), await started()];
    const tasks = [one, two, three].map((bench, at) => bench.run(`share-${at}`, [web()], host));
    const ids = await Promise.all(
      [one, two, three].map(
        async (bench, at) => first(await bench.reported(tasks[at] ?? "", "RUNNING")).runtimeId ?? "",
      ),
    );
    for (const bench of [one, two, three]) assert.equal((await bench.runtime().list()).length, 1);
    // The first comes back to a control plane that knows nothing of it: all it has goes, and nothing else.
    await one.kill();
    one.control.drop(tasks[0] ?? "");
    await one.start();
    await eventually("its own is gone", async () => (await one.runtime().list()).length === 0);
    assert.deepEqual(await Promise.all(ids.slice(1).map(isRunning)), [true, true]);
    // The second is killed and adopts its own alone.
    await two.kill();
    await two.start();
    assert.deepEqual(
      two.control.syncs.at(-1)?.tasks.map(({ task, state }) => [task, state]),
      [[tasks[1], "RUNNING"]],
    );
    // The third is orphaned, the others' names stay what they are.
    three.control.orphan();
    await eventually("renamed", async () => (await three.runtime().list()).length === 0);
    const orphans = await three.runtime().orphans();
    assert.match(orphans[0]?.runtimeName ?? "", /^davit-orphaned-ecs-share-2-1-web-/);
    assert.equal((await two.runtime().orphans()).length, 0);
    assert.deepEqual(await Promise.all(ids.slice(1).map(isRunning)), [true, true]);
    await three.kill();
    await three.start();
    assert.deepEqual(three.control.syncs.at(-1)?.tasks, []);
    assert.equal(await isRunning(ids[2] ?? ""), true, "an orphan is left alone by the next agent, too");
    const { orphans: told } = await three.handlers().probe();
    assert.deepEqual(
      told.map(({ id, deliberate }) => [id, deliberate]),
      [[ids[2], true]],
    );
  });

  it("[04-51] what `docker run` starts is in no list, takes nothing of what is registered, and is left alone", async () => {
    const before = await started();
    const resources = before.control.syncs[0]?.resources;
    const id = await stranger("--memory", "64m", "--label", "davit.dev/task=none-of-yours");
    const after = await started();
    const task = after.run("own", [web()], host);
    await after.reported(task, "RUNNING");
    await after.kill();
    await after.start();
    const sync = after.control.syncs.at(-1);
    assert.deepEqual(
      sync?.tasks.map((report) => report.task),
      [task],
    );
    assert.deepEqual(sync?.resources, resources);
    const { usage, orphans } = await after.handlers().probe();
    assert.deepEqual([usage.map((each) => each.task), orphans], [[task], []]);
    assert.equal(await isRunning(id), true);
  });

  it("a share of the ports: what lies outside of it is refused by the agent", async () => {
    const here = await started({ portRange: { from: 18_000, to: 18_009 } });
    assert.equal(here.control.syncs[0]?.portRange, "18000-18009");
    const inside = here.run("inside", [web({ portMappings: [{ containerPort: 18_003 }] })], host);
    await here.reported(inside, "RUNNING");
    for (const [name, port] of [
      ["below", 17_999],
      ["above", 18_010],
    ] as const) {
      const task = here.run(name, [web({ portMappings: [{ containerPort: port }] })], host);
      await eventually("refused", () => here.control.state(task) === "STOPPED");
      assert.equal(here.control.tasks.get(task)?.report?.stoppedReason, "RESOURCE:PORTS");
    }
  });

  it("the probe knows what containers use, without file cache, and the Engine's disk", async () => {
    const here = await started();
    const busy = here.run("busy", [web({ command: ["sh", "-c", "while :; do :; done"] })], host);
    const cached = here.run(
      "cached",
      [web({ memory: 64, command: ["sh", "-c", "dd if=/dev/zero of=/file bs=1M count=24 2>/dev/null; sleep 1000"] })],
      host,
    );
    await here.reported(busy, "RUNNING");
    await here.reported(cached, "RUNNING");
    const raw = async () => {
      const { Id } = await here.raw(cached);
      const { stdout } = await execute("docker", ["exec", Id, "sh", "-c", "ls -l /file | awk '{print $5}'"]);
      return Number(stdout) === 24 * 2 ** 20;
    };
    await eventually("the file is written", raw);
    const { usage, disk, problems } = await here.handlers().probe();
    const of = (task: string) => usage.find((each) => each.task === task) ?? assert.fail("no usage");
    assert.ok(of(busy).cpuUnits > 100, `a busy loop uses ${of(busy).cpuUnits} units`);
    assert.ok(of(cached).cpuUnits < of(busy).cpuUnits / 2, `a sleeping one ${of(cached).cpuUnits}`);
    assert.ok(of(cached).memoryMiB < 12, `24 MiB of file cache are no memory: ${of(cached).memoryMiB}`);
    assert.ok(disk && disk.totalBytes > disk.freeBytes && disk.freeBytes > 0 && disk.path.startsWith("/"));
    assert.deepEqual(problems, []);
  });
});
