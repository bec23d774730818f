// `npm run bench -- launch-docker [--json] [--containers 50] [--repeat 3] [--calls]`: real containers on the host
// network, from the command `davit apply` to all tasks RUNNING; first by a fresh `davit up`, then by the same again.
// Reference in the same run, by turns: as many `docker run -d` with the same settings, 8 at a time. `--calls` adds an
// untimed launch that counts the calls of the Engine's API.
import { randomBytes } from "node:crypto";
import { dockerSocket } from "../cli/supervisor/checks.js";
import { temporaryFolder } from "../test/support/folder.js";
import { buildImage, removeImage } from "../test/support/images.js";
import { startCountingSocket } from "./support/counting-socket.js";
import { median, option } from "./support/figures.js";
import { type DockerLaunch, measureDockerLaunches } from "./support/launch-docker.js";
import { type Containers, removeByCommand, runByCommand } from "./support/reference-containers.js";

const COMMANDS_AT_ONCE = 8;
const repeat = Number(option("repeat", "3"));
const unique = `davit-bench-${randomBytes(4).toString("hex")}`;
const containers: Containers = { image: `${unique}:1`, count: Number(option("containers", "50")), memoryMiB: 16 };

async function reference(n: number): Promise<number> {
  const name = `${unique}-${n}`;
  try {
    return await runByCommand(name, containers, COMMANDS_AT_ONCE);
  } finally {
    await removeByCommand(name, containers);
  }
}

async function countCalls(): Promise<Record<string, number>> {
  const folder = temporaryFolder("bench-calls");
  const socket = await startCountingSocket(dockerSocket(), folder.path);
  let calls: Record<string, number> = {};
  try {
    const env = { DOCKER_HOST: socket.address };
    const began = (): void => void socket.take();
    const ended = (): void => {
      calls = socket.take();
    };
    await measureDockerLaunches({ ...containers, env, began, ended }, 1);
    return calls;
  } finally {
    socket.close();
    folder.remove();
  }
}

const fresh: DockerLaunch[] = [];
const again: DockerLaunch[] = [];
const references: number[] = [];

async function davit(): Promise<void> {
  const [first, second] = await measureDockerLaunches(containers, 2);
  if (first) fresh.push(first);
  if (second) again.push(second);
}

async function docker(n: number): Promise<void> {
  references.push(await reference(n));
}

let calls: Record<string, number> | undefined;
await buildImage(containers.image);
try {
  await reference(0); // the first warms the Engine and the disk
  for (let n = 1; n <= repeat; n++) {
    // Neither is always first, and each Davit has a reference close by.
    if (n % 2 === 0) await docker(n);
    await davit();
    if (n % 2 === 1) await docker(n);
  }
  if (process.argv.includes("--calls")) calls = await countCalls();
} finally {
  await removeImage(containers.image);
}

const range = (values: readonly number[]): string =>
  `${Math.min(...values).toFixed(2)}–${Math.max(...values).toFixed(2)}`;
const referenceSeconds = median(references);

function summed(launches: readonly DockerLaunch[]) {
  const of = (figure: (launch: DockerLaunch) => number): number => median(launches.map(figure));
  const seconds = of((launch) => launch.seconds);
  return {
    seconds,
    spread: range(launches.map((launch) => launch.seconds)),
    ratio: seconds / referenceSeconds,
    applySeconds: of((launch) => launch.applySeconds),
    firstRunningSeconds: of((launch) => launch.firstRunningSeconds),
    allRunningSeconds: of((launch) => launch.allRunningSeconds),
    cpuMs: {
      server: of(({ cpuMs }) => cpuMs.server),
      agent: of(({ cpuMs }) => cpuMs.agent),
      nats: of(({ cpuMs }) => cpuMs.nats),
    },
  };
}

const summary = {
  benchmark: "launch-docker",
  containers: containers.count,
  repeat,
  fresh: summed(fresh),
  again: summed(again),
  reference: { seconds: referenceSeconds, spread: range(references) },
  ...(calls && { calls }),
  launches: { fresh, again, references },
};

const line = ({
  seconds,
  spread,
  ratio,
  applySeconds,
  firstRunningSeconds,
  allRunningSeconds,
  cpuMs,
}: ReturnType<typeof summed>) =>
  `${seconds.toFixed(2)} s (${spread}), ratio ${ratio.toFixed(2)}
                     ${applySeconds.toFixed(2)} s until the API had the service; then to the first RUNNING ${firstRunningSeconds.toFixed(2)} s, to the last ${allRunningSeconds.toFixed(2)} s
                     CPU: server ${cpuMs.server} ms, agent ${cpuMs.agent} ms, nats-server ${cpuMs.nats} ms`;

if (process.argv.includes("--json")) console.log(JSON.stringify(summary));
else
  console.log(`${containers.count} containers on the host network, ${repeat} times by turns, medians
  docker run -d      ${referenceSeconds.toFixed(2)} s (${summary.reference.spread}), ${COMMANDS_AT_ONCE} at a time
  davit, fresh       ${line(summary.fresh)}
  davit, once more   ${line(summary.again)}${calls ? `\n  Engine calls       ${JSON.stringify(calls)}` : ""}`);
