// Many simulated machines in a process of their own, so that what they cost is not taken for the control plane's.
// The child is this very file; it tells its parent what went over its end of the bus.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { createAgent } from "../../agent/agent.js";
import type { SimulatedOptions } from "../../agent/runtimes/simulated/options.js";
import { createSimulatedRuntime } from "../../agent/runtimes/simulated/simulated.js";
import { createAgentBus } from "../../bus/agent.js";
import { connectBus } from "../../bus/connect.js";
import { inboxPrefix } from "../../bus/subjects.js";
import { quiet } from "./quiet.js";

export interface FleetOptions {
  natsUrl: string;
  /** Text of the fleet's credentials. */
  credentials: string;
  instances: number;
  simulated?: Partial<SimulatedOptions>;
}

export interface FleetCounts {
  /** Task reports sent, those sent again included, and the requests that carried them. */
  reports: number;
  reportBatches: number;
}

export interface Fleet {
  counts(): Promise<FleetCounts>;
  /** User and system time of the process so far, ms. */
  cpuMs(): Promise<number>;
  stop(): Promise<void>;
}

interface Answer extends FleetCounts {
  cpuMs: number;
}

/** Resolves when every machine has opened its session. */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const child = fork(fileURLToPath(import.meta.url), ["child"], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  child.send(options);
  await message(child);
  const ask = (): Promise<Answer> => {
    child.send("counts");
    return message(child) as Promise<Answer>;
  };
  return {
    counts: ask,
    cpuMs: async () => (await ask()).cpuMs,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.disconnect();
      await once(child, "exit");
    },
  };
}

async function message(child: ChildProcess): Promise<unknown> {
  const failed = once(child, "exit").then(() => {
    throw new Error("the process of the simulated machines ended");
  });
  const [content] = await Promise.race([once(child, "message"), failed]);
  return content;
}

async function runFleet({ natsUrl, credentials, instances, simulated = {} }: FleetOptions): Promise<void> {
  const log = quiet("agent");
  const connection = connectBus({
    servers: natsUrl,
    credentials: { text: credentials },
    name: "bench fleet",
    inboxPrefix: inboxPrefix("fleet"),
    log,
  });
  const counts: FleetCounts = { reports: 0, reportBatches: 0 };
  const agents = Array.from({ length: instances }, (_, at) => {
    const instance = (at + 1).toString(16).padStart(32, "0");
    const bus = createAgentBus({ connection, instance, log });
    return createAgent({
      instance,
      namespace: "default",
      cluster: "default",
      bus: {
        ...bus,
        report: (batch, timeoutMs) => {
          counts.reportBatches += 1;
          counts.reports += batch.reports.length;
          return bus.report(batch, timeoutMs);
        },
      },
      runtime: createSimulatedRuntime({ now: Date.now, random: Math.random, options: simulated }),
      options: {
        hostname: `machine-${at + 1}`,
        attributes: [{ name: "ecs.availability-zone", value: `z${at % 3}` }],
        answerTimeoutMs: 30_000,
      },
      now: Date.now,
      random: Math.random,
      log,
    });
  });
  await Promise.all(agents.map((agent) => agent.start()));
  process.on("message", () => {
    const { user, system } = process.cpuUsage();
    process.send?.({ ...counts, cpuMs: (user + system) / 1000 } satisfies Answer);
  });
  process.once("disconnect", () => process.exit(0));
  process.send?.("ready");
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv[2] === "child")
  process.once("message", (options) => void runFleet(options as FleetOptions));
