import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Connection, createTransport } from "../../client/http-transport.js";
import { readKubeconfig } from "../../client/kubeconfig.js";
import { acquireLock, LockHeld } from "../../store/lock.js";
import { Failure } from "../failure.js";
import { bold, print, progress } from "../output/terminal.js";
import type { UpOptions } from "../up.js";
import { type Binding, bindingOf, inUrl } from "./binding.js";
import { type Bus, externalBus, type Nats, ownBus } from "./bus-access.js";
import { keepCertificate } from "./certificate.js";
import { checkDocker, freePort } from "./checks.js";
import { lastWords } from "./child.js";
import { agentSpec, natsSpec, type Plan, serverSpec } from "./children.js";
import { containersOf } from "./containers.js";
import { type DataFolder, dataFolder, openDataFolder } from "./data-folder.js";
import { instanceIds } from "./instance-ids.js";
import { sizeOf, tail } from "./log-file.js";
import { isAlive } from "./process.js";
import { readState, type SupervisorState, self } from "./state-file.js";
import { type Ended, Supervisor, waitReady } from "./supervisor.js";

const READY_TIMEOUT_MS = 60_000;

/** `davit up` in the foreground: resolves when the user's signal has stopped it. */
export async function up(options: UpOptions): Promise<void> {
  const startedAt = performance.now();
  const folder = dataFolder(options.dataDir);
  if (options.manifests !== undefined) checkManifests(options.manifests);
  openDataFolder(folder);
  const release = await lock(folder);
  try {
    const house = await prepare(folder, options);
    const { supervisor } = house;
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => supervisor.interrupt());
    try {
      await run(house, folder, options, startedAt);
    } finally {
      await supervisor.stop();
    }
    await sayWhatStays(folder, options);
  } finally {
    await release();
  }
}

async function run(house: Prepared, folder: DataFolder, options: UpOptions, startedAt: number): Promise<void> {
  const { supervisor } = house;
  const waiting = progress();
  waiting.show("Starting Davit …");
  // The server takes longest, and needs the bus only later.
  await supervisor.start(serverSpec(house.plan));
  const { nats } = await house.openBus();
  if (nats) await supervisor.start(natsSpec(folder, nats));
  await supervisor.start(agentSpec(house.plan));
  await supervisor.endOthers();
  const connection = await waitReady(
    () => probe(folder),
    supervisor.ended,
    READY_TIMEOUT_MS,
    join(folder.logs, "server.log"),
  );
  waiting.done();
  if (!connection) return;
  supervisor.ready();
  sayReady(folder, connection, options, performance.now() - startedAt);
  const { names, advertised } = house.plan.binding;
  const stopKeeping = keepCertificate({
    folder: folder.pki,
    names,
    shownBy: nats && advertised !== undefined ? ["server", "nats"] : ["server"],
    restart: (name) => supervisor.restart(name),
    now: Date.now,
    say,
  });
  const ended = await supervisor.ended;
  stopKeeping();
  if (ended.by === "signal") process.stderr.write("Stopping …\n");
  else throw new Failure(`${ended.child} can't go on: ${ended.said}`);
}

const say = (line: string): void => void process.stderr.write(`${new Date().toISOString()} ${line}\n`);

interface Prepared {
  supervisor: Supervisor;
  plan: Plan;
  openBus(): Promise<{ nats?: Nats }>;
}

/** All checks, then what to start: nothing is started or ended if one of them fails. */
async function prepare(folder: DataFolder, options: UpOptions): Promise<Prepared> {
  const former = readState(folder.state);
  if (options.runtime === "docker") await checkDocker();
  const binding = bindingOf(options);
  const choose = portChooser(binding.host);
  const apiPort = await choose(options.apiPort, former?.apiPort, former?.children.server, "--api-port");
  const bus = await chooseBus(folder, options, binding, former);
  const kubeconfig = options.kubeconfig && resolve(options.kubeconfig);
  const plan: Plan = {
    folder,
    apiPort,
    binding,
    bus,
    controlCredentials: bus.controlCredentials,
    ...(kubeconfig && { kubeconfig }),
    ...(options.manifests && { manifests: resolve(options.manifests) }),
    runtime: options.runtime,
    instances: options.instances,
  };
  const state = {
    supervisor: self(),
    apiPort,
    natsUrl: bus.url,
    ...(bus.caFile && { natsCaFile: bus.caFile }),
    ...(binding.advertised && { advertised: `https://${inUrl(binding.advertised)}:${apiPort}` }),
    ...(kubeconfig && { kubeconfig }),
  };
  return { supervisor: new Supervisor({ folder, former, state, say }), plan, openBus: bus.open };
}

