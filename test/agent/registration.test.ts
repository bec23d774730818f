import assert from "node:assert/strict";
import { agentOptionsFromEnv } from "../../agent/options.js";
import { unmetRequirements } from "../../agent/requirements.js";
import type { SyncRequest } from "../../bus/messages.js";
import { eventually } from "../support/wait.js";
import { recordingLog } from "./support/builders.js";
import { type FakeMachine, fakeMachine } from "./support/fake-engine.js";

describe("what an agent registers of its machine", () => {
  let here: FakeMachine | undefined;
  afterEach(async () => {
    await here?.close();
    here = undefined;
  });
  const sync = async (info: Record<string, unknown>, env: Record<string, string> = {}): Promise<SyncRequest> => {
    here = await fakeMachine(info, agentOptionsFromEnv(env));
    return here.registered();
  };
  const resource = ({ resources }: SyncRequest, name: string) => resources.find((one) => one.name === name);

  for (const [line, bytes, env, wanted] of [
    ["[04-35]", 8_373_026_816, {}, 7985],
    ["[04-36]", 8_589_524_992, {}, 8191],
    ["[04-37]", 8_373_026_816, { ECS_RESERVED_MEMORY: "256" }, 7985 - 256],
    ["[05-7]", 4096 * 2 ** 20, { ECS_RESERVED_MEMORY: "256" }, 3840],
  ] as const)
    it(`${line} ${bytes} bytes, ${JSON.stringify(env)}: ${wanted} MiB`, async () => {
      assert.equal(resource(await sync({ MemTotal: bytes }, env), "MEMORY")?.integerValue, wanted);
    });

  it("more memory reserved than there is leaves none", async () => {
    const request = await sync({ MemTotal: 100 * 2 ** 20 }, { ECS_RESERVED_MEMORY: "256" });
    assert.equal(resource(request, "MEMORY")?.integerValue, 0);
  });

  it("[05-5] reserves ECS's ports, and none over udp", async () => {
    const request = await sync({});
    assert.deepEqual(resource(request, "PORTS")?.stringSetValue, ["22", "2375", "2376", "51678", "51679", "51680"]);
    assert.deepEqual(resource(request, "PORTS_UDP")?.stringSetValue, []);
  });

  it("each logging driver and each API version is an attribute by its name alone", async () => {
    const { attributes } = await sync({}, { ECS_AVAILABLE_LOGGING_DRIVERS: '["json-file","gelf"]' });
    const capabilities = attributes.filter(({ name }) => /\.(logging-driver|docker-remote-api)\./.test(name));
    assert.deepEqual(
      capabilities.map((each) => Object.keys(each)),
      capabilities.map(() => ["name"]),
    );
    const names = capabilities.map(({ name }) => name.replace("com.amazonaws.ecs.capability.", ""));
    const versions = Array.from({ length: 43 - 17 + 1 }, (_, at) => `docker-remote-api.1.${17 + at}`);
    assert.deepEqual(names, ["logging-driver.json-file", "logging-driver.gelf", ...versions]);
  });

  it("says which machine it is, its share, and its tags", async () => {
    here = await fakeMachine(
      {},
      { machineId: "m-1", bootId: "b-1", portRange: { from: 8000, to: 8999 }, tags: [{ key: "rack", value: "r7" }] },
    );
    const { machineId, bootId, portRange, tags, epoch } = await here.registered();
    assert.deepEqual(
      { machineId, bootId, portRange, tags, epoch },
      {
        machineId: "m-1",
        bootId: "b-1",
        portRange: "8000-8999",
        tags: [{ key: "rack", value: "r7" }],
        epoch: 0,
      },
    );
  });

  it("[04-60] a kernel or an Engine that is too old does not meet the requirements: it is not registered", async () => {
    const log = recordingLog();
    here = await fakeMachine({ KernelVersion: "3.2.0-4-amd64", ServerVersion: "1.8.3" }, {}, log);
    await eventually("a word in the log", () =>
      log.lines.some(
        (line) => line.includes("kernel 3.2.0-4-amd64 is too old") && line.includes("Docker 1.8.3 is too old"),
      ),
    );
    assert.equal(here.syncs(), 0);
    Object.assign(here.info, { KernelVersion: "3.10.0", ServerVersion: "1.9.0" });
    await here.registered();
  });

  for (const [versions, unmet] of [
    [{ kernelVersion: "3.10.0-1160.el7.x86_64", version: "20.10.24+dfsg1" }, 0],
    [{ kernelVersion: "3.9.99", version: "1.9.0" }, 1],
    [{ kernelVersion: "6.1", version: "1.9" }, 0],
    [{ kernelVersion: "2.6.32", version: "1.8.9-rc1" }, 2],
    [{ version: "simulated" }, 0],
    [{}, 0],
  ] as const)
    it(`${JSON.stringify(versions)}: ${unmet} requirements not met`, () =>
      assert.equal(unmetRequirements(versions).length, unmet));

  it("says in log and probe which attributes it had to leave out, and registers all the same", async () => {
    const log = recordingLog();
    const env = { ECS_INSTANCE_ATTRIBUTES: JSON.stringify({ good: "1", "bad name": "1", long: "x".repeat(129) }) };
    here = await fakeMachine({}, agentOptionsFromEnv(env), log);
    const { attributes } = await here.registered();
    assert.ok(attributes.some(({ name, value }) => name === "good" && value === "1"));
    assert.ok(!attributes.some(({ name }) => name === "bad name" || name === "long"));
    for (const name of ['"bad name"', '"long"'])
      assert.ok(log.lines.some((line) => line.includes(`attribute ${name} is left out`)));
  });
});
