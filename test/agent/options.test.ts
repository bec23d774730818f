import assert from "node:assert/strict";
import { AGENT_DEFAULTS, agentOptionsFromEnv } from "../../agent/options.js";

describe("agent's options from ECS's variables", () => {
  for (const [variable, value, wanted] of [
    ["ECS_RESERVED_PORTS", "[22,8080]", { reservedPorts: [22, 8080] }],
    ["ECS_RESERVED_PORTS_UDP", "[53]", { reservedPortsUdp: [53] }],
    ["ECS_RESERVED_MEMORY", "256", { reservedMemoryMiB: 256 }],
    ["ECS_AVAILABLE_LOGGING_DRIVERS", '["json-file"]', { loggingDrivers: ["json-file"] }],
    ["ECS_INSTANCE_ATTRIBUTES", '{"rack":"r12"}', { attributes: [{ name: "rack", value: "r12" }] }],
    ["ECS_CONTAINER_STOP_TIMEOUT", "10m", { stopTimeoutMs: 600_000 }],
    ["ECS_CONTAINER_START_TIMEOUT", "1h30m", { startTimeoutMs: 5_400_000 }],
    ["ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION", "1m", { cleanupWaitMs: 60_000 }],
    ["ECS_IMAGE_PULL_BEHAVIOR", "prefer-cached", { pullBehavior: "prefer-cached" }],
    ["ECS_IMAGE_PULL_BEHAVIOR", "", {}],
  ] as const)
    it(`${variable}=${value}`, () => assert.deepEqual(agentOptionsFromEnv({ [variable]: value }), wanted));

  it("[05-37] a cleanup wait below a minute is ignored: three hours it is", () => {
    const options = { ...AGENT_DEFAULTS, ...agentOptionsFromEnv({ ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION: "30s" }) };
    assert.equal(options.cleanupWaitMs, 3 * 3_600_000);
  });

  for (const [variable, value] of [
    ["ECS_RESERVED_PORTS", "22"],
    ["ECS_RESERVED_PORTS", "[70000]"],
    ["ECS_RESERVED_MEMORY", "1g"],
    ["ECS_CONTAINER_STOP_TIMEOUT", "soon"],
    ["ECS_IMAGE_PULL_BEHAVIOR", "never"],
    ["ECS_INSTANCE_ATTRIBUTES", "{rack}"],
  ] as const)
    it(`refuses ${variable}=${value}, naming both`, () =>
      assert.throws(
        () => agentOptionsFromEnv({ [variable]: value }),
        (error: Error) => error.message.includes(variable) && error.message.includes(value),
      ));
});
