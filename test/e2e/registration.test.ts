// What a machine's configuration makes of its object, on a whole Davit with the real Engine.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ContainerInstance } from "../../api/types.gen.js";
import { Davit, execute } from "../support/davit.js";
import { temporaryFolder } from "../support/folder.js";
import { buildImage, removeImage } from "../support/images.js";
import { eventually } from "../support/wait.js";

const IMAGE = "davit-test-registration:1";
const RESERVED_PORT = 18_471;
const RESERVED_MIB = 256;

describe("a machine's configuration", function () {
  this.timeout(120_000);
  const folder = temporaryFolder("registration");
  const tagsFile = join(folder.path, "host-tags.json");
  const env = {
    ECS_RESERVED_PORTS: `[22,${RESERVED_PORT}]`,
    ECS_RESERVED_PORTS_UDP: `[${RESERVED_PORT}]`,
    ECS_RESERVED_MEMORY: String(RESERVED_MIB),
    ECS_AVAILABLE_LOGGING_DRIVERS: '["json-file","none"]',
    ECS_CONTAINER_INSTANCE_TAGS: '{"both":"own"}',
    ECS_CONTAINER_INSTANCE_PROPAGATE_TAGS_FROM: "ec2_instance",
    DAVIT_HOST_TAGS_FILE: tagsFile,
  };
  let davit: Davit;
  let instance: ContainerInstance;

  const definition = (name: string, ports: object[]): object => ({
    apiVersion: "davit.dev/v1",
    kind: "TaskDefinition",
    metadata: { name },
    spec: {
      containerDefinitions: [
        { name: "web", image: IMAGE, memory: 16, stopTimeout: 0, command: ["sleep", "1000"], portMappings: ports },
      ],
    },
  });
  const machine = async (): Promise<ContainerInstance> => {
    const [one] = await davit.list("ContainerInstance");
    return one ?? assert.fail("no instance");
  };
  const memory = ({ status }: ContainerInstance, of: "registeredResources" | "remainingResources") =>
    status?.[of]?.find(({ name }) => name === "MEMORY")?.integerValue;

  before(async () => {
    await buildImage(IMAGE);
    writeFileSync(tagsFile, JSON.stringify({ rack: "r7", both: "host" }));
    davit = await Davit.start("registration", [], env);
    const objects = [
      definition("plain", []),
      definition("tcp", [{ containerPort: 80, hostPort: RESERVED_PORT }]),
      definition("udp", [{ containerPort: 80, hostPort: RESERVED_PORT, protocol: "udp" }]),
    ];
    const file = join(davit.folder, "all.json");
    writeFileSync(file, JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
    const { code, stderr } = await davit.cli("apply", "-f", file);
    assert.equal(code, 0, stderr);
    instance = await eventually("registered", async () => {
      const one = await machine();
      return one.status?.agentConnected && one;
    });
  });
  after(async () => {
    await davit?.purge();
    await removeImage(IMAGE);
    folder.remove();
  });

  it("[04-41] [05-14] the machine's own tags are on its object; of a key in both, the agent's wins", () =>
    assert.deepEqual(
      [...(instance.spec.tags ?? [])].sort((a, b) => a.key.localeCompare(b.key)),
      [
        { key: "both", value: "own" },
        { key: "rack", value: "r7" },
      ],
    ));

  it("[09-17] described, each logging driver and API version is an attribute by its name alone", () => {
    const capabilities = (instance.status?.attributes ?? []).filter(({ name }) =>
      /^com\.amazonaws\.ecs\.capability\.(logging-driver|docker-remote-api)\./.test(name),
    );
    assert.deepEqual(
      capabilities.map((each) => Object.keys(each)),
      capabilities.map(() => ["name"]),
    );
    const of = (kind: string) => capabilities.flatMap(({ name }) => name.split(`.${kind}.`)[1] ?? []);
    assert.deepEqual(of("logging-driver").sort(), ["json-file", "none"]);
    assert.ok(of("docker-remote-api").includes("1.41"), of("docker-remote-api").join());
  });

  for (const protocol of ["tcp", "udp"])
    it(`[05-6] a task that asks for a host port which is reserved over ${protocol} is not placed`, async () => {
      const { code, stdout, stderr } = await davit.cli("run", protocol);
      assert.notEqual(code, 0, stdout);
      assert.match(stdout + stderr, new RegExp(`port ${RESERVED_PORT}/${protocol} in use`));
      assert.ok(
        !(await davit.list("Task")).some(({ spec }) => spec.containerInstance && spec.taskDefinition === protocol),
      );
    });

  it("[04-51] a container by plain `docker run` changes no count and no resource of the machine", async () => {
    const before = await machine();
    const { stdout } = await execute("docker", [
      "run",
      "-d",
      "--memory",
      "64m",
      "--network",
      "none",
      IMAGE,
      "sleep",
      "1000",
    ]);
    try {
      const { code, stdout: ran, stderr } = await davit.cli("run", "plain", "-o", "name");
      assert.equal(code, 0, stderr);
      const name = ran.trim().split("/").at(-1) ?? "";
      const after = await eventually("the task is counted, alone", async () => {
        const now = await machine();
        return (
          now.status?.runningTasksCount === 1 &&
          memory(now, "remainingResources") !== memory(before, "remainingResources") &&
          now
        );
      });
      assert.equal(after.status?.pendingTasksCount, 0);
      assert.deepEqual(after.status?.registeredResources, before.status?.registeredResources);
      assert.equal(memory(after, "remainingResources"), (memory(before, "remainingResources") ?? 0) - 16);
      await davit.cli("stop", name);
    } finally {
      await execute("docker", ["rm", "-f", stdout.trim()]);
    }
  });

  it("attributes that cannot be read end the agent with ECS's code 5, and davit up with it", async () => {
    const bad = { ...env, ECS_INSTANCE_ATTRIBUTES: "{rack}" };
    const own = temporaryFolder("bad-attributes");
    try {
      const cli = new URL("../../cli/davit.js", import.meta.url).pathname;
      const bus = ["--nats-url", "nats://127.0.0.1:1", "--nats-creds", "none"];
      const agent = await execute("node", [cli, "agent", "--data-dir", own.path, ...bus], bad);
      assert.equal(agent.code, 5, agent.stderr);
      const options = ["--api-port", "0", "--nats-port", "0", "--runtime", "simulated"];
      const { code, stdout, stderr } = await execute("node", [cli, "up", "--data-dir", own.path, ...options], bad);
      assert.notEqual(code, 0);
      assert.match(stdout + stderr, /ECS_INSTANCE_ATTRIBUTES: "\{rack\}" cannot be read/);
    } finally {
      own.remove();
    }
  });
});
