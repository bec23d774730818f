// `npm run bench -- launch-docker [--json] [--containers 50] [--repeat 3] [--calls]`: real containers on the host
// network, from the command `davit apply` to all tasks RUNNING, by a fresh `davit up` each time. Reference in the same
// run, by turns: as many `docker run -d` with the same settings, 8 at a time. `--calls` adds an untimed launch that
// counts the calls of the Engine's API.
import { randomBytes } from "node:crypto";
import { dockerSocket } from "../cli/supervisor/checks.js";
import { temporaryFolder } from "../test/support/folder.js";
import { buildImage, removeImage } from "../test/support/images.js";
import { startCountingSocket } from "./support/counting-socket.js";
import { median, option } from "./support/figures.js";
import { type DockerLaunch, measureDockerLaunch } from "./support/launch-docker.js";
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
    await measureDockerLaunch({
      ...containers,
      env: { DOCKER_HOST: socket.address },
      began: () => void socket.take(),
      ended: () => {
        calls = socket.take();
      },
    });
    return calls;
  } finally {
    socket.close();
    folder.remove();
  }
}

const launches: DockerLaunch[] = [];
const references: number[] = [];
let calls: Record<string, number> | undefined;
await buildImage(containers.image);
try {
  await reference(0); // the first warms the Engine and the disk
  for (let n = 1; n <= repeat; n++) {
    // By turns, and neither always first.
    if (n % 2 === 0) references.push(await reference(n));
    launches.push(await measureDockerLaunch(containers));
    if (n % 2 === 1) references.push(await reference(n));
  }
  if (process.argv.includes("--calls")) calls = await countCalls();
} finally {
  await removeImage(containers.image);
}

const of = (figure: (launch: DockerLaunch) => number): number => median(launches.map(figure));
const range = (values: readonly number[]): string =>
  `${Math.min(...values).toFixed(2)}–${Math.max(...values).toFixed(2)}`;
const seconds = of((launch) => launch.seconds);
const summary = {
  benchmark: "launch-docker",
  containers: containers.count,
  repeat,
  seconds,
  spread: range(launches.map((launch) => launch.seconds)),
  allRunningSeconds: of((launch) => launch.allRunningSeconds),
  referenceSeconds: median(references),
  referenceSpread: range(references),
  ratio: seconds / median(references),
  ratioFromAccepted: of((launch) => launch.allRunningSeconds) / median(references),
  ...(calls && { calls }),
  launches,
  references,
};

if (process.argv.includes("--json")) console.log(JSON.stringify(summary));
else
  console.log(`${containers.count} containers on the host network, ${repeat} times by turns, medians
  Davit       ${seconds.toFixed(2)} s (${summary.spread}) from the command davit apply to all RUNNING
              ${of((launch) => launch.applySeconds).toFixed(2)} s until the API had the service, then ${of((launch) => launch.firstRunningSeconds).toFixed(2)} s to the first task RUNNING, ${summary.allRunningSeconds.toFixed(2)} s to the last
              CPU: server ${of(({ cpuMs }) => cpuMs.server)} ms, agent ${of(({ cpuMs }) => cpuMs.agent)} ms, nats-server ${of(({ cpuMs }) => cpuMs.nats)} ms
  docker run  ${summary.referenceSeconds.toFixed(2)} s (${summary.referenceSpread}), ${COMMANDS_AT_ONCE} at a time
  ratio       ${summary.ratio.toFixed(2)}; from the accepted service on ${summary.ratioFromAccepted.toFixed(2)}${calls ? `\n  Engine calls ${JSON.stringify(calls)}` : ""}`);
