// What every agent process is made of: its settings from the environment, and the runtime it drives.
import { type AgentOptions, agentOptionsFromEnv } from "../../agent/options.js";
import { InvalidAttributes } from "../../agent/options-attributes.js";
import type { Runtime } from "../../agent/runtimes/runtime.js";
import type { SimulatedOptions } from "../../agent/runtimes/simulated/options.js";
import { EXIT, Failure, messageOf } from "../failure.js";

export type RuntimeName = "docker" | "simulated";

/** Where the machine's own tags stand, if not in /etc/ecs/host-tags.json. */
const HOST_TAGS_VARIABLE = "DAVIT_HOST_TAGS_FILE";

/** ECS's variables. @throws Failure naming the one that can't be read; with ECS's exit code 5 for bad attributes */
export function optionsFromEnvironment(): Partial<AgentOptions> {
  try {
    return agentOptionsFromEnv(process.env, process.env[HOST_TAGS_VARIABLE] || undefined);
  } catch (error) {
    throw new Failure(messageOf(error), error instanceof InvalidAttributes ? error.exitCode : EXIT.fatal);
  }
}

/** $DAVIT_SIMULATED: how simulated containers behave, as JSON, e.g. `{"startMs":[50,200],"crashRate":0.01}`. */
function simulatedOptions(): Partial<SimulatedOptions> {
  try {
    return JSON.parse(process.env.DAVIT_SIMULATED || "{}") as Partial<SimulatedOptions>;
  } catch (error) {
    throw new Failure(`DAVIT_SIMULATED is no JSON: ${messageOf(error)}`, EXIT.fatal);
  }
}

/** Makes the runtime of an instance; only the one that is asked for is loaded. */
export async function runtimes(name: RuntimeName): Promise<(instance: string) => Runtime> {
  if (name === "simulated") {
    const { createSimulatedRuntime } = await import("../../agent/runtimes/simulated/simulated.js");
    const options = simulatedOptions();
    return () => createSimulatedRuntime({ options, now: Date.now, random: Math.random });
  }
  const { createDockerRuntime } = await import("../../agent/runtimes/docker/docker.js");
  const dockerHost = process.env.DOCKER_HOST || undefined;
  return (agent) => createDockerRuntime({ agent, ...(dockerHost && { dockerHost }) });
}
