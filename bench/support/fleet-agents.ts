// Simulated machines in processes of their own, each machine with a connection and a credential of its own, as real
// ones have. The child is this very file.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type Agent, createAgent } from "../../agent/agent.js";
import { createSimulatedRuntime } from "../../agent/runtimes/simulated/simulated.js";
import { createAgentBus } from "../../bus/agent.js";
import { connectBus } from "../../bus/connect.js";
import { inboxPrefix } from "../../bus/subjects.js";
import { quiet } from "./quiet.js";

export interface Machine {
  instance: string;
  hostname: string;
  /** Text of its agent's credentials. */
  credentials: string;
}

export interface MachinesOptions {
  natsUrl: string;
  machines: readonly Machine[];
}

/** Sums over the machines of one process. */
export interface MachineCounts {
  /** With an open session, and nothing that asks for another. */
  synced: number;
  liveTasks: number;
  /** Reports not answered yet. */
  waitingReports: number;
  /** Sessions opened so far: the sum of all epochs. */
  epochs: number;
  /** User and system time of the process so far. */
  cpuMs: number;
}

export interface Machines {
  /** All machines start at once. */
  go(): void;
  counts(): Promise<MachineCounts>;
  /** Not a word is heard of them any more, and their connections are not closed: as if the network were cut. */
  cut(): void;
  mend(): void;
  stop(): Promise<void>;
}

/** Resolves when the process is ready to `go`. */
export async function prepareMachines(options: MachinesOptions): Promise<Machines> {
  const child = fork(fileURLToPath(import.meta.url), ["child"], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  child.send(options);
  await message(child);
  return {
    go: () => void child.send("go"),
    async counts() {
      child.send("counts");
      return (await message(child)) as MachineCounts;
    },
    cut: () => void child.kill("SIGSTOP"),
    mend: () => void child.kill("SIGCONT"),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

async function message(child: ChildProcess): Promise<unknown> {
  const ending = new AbortController();
  const failed = once(child, "exit", { signal: ending.signal }).then(() => {
    throw new Error("the process of the simulated machines ended");
  });
  try {
    const [content] = await Promise.race([once(child, "message"), failed]);
    return content;
  } finally {
    failed.catch(() => undefined);
    ending.abort();
  }
}

function makeAgent(natsUrl: string, { instance, hostname, credentials }: Machine): Agent {
  const log = quiet(hostname);
  const connection = connectBus({
    servers: natsUrl,
    credentials: { text: credentials },
    name: `davit agent ${hostname}`,
    inboxPrefix: inboxPrefix(instance),
    log,
  });
  return createAgent({
    instance,
    namespace: "default",
    cluster: "default",
    bus: createAgentBus({ connection, instance, log }),
    runtime: createSimulatedRuntime({ now: Date.now, random: Math.random }),
    options: { hostname },
    now: Date.now,
    random: Math.random,
    log,
  });
}

function runMachines(options: MachinesOptions): void {
  let agents: Agent[] = [];
  const counts = (): MachineCounts => {
    const states = agents.map((agent) => agent.status());
    const sum = (figure: (state: (typeof states)[number]) => number) =>
      states.reduce((total, state) => total + figure(state), 0);
    const { user, system } = process.cpuUsage();
    return {
      synced: states.filter(({ synced }) => synced).length,
      liveTasks: sum(({ liveTasks }) => liveTasks),
      waitingReports: sum(({ waitingReports }) => waitingReports),
      epochs: sum(({ epoch }) => epoch),
      cpuMs: (user + system) / 1000,
    };
  };
  process.on("message", (what) => {
    if (what === "counts") return void process.send?.(counts());
    agents = options.machines.map((machine) => makeAgent(options.natsUrl, machine));
    for (const agent of agents) void agent.start();
  });
  process.once("disconnect", () => process.exit(0));
  process.send?.("ready");
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv[2] === "child")
  process.once("message", (options) => runMachines(options as MachinesOptions));
