import { readFileSync } from "node:fs";
import { hostname, uptime } from "node:os";
import { type Command, Option } from "commander";
import { type Agent, createAgent } from "../agent/agent.js";
import type { Runtime } from "../agent/runtimes/runtime.js";
import { createAgentBus } from "../bus/agent.js";
import { type BusConnection, connectBus } from "../bus/connect.js";
import { inboxPrefix } from "../bus/subjects.js";
import { count } from "./arguments.js";
import { crashOnBugs, untilTold } from "./child-process.js";
import { createLog } from "./log.js";
import { optionsFromEnvironment, runtimes } from "./machine/agent-parts.js";
import { goodbyeKind } from "./machine/goodbye.js";
import { ownCommit } from "./own-commit.js";
import { ownVersion } from "./own-version.js";
import { dataFolder, openDataFolder } from "./supervisor/data-folder.js";
import { instanceIds } from "./supervisor/instance-ids.js";

export interface AgentCommandOptions {
  dataDir: string;
  natsUrl: string;
  natsCa?: string;
  natsCreds: string;
  runtime: "docker" | "simulated";
  instances: number;
  namespace: string;
}

export function define(command: Command): void {
  command
    .requiredOption("--data-dir <D>", "data folder")
    .requiredOption("--nats-url <URL>", "the bus")
    .option("--nats-ca <F>", "CA of the bus's certificate, for tls:// (default: the system's)")
    .requiredOption("--nats-creds <F>", "the agent's credentials")
    .option("--namespace <NS>", "where its machine is", "default")
    .addOption(
      new Option("--runtime <RUNTIME>", "docker or simulated").choices(["docker", "simulated"]).default("docker"),
    )
    .option("--instances <N>", "how many simulated machines", count, 1)
    .addHelpText(
      "after",
      "\nThe variables of ECS's agent are read: ECS_CLUSTER, ECS_IMAGE_PULL_BEHAVIOR, ECS_RESERVED_PORTS, ECS_RESERVED_MEMORY,\nECS_INSTANCE_ATTRIBUTES, ECS_AVAILABLE_LOGGING_DRIVERS, ECS_CONTAINER_STOP_TIMEOUT, and others.",
    )
    .action(agent);
}

async function agent(options: AgentCommandOptions): Promise<void> {
  const log = createLog("agent");
  crashOnBugs(log);
  const folder = dataFolder(options.dataDir);
  openDataFolder(folder);
  const fromEnvironment = optionsFromEnvironment();
  const ids = instanceIds(folder, options.instances);
  const connection = connectBus({
    servers: options.natsUrl,
    ...(options.natsCa && { tls: { ca: readFileSync(options.natsCa, "utf8") } }),
    credentials: { file: options.natsCreds },
    name: `davit agent ${hostname()}`,
    // A single agent may listen below its own id only.
    inboxPrefix: inboxPrefix(ids[0] ?? ""),
    log,
  });
  const newRuntime = await runtimes(options.runtime);
  const agents = ids.map((instance, index) => {
    const runtime = newRuntime(instance);
    const made = createAgent({
      instance,
      namespace: options.namespace,
      cluster: process.env.ECS_CLUSTER || "default",
      bus: createAgentBus({ connection, instance, log }),
      runtime,
      options: {
        ...fromEnvironment,
        agentVersion: ownVersion(),
        agentHash: ownCommit(),
        hostname: options.instances === 1 ? hostname() : `${hostname()}-${index + 1}`,
      },
      now: Date.now,
      uptimeMs: () => uptime() * 1000,
      random: Math.random,
      log,
    });
    return { made, runtime };
  });
  for (const { made } of agents) void made.start();
  await untilTold(log, [() => close(connection, agents)]);
}

async function close(connection: BusConnection, agents: { made: Agent; runtime: Runtime }[]): Promise<void> {
  const kind = await goodbyeKind();
  await Promise.all(agents.map(({ made }) => made.stop({ kind })));
  await Promise.all(agents.map(({ runtime }) => runtime.close()));
  await connection.close();
}
