// `npm run quickstart`: from nothing to real containers, declared in YAML and kept running. With `--once` everything is
// torn down at the end; else it stays up until Ctrl-C.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHouse, type House } from "./quickstart/house.js";
import { buildWebImage, removeWebImages } from "./quickstart/image.js";
import { sampleWhile } from "./quickstart/sampler.js";
import { docker, say, show, step } from "./quickstart/terminal.js";

const MANIFESTS = new URL("../../manifests/quickstart/", import.meta.url).pathname;
const WANTED = 3;

const once = process.argv.includes("--once");
const folder = mkdtempSync(join(tmpdir(), "davit-quickstart-"));
const house = createHouse(join(folder, "data"));
let interrupt = (): void => undefined;
const interrupted = new Promise<void>((resolve) => {
  interrupt = resolve;
});
for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => interrupt());

const cancelled = interrupted.then(() => {
  if (!finished) throw new Error("interrupted");
});
let finished = false;
try {
  await Promise.race([showAll(house), cancelled]);
  finished = true;
  if (!once) await stayUp();
} catch (error) {
  process.exitCode = 1;
  process.stderr.write(`\nquickstart: ${error instanceof Error ? error.message : String(error)}\n`);
  house.showLogs();
} finally {
  finished = true;
  await tearDown();
}
process.exit();

async function showAll(davit: House): Promise<void> {
  step("Build a web server's image from busybox, in two versions");
  await buildWebImage(folder, 1);
  await buildWebImage(folder, 2);

  step("Start Davit: nats-server, API and controllers, an agent for this machine");
  await davit.run("up", "--detach", "--api-port", "0", "--nats-port", "0");

  step("Declare a web service of three tasks, and a batch task");
  await davit.run("apply", "-f", MANIFESTS, "--wait");
  await davit.untilSteady(WANTED);
  await davit.run("get", "services");
  await davit.run("get", "tasks", "--all");

  step("Fetch a page from every task");
  await fetchAll(davit, 1);

  step("What they log");
  await davit.run("logs", "service/web", "--tail", "2");
  await davit.run("logs", "task/batch");

  step("Kill one container behind Davit's back");
  await replaceKilled(davit);

  step("Roll out version 2, while three healthy tasks answer at every moment");
  await rollOut(davit);

  step("What runs now");
  await davit.run("status");
  await davit.run("get", "services");
  await davit.run("get", "tasks", "-o", "wide");
}

async function fetchAll(davit: House, version: number): Promise<void> {
  const tasks = davit.healthy();
  if (tasks.length !== WANTED) throw new Error(`${tasks.length} healthy tasks, not ${WANTED}`);
  for (const { name, url } of tasks) {
    const page = (await (await fetch(url)).text()).trim();
    say(`${name}  ${url}  ${page}`);
    if (!page.includes(`version ${version}`)) throw new Error(`${name} does not serve version ${version}`);
  }
}

async function replaceKilled(davit: House): Promise<void> {
  const [victim] = davit.healthy();
  if (!victim) throw new Error("no task to kill");
  show(`docker kill ${victim.containerId.slice(0, 12)}`);
  await docker("kill", victim.containerId);
  const killedAt = performance.now();
  await davit.until("another task runs in its place", () => !davit.healthy().some(({ name }) => name === victim.name));
  await davit.untilSteady(WANTED);
  await davit.run("get", "tasks", "--all");
  say(
    `${victim.name} is replaced; all three are healthy again ${seconds(performance.now() - killedAt)} after the kill.`,
  );
}

async function rollOut(davit: House): Promise<void> {
  const manifest = readFileSync(join(MANIFESTS, "web.yaml"), "utf8").replace(":1\n", ":2\n");
  const changed = join(folder, "web.yaml");
  writeFileSync(changed, manifest);
  const { samples, fewest, longestGapMs } = await sampleWhile(davit, async () => {
    await davit.run("apply", "-f", changed);
    await davit.untilRevision("web:2", WANTED);
    await davit.run("rollout", "status", "service/web");
  });
  await fetchAll(davit, 2);
  say(
    `${samples} samples, the longest ${Math.round(longestGapMs)} ms apart: at least ${fewest} healthy tasks answered in each.`,
  );
  if (fewest < WANTED) throw new Error(`only ${fewest} healthy tasks answered at one moment of the rollout`);
}

async function stayUp(): Promise<void> {
  say(`
Davit stays up until Ctrl-C, which removes all of this again. In another terminal, try

  export DAVIT_DATA_DIR=${house.dataDir}
  npx davit get tasks
  npx davit describe service/web
  npx davit logs service/web -f
  npx davit run batch --wait
  npx davit kubectl scale dsvc/web --replicas=5
  npx davit events -w
  npx davit skeleton service`);
  await interrupted;
}

async function tearDown(): Promise<void> {
  step("Tear it all down");
  await house.down();
  await removeWebImages();
  rmSync(folder, { recursive: true, force: true });
  say("Nothing is left.");
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