/** Whose nats-server it is; what is slow about it comes with `open`. */
async function chooseBus(
  folder: DataFolder,
  options: UpOptions,
  binding: Binding,
  former: SupervisorState | undefined,
): Promise<Bus> {
  const { natsUrl, natsCa, natsCreds, natsSigningKey } = options;
  const agents = {
    instances: instanceIds(folder, options.instances),
    fleet: options.runtime === "simulated" && options.instances > 1,
  };
  if (natsUrl !== undefined) {
    const files = {
      url: natsUrl,
      ...(natsCa && { caFile: resolve(natsCa) }),
      ...(natsCreds && { credentialsFile: resolve(natsCreds) }),
      ...(natsSigningKey && { signingKeyFile: resolve(natsSigningKey) }),
    };
    return externalBus(folder, files, agents);
  }
  const formerPort = former && Number(new URL(former.natsUrl).port);
  const choose = portChooser(binding.host);
  const port = await choose(options.natsPort, formerPort, former?.children.nats, "--nats-port");
  return ownBus(folder, port, binding, agents);
}

/** The wanted port; for 0 the one of the last run, so that clients find Davit again, else any free one. A port that our
 *  own still running child holds counts as free. */
const portChooser =
  (host: string) =>
  async (
    wanted: number,
    former: number | undefined,
    holder: { pid: number; startTicks: string } | undefined,
    option: string,
  ): Promise<number> => {
    const held = former !== undefined && holder !== undefined && isAlive(holder);
    if (held && (wanted === 0 || wanted === former)) return former;
    if (wanted === 0 && former !== undefined)
      return freePort(host, former, option).catch(() => freePort(host, 0, option));
    return freePort(host, wanted, option);
  };

async function lock(folder: DataFolder): Promise<() => Promise<void>> {
  try {
    const held = await acquireLock(folder.root, "up");
    return () => held.release();
  } catch (error) {
    if (!(error instanceof LockHeld)) throw error;
    const pid = readState(folder.state)?.supervisor.pid;
    throw new Failure(
      `Davit is already up on ${folder.root}${pid === undefined ? "" : ` (process ${pid})`}: ` +
        "look with `davit status`, end it with `davit down`, or name another folder with --data-dir.",
    );
  }
}

function checkManifests(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new Failure(`--manifests ${path} is no folder: make it, or name another.`);
}

/** How the API of this folder is reached, once it says that it is ready. */
async function probe(folder: DataFolder): Promise<Connection | undefined> {
  const port = readState(folder.state)?.apiPort;
  if (!existsSync(folder.kubeconfig)) return undefined;
  const { connection } = await readKubeconfig({ path: folder.kubeconfig });
  if (new URL(connection.server).port !== String(port)) return undefined;
  const api = createTransport(connection);
  try {
    await api.text("/readyz");
    return connection;
  } catch {
    return undefined;
  } finally {
    api.close();
  }
}

function sayReady(folder: DataFolder, { server }: Connection, options: UpOptions, tookMs: number): void {
  const state = readState(folder.state);
  const flag = options.dataDir === undefined ? "" : ` --data-dir ${folder.root}`;
  print(`${bold("Davit is up")} after ${(tookMs / 1000).toFixed(1)} s.
  API         ${server}${state?.advertised ? `\n  for others  ${state.advertised}   (\`davit token create${flag}\` prints what a machine joins with)` : ""}
  kubeconfig  ${folder.kubeconfig}
  bus         ${state?.natsUrl}
  data, logs  ${folder.root}
Try \`davit status${flag}\`, or \`davit apply -f FILE${flag}\`. ${options.detach ? `\`davit down${flag}\`` : "Ctrl-C"} stops Davit; containers keep running.`);
}

async function sayWhatStays(folder: DataFolder, { runtime, dataDir }: UpOptions): Promise<void> {
  const running = runtime === "docker" ? (await containersOf(instanceIds(folder, 1))).filter((one) => one.running) : [];
  const flag = dataDir === undefined ? "" : ` --data-dir ${folder.root}`;
  if (running.length > 0)
    print(
      `Davit is down. ${running.length} container${running.length === 1 ? " keeps" : "s keep"} running; ` +
        `\`davit up${flag}\` takes them over, \`davit down --purge${flag}\` removes them.`,
    );
  else print("Davit is down.");
}

/** `davit up --detach`: starts itself again in the background and waits until that is ready. */
export async function upDetached(options: UpOptions): Promise<void> {
  const folder = dataFolder(options.dataDir);
  openDataFolder(folder);
  const logFile = join(folder.logs, "supervisor.log");
  const from = sizeOf(logFile);
  const log = openSync(logFile, "a", 0o600);
  const args = process.argv.slice(1).filter((arg) => arg !== "--detach");
  const child = spawn(process.execPath, [...process.execArgv, ...args], {
    detached: true,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  const exited = once(child, "exit").then(() => true);
  const waiting = progress();
  waiting.show("Starting Davit …");
  const startedAt = performance.now();
  while (!(await Promise.race([exited, sleep(25)]))) {
    const state = readState(folder.state);
    if (state?.ready && state.supervisor.pid === child.pid) {
      waiting.done();
      child.unref();
      const { connection } = await readKubeconfig({ path: folder.kubeconfig });
      return sayReady(folder, connection, options, performance.now() - startedAt);
    }
  }
  waiting.done();
  throw new Failure(lastWords(tail(logFile, from)), child.exitCode ?? 1);
}

export type { Ended };
