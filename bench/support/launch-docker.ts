// One launch of real containers by a whole Davit, from `davit apply` until a watch has shown all of them RUNNING.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createHttpClient, type HttpObjectClient } from "../../client/http-client.js";
import { readKubeconfig } from "../../client/kubeconfig.js";
import { Davit, type Role } from "../../test/support/davit.js";
import { eventually } from "../../test/support/wait.js";
import { cpuMs } from "./process-figures.js";
import type { Containers } from "./reference-containers.js";

export interface DockerLaunch {
  /** From the start of the command `davit apply` to the last task RUNNING. */
  seconds: number;
  /** The part of it until the API server had the service. */
  applySeconds: number;
  /** From the service's first watch event to the first and last task RUNNING. */
  firstRunningSeconds: number;
  allRunningSeconds: number;
  /** User and system time of each process during the launch. */
  cpuMs: Record<"nats" | "server" | "agent", number>;
}

export interface LaunchDockerOptions extends Containers {
  env?: NodeJS.ProcessEnv;
  /** Called right before the launch, and right after it. */
  began?: () => void;
  ended?: () => void;
}

const NAME = "bench";

/** Starts a Davit, launches so many times, the former service gone each time, and removes it with its containers. */
export async function measureDockerLaunches(options: LaunchDockerOptions, times: number): Promise<DockerLaunch[]> {
  const davit = await Davit.start("bench", [], {
    // What `docker run` does with an image that is there.
    ECS_IMAGE_PULL_BEHAVIOR: "prefer-cached",
    ...options.env,
  });
  try {
    const { connection } = await readKubeconfig({ path: join(davit.folder, "kubeconfig") });
    const client = createHttpClient({ connection });
    try {
      await prepare(client, options);
      const launches: DockerLaunch[] = [];
      for (let n = 1; n <= times; n++) {
        launches.push(await launch(davit, client, options));
        if (n < times) await clear(client);
      }
      return launches;
    } finally {
      client.close();
    }
  } finally {
    await davit.purge();
  }
}

/** In a Davit that is up. */
export async function launchIn(davit: Davit, options: LaunchDockerOptions): Promise<DockerLaunch> {
  const { connection } = await readKubeconfig({ path: join(davit.folder, "kubeconfig") });
  const client = createHttpClient({ connection });
  try {
    await prepare(client, options);
    return await launch(davit, client, options);
  } finally {
    client.close();
  }
}

async function launch(davit: Davit, client: HttpObjectClient, options: LaunchDockerOptions): Promise<DockerLaunch> {
  const manifest = join(davit.folder, "service.json");
  writeFileSync(manifest, JSON.stringify(service(options.count)));
  const roles: Exclude<Role, "supervisor">[] = ["nats", "server", "agent"];
  const before = roles.map((role) => cpuMs(davit.pid(role)));
  const progress = await follow(client, options.count);
  options.began?.();
  const began = performance.now();
  const applied = davit.cli("apply", "-f", manifest);
  await progress.done;
  options.ended?.();
  const { code, stderr } = await applied;
  if (code !== 0) throw new Error(`davit apply: ${stderr}`);
  const since = (from: number, to: number): number => (to - from) / 1000;
  const used = roles.map((role, at) => [role, cpuMs(davit.pid(role)) - (before[at] ?? 0)]);
  return {
    seconds: since(began, progress.lastRunningAt()),
    applySeconds: since(began, progress.acceptedAt()),
    firstRunningSeconds: since(progress.acceptedAt(), progress.firstRunningAt()),
    allRunningSeconds: since(progress.acceptedAt(), progress.lastRunningAt()),
    cpuMs: Object.fromEntries(used) as DockerLaunch["cpuMs"],
  };
}

/** The service goes, and its containers stop. */
async function clear(client: HttpObjectClient): Promise<void> {
  await client.delete("Service", { namespace: "default", name: NAME });
  const live = async () =>
    (await client.list("Task", { namespace: "default" })).items.filter(
      ({ status }) => status?.lastStatus !== "STOPPED",
    );
  await eventually("all tasks are STOPPED", async () => (await live()).length === 0, 120_000);
}

const service = (desiredCount: number) => ({
  apiVersion: "davit.dev/v1",
  kind: "Service",
  metadata: { name: NAME },
  spec: { taskDefinition: `${NAME}:1`, desiredCount },
});

async function prepare(client: HttpObjectClient, { image, memoryMiB }: Containers): Promise<void> {
  await client.create("TaskDefinition", {
    apiVersion: "davit.dev/v1",
    kind: "TaskDefinition",
    metadata: { name: NAME, namespace: "default" },
    spec: { networkMode: "host", containerDefinitions: [{ name: "main", image, memory: memoryMiB, stopTimeout: 2 }] },
  });
  await eventually("the revision is registered", async () => {
    const definition = await client.get("TaskDefinition", { namespace: "default", name: NAME });
    return definition?.status?.revision === 1;
  });
  await eventually("the agent is connected", async () => {
    const [instance] = (await client.list("ContainerInstance", { namespace: "default" })).items;
    return instance?.status?.agentConnected === true;
  });
}

interface Progress {
  /** Resolves when so many tasks have been shown RUNNING. */
  done: Promise<void>;
  acceptedAt(): number;
  firstRunningAt(): number;
  lastRunningAt(): number;
}

async function follow(client: HttpObjectClient, count: number): Promise<Progress> {
  const { resourceVersion } = await client.list("Task", { namespace: "default" });
  const times = { accepted: Number.NaN, first: Number.NaN, last: Number.NaN };
  const ending = new AbortController();
  const { signal } = ending;
  const limit = setTimeout(() => ending.abort(), 180_000);
  const running = new Set<string>();
  const accepted = async (): Promise<void> => {
    for await (const { events } of client.watch("Service", { resourceVersion, signal }))
      if (events.some(({ type }) => type === "ADDED")) times.accepted = performance.now();
  };
  const tasks = async (): Promise<void> => {
    for await (const { events } of client.watch("Task", { resourceVersion, signal })) {
      for (const { object } of events)
        if (object.status?.lastStatus === "RUNNING") running.add(object.metadata.uid ?? "");
      if (running.size > 0 && Number.isNaN(times.first)) times.first = performance.now();
      if (running.size < count) continue;
      times.last = performance.now();
      ending.abort();
    }
  };
  const done = Promise.all([accepted(), tasks()]).then(() => {
    clearTimeout(limit);
    if (running.size < count) throw new Error(`only ${running.size} of ${count} tasks were RUNNING within 180 s`);
  });
  return {
    done,
    acceptedAt: () => times.accepted,
    firstRunningAt: () => times.first,
    lastRunningAt: () => times.last,
  };
}
