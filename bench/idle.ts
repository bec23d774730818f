// `npm run bench -- idle [--json] [--containers 50] [--repeat 3] [--settle 15]`: seconds from the command `davit up` to
// the API's readiness, with a new data folder and with one that is there; and the memory of each process once nothing
// happens, without tasks and with real containers. There is no reference but the bare Node process beside it.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Davit, type Role } from "../test/support/davit.js";
import { buildImage, removeImage } from "../test/support/images.js";
import { median, option } from "./support/figures.js";
import { launchIn } from "./support/launch-docker.js";
import { cpuMs, type MemoryMiB, memoryOf } from "./support/process-figures.js";

const containers = Number(option("containers", "50"));
const repeat = Number(option("repeat", "3"));
const settleMs = Number(option("settle", "15")) * 1000;
const image = `davit-bench-${randomBytes(4).toString("hex")}:1`;
const ROLES: readonly Role[] = ["supervisor", "nats", "server", "agent"];

interface Idle {
  memory: Record<Role, MemoryMiB>;
  /** Of all processes together, in percent of one processor. */
  cpuPercent: number;
}

/** Nothing happens for a while; then the figures of one more such while. */
async function idle(davit: Davit): Promise<Idle> {
  await sleep(settleMs);
  const spent = (): number => ROLES.reduce((sum, role) => sum + cpuMs(davit.pid(role)), 0);
  const before = spent();
  await sleep(settleMs);
  const cpuPercent = ((spent() - before) / settleMs) * 100;
  const memory = Object.fromEntries(ROLES.map((role) => [role, memoryOf(davit.pid(role))])) as Idle["memory"];
  return { memory, cpuPercent };
}

interface Round {
  newFolderSeconds: number;
  sameFolderSeconds: number;
  withoutTasks: Idle;
  withTasks: Idle;
}

async function round(): Promise<Round> {
  const secondsOf = async <T>(action: () => Promise<T>): Promise<[number, T]> => {
    const began = performance.now();
    const result = await action();
    return [(performance.now() - began) / 1000, result];
  };
  const [newFolderSeconds, davit] = await secondsOf(() =>
    Davit.start("bench-idle", [], { ECS_IMAGE_PULL_BEHAVIOR: "prefer-cached" }),
  );
  try {
    await davit.down();
    const [sameFolderSeconds] = await secondsOf(() => davit.up());
    const withoutTasks = await idle(davit);
    await launchIn(davit, { image, count: containers, memoryMiB: 16 });
    return { newFolderSeconds, sameFolderSeconds, withoutTasks, withTasks: await idle(davit) };
  } finally {
    await davit.purge();
  }
}

/** A Node process that does nothing. */
async function bareNode(): Promise<MemoryMiB> {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
  try {
    await sleep(1000);
    return memoryOf(child.pid ?? 0);
  } finally {
    child.kill();
  }
}

const rounds: Round[] = [];
await buildImage(image);
try {
  for (let n = 0; n < repeat; n++) rounds.push(await round());
} finally {
  await removeImage(image);
}

const of = (figure: (each: Round) => number): number => median(rounds.map(figure));
const range = (figure: (each: Round) => number): string =>
  `${Math.min(...rounds.map(figure)).toFixed(2)}–${Math.max(...rounds.map(figure)).toFixed(2)}`;

function summed(idle: (each: Round) => Idle) {
  const memory = (kind: keyof MemoryMiB) => {
    const each = ROLES.map((role) => [role, of((one) => idle(one).memory[role][kind])] as const);
    return { ...Object.fromEntries(each), total: each.reduce((sum, [, mib]) => sum + mib, 0) };
  };
  return {
    residentMiB: memory("resident"),
    proportionalMiB: memory("proportional"),
    cpuPercent: of((one) => idle(one).cpuPercent),
  };
}

const summary = {
  benchmark: "idle",
  containers,
  repeat,
  readySeconds: {
    newFolder: of((each) => each.newFolderSeconds),
    newFolderSpread: range((each) => each.newFolderSeconds),
    sameFolder: of((each) => each.sameFolderSeconds),
    sameFolderSpread: range((each) => each.sameFolderSeconds),
  },
  withoutTasks: summed((each) => each.withoutTasks),
  withTasks: summed((each) => each.withTasks),
  bareNodeMiB: await bareNode(),
};

const mib = (figures: Record<string, number>): string =>
  Object.entries(figures)
    .map(([name, value]) => `${name} ${value.toFixed(0)}`)
    .join(", ");
const lines = ({ residentMiB, proportionalMiB, cpuPercent }: ReturnType<typeof summed>): string =>
  `${mib(residentMiB)} MiB resident
      shared pages divided: ${mib(proportionalMiB)} MiB; ${cpuPercent.toFixed(1)} % of one processor`;

if (process.argv.includes("--json")) console.log(JSON.stringify(summary));
else
  console.log(`davit up, ${repeat} times, medians
  ready after ${summary.readySeconds.newFolder.toFixed(2)} s (${summary.readySeconds.newFolderSpread}) with a new data folder, ${summary.readySeconds.sameFolder.toFixed(2)} s (${summary.readySeconds.sameFolderSpread}) with the same again
  idle without tasks
      ${lines(summary.withoutTasks)}
  idle with ${containers} containers
      ${lines(summary.withTasks)}
  a bare Node process: ${mib({ ...summary.bareNodeMiB })} MiB`);
