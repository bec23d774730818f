// `npm run bench -- launch-docker [--json] [--containers 50] [--repeat 3]`: real containers on the host network, from the
// `davit apply` command to all RUNNING in the API. Reference in the same run: the same containers by `docker run`, so
// many commands at a time. Both in turn, on one Engine, with an image that is there already.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createHttpClient } from "../client/http-client.js";
import { readKubeconfig } from "../client/kubeconfig.js";
import type { ObjectClient } from "../client/object-client.js";
import { Davit, execute } from "../test/support/davit.js";
import { temporaryFolder } from "../test/support/folder.js";
import { buildImage, removeImage } from "../test/support/images.js";
import { median, option, spread } from "./support/figures.js";

const containers = Number(option("containers", "50"));
const repeat = Number(option("repeat", "3"));
const AT_A_TIME = 8;

const image = `davit-bench-${process.pid}:1`;
const folder = temporaryFolder("bench-docker");

/** Seconds until the last command has returned, as each does when its container is started. */
async function byDockerRun(round: number): Promise<number> {
  const names = Array.from({ length: containers }, (_, n) => `davit-bench-${process.pid}-${round}-${n}`);
  const began = performance.now();
  await inLanes(names, (name) => run("docker", "run", "-d", "--network", "host", "--name", name, image));
  const seconds = (performance.now() - began) / 1000;
  await run("docker", "rm", "-f", ...names);
  return seconds;
}

/** Seconds from the start of the command until a watch has shown all of them RUNNING. */
async function byDavit(davit: Davit, client: ObjectClient, round: number): Promise<number> {
  const name = `bench-${round}`;
  const file = join(folder.path, `${name}.yaml`);
  writeFileSync(file, manifest(name));
  const began = performance.now();
  const running = untilRunning(client, name);
  const applied = await davit.cli("apply", "-f", file);
  if (applied.code !== 0) throw new Error(applied.stdout + applied.stderr);
  await running;
  const seconds = (performance.now() - began) / 1000;
  await client.delete("Service", { namespace: "default", name });
  await untilGone(client, name);
  return seconds;
}

const manifest = (name: string): string => `apiVersion: davit.dev/v1
kind: TaskDefinition
metadata:
  name: ${name}
spec:
  networkMode: host
  containerDefinitions:
    - name: main
      image: ${image}
      cpu: 1
      memory: 8
      stopTimeout: 2
---
apiVersion: davit.dev/v1
kind: Service
metadata:
  name: ${name}
spec:
  taskDefinition: ${name}
  desiredCount: ${containers}
  deploymentConfiguration:
    minHealthySeconds: 0
`;

async function untilRunning(client: ObjectClient, service: string): Promise<void> {
  const { resourceVersion } = await client.list("Task", { namespace: "default" });
  const watching = new AbortController();
  const running = new Set<string>();
  for await (const { events } of client.watch("Task", { resourceVersion, signal: watching.signal })) {
    for (const { object } of events)
      if (object.metadata.name.startsWith(service) && object.status?.lastStatus === "RUNNING")
        running.add(object.metadata.name);
    if (running.size >= containers) watching.abort();
  }
}

async function untilGone(client: ObjectClient, service: string): Promise<void> {
  for (;;) {
    const { items } = await client.list("Task", { namespace: "default" });
    const left = items.filter((task) => task.metadata.name.startsWith(service));
    if (left.every((task) => task.status?.lastStatus === "STOPPED")) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function run(command: string, ...args: string[]): Promise<void> {
  const { code, stderr } = await execute(command, args);
  if (code !== 0) throw new Error(`${command} ${args[0]}: ${stderr}`);
}

async function inLanes(items: readonly string[], action: (item: string) => Promise<void>): Promise<void> {
  const left = [...items];
  const lane = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await action(item);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, lane));
}

async function measure(): Promise<{ davit: number[]; docker: number[] }> {
  const davit = await Davit.start("bench", ["--runtime", "docker"], { ECS_IMAGE_PULL_BEHAVIOR: "prefer-cached" });
  const { connection } = await readKubeconfig({ path: join(davit.folder, "kubeconfig") });
  const client = createHttpClient({ connection });
  try {
    const seconds = { davit: [] as number[], docker: [] as number[] };
    await byDavit(davit, client, 0); // the first of both warms caches and compiles
    await byDockerRun(0);
    for (let round = 1; round <= repeat; round++) {
      seconds.docker.push(await byDockerRun(round));
      seconds.davit.push(await byDavit(davit, client, round));
    }
    return seconds;
  } finally {
    client.close();
    await davit.purge();
  }
}

await buildImage(image);
try {
  const seconds = await measure();
  const ms = (values: readonly number[]): number[] => values.map((value) => value * 1000);
  const summary = {
    benchmark: "launch-docker",
    containers,
    repeat,
    network: "host",
    davitSeconds: median(seconds.davit),
    dockerRunSeconds: median(seconds.docker),
    ratio: median(seconds.davit) / median(seconds.docker),
    seconds,
  };
  if (process.argv.includes("--json")) console.log(JSON.stringify(summary));
  else
    console.log(`${containers} containers on the host network, ${repeat} times in turn, medians
  davit apply to all RUNNING  ${summary.davitSeconds.toFixed(2)} s (${spread(ms(seconds.davit))} ms)
  docker run, ${AT_A_TIME} at a time    ${summary.dockerRunSeconds.toFixed(2)} s (${spread(ms(seconds.docker))} ms)
  ratio ${summary.ratio.toFixed(2)}`);
} finally {
  await removeImage(image);
  folder.remove();
}
