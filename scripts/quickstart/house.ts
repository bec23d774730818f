// The quickstart's own Davit: commands against it, and what it says of the web service's tasks.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { ContainerInstance, Task } from "../../api/types.gen.js";
import { fetchList, watch } from "../../cli/api/objects.js";
import { findResource } from "../../cli/api/resources.js";
import { containersOf } from "../../cli/supervisor/containers.js";
import { dataFolder } from "../../cli/supervisor/data-folder.js";
import { knownInstanceIds } from "../../cli/supervisor/instance-ids.js";
import { tail } from "../../cli/supervisor/log-file.js";
import { createTransport, type Transport } from "../../client/http-transport.js";
import { readKubeconfig } from "../../client/kubeconfig.js";
import { runHere, say, show } from "./terminal.js";

const DAVIT = new URL("../../cli/davit.js", import.meta.url).pathname;
const STEADY_WITHIN_MS = 120_000;

/** A running task of the service `web`. */
export interface WebTask {
  name: string;
  url: string;
  containerId: string;
  healthy: boolean;
  revision: string;
}

export interface House {
  readonly dataDir: string;
  /** Runs a `davit` command, shown as a person would type it. @throws Error if it fails */
  run(...args: string[]): Promise<void>;
  /** Tasks of the web service that are RUNNING, as the API told last. */
  running(): WebTask[];
  healthy(): WebTask[];
  until(what: string, check: () => boolean): Promise<void>;
  /** Exactly so many tasks, all healthy. */
  untilSteady(count: number): Promise<void>;
  untilRevision(revision: string, count: number): Promise<void>;
  /** The last words of each process, for when something went wrong. */
  showLogs(): void;
  down(): Promise<void>;
}

export function createHouse(dataDir: string): House {
  const tasks = new Map<string, Task>();
  const ended = new AbortController();
  let api: Transport | undefined;
  let address = "127.0.0.1";
  const env = { DAVIT_DATA_DIR: dataDir };
  const davit = async (...args: string[]): Promise<void> => {
    show(`davit ${args.join(" ")}`);
    await runHere(process.execPath, [DAVIT, ...args], env).catch((error: unknown) => {
      throw new Error(`davit ${args.join(" ")}: ${error instanceof Error ? error.message : String(error)}`);
    });
  };

  const running = (): WebTask[] => [...tasks.values()].flatMap((task) => webTask(task, address));
  const healthy = (): WebTask[] => running().filter((task) => task.healthy);

  async function until(what: string, check: () => boolean): Promise<void> {
    for (const deadline = performance.now() + STEADY_WITHIN_MS; !check(); await pause(20))
      if (performance.now() > deadline) throw new Error(`not within ${STEADY_WITHIN_MS / 1000} s: ${what}`);
  }
  const steady = (count: number): boolean => {
    const wanted = [...tasks.values()].filter((task) => isWeb(task) && task.status?.lastStatus !== "STOPPED");
    return wanted.length === count && healthy().length === count;
  };

  return {
    dataDir,
    async run(...args) {
      await davit(...args);
      if (api || args[0] !== "up") return;
      api = createTransport((await readKubeconfig({ path: join(dataDir, "kubeconfig") })).connection);
      void follow(api, tasks, ended.signal);
      address = await machineAddress(api);
    },
    running,
    healthy,
    until,
    untilSteady: (count) => until(`${count} healthy tasks`, () => steady(count)),
    untilRevision: (revision, count) =>
      until(
        `${count} healthy tasks of ${revision}`,
        () => steady(count) && healthy().every((task) => task.revision === revision),
      ),
    showLogs() {
      const logs = join(dataDir, "logs");
      for (const name of existsSync(logs) ? readdirSync(logs) : [])
        say(`-- ${name}\n${tail(join(logs, name)).split("\n").slice(-8).join("\n")}`);
    },
    async down() {
      ended.abort();
      api?.close();
      if (!existsSync(dataDir)) return;
      const instances = knownInstanceIds(dataFolder(dataDir));
      await davit("down", "--purge");
      const left = await containersOf(instances);
      if (left.length > 0 || existsSync(dataDir))
        throw new Error(`left behind: ${left.map(({ name }) => name).join(", ")} ${dataDir}`);
    },
  };
}

const isWeb = ({ metadata }: Task): boolean => metadata.labels?.["davit.dev/service"] === "web";

function webTask(task: Task, address: string): WebTask[] {
  const { status } = task;
  const [container] = status?.containers ?? [];
  const port = container?.networkBindings?.[0]?.hostPort;
  if (!isWeb(task) || status?.lastStatus !== "RUNNING" || port === undefined) return [];
  return [
    {
      name: task.metadata.name,
      url: `http://${address}:${port}/`,
      containerId: container?.runtimeId ?? "",
      healthy: status.healthStatus === "HEALTHY",
      revision: status.taskDefinition ?? "",
    },
  ];
}

/** Keeps the tasks at what the API says, over every break. */
async function follow(api: Transport, tasks: Map<string, Task>, signal: AbortSignal): Promise<void> {
  const resource = findResource("task");
  while (!signal.aborted) {
    try {
      const { items, metadata } = await fetchList(api, resource, "default");
      tasks.clear();
      for (const item of items) tasks.set(item.metadata.name, item as Task);
      for await (const { type, object } of watch(api, resource, "default", metadata.resourceVersion, signal)) {
        if (type === "DELETED") tasks.delete(object.metadata.name);
        else if (type !== "BOOKMARK") tasks.set(object.metadata.name, object as Task);
      }
    } catch {
      await pause(100);
    }
  }
}

async function machineAddress(api: Transport): Promise<string> {
  for (const deadline = performance.now() + STEADY_WITHIN_MS; ; await pause(100)) {
    const [machine] = (await fetchList(api, findResource("machine"), "default")).items as ContainerInstance[];
    if (machine?.status?.agentConnected) return machine.status.address || "127.0.0.1";
    if (performance.now() > deadline) throw new Error("the agent of this machine did not register");
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
