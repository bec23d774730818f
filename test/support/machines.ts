// Machines as network namespaces of a test's own: each has an address on a common wire, a host name, an /etc/machine-id
// and a /var/lib. Docker's Engine is one for all, and the containers' network is the host's.
import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { LABELS } from "../../agent/runtimes/labels.js";
import { dataFolder } from "../../cli/supervisor/data-folder.js";
import { knownInstanceIds } from "../../cli/supervisor/instance-ids.js";
import { execute, type Output } from "./davit.js";
import { temporaryFolder } from "./folder.js";
import { isAlive } from "./process.js";
import { eventually } from "./wait.js";

const DAVIT = new URL("../../cli/davit.js", import.meta.url).pathname;

export interface Machine {
  /** Its host name. */
  readonly name: string;
  readonly address: string;
  readonly machineId: string;
  /** Where lines are run, and HOME. */
  readonly folder: string;
  /** Its /var/lib, seen from here. */
  readonly lib: string;
  /** Runs a shell's line on it to its end, with `davit` on PATH. */
  run(line: string, env?: NodeJS.ProcessEnv): Promise<Output>;
  /** Starts a program on it that goes on; it ends with the machine. */
  start(line: string, env?: NodeJS.ProcessEnv): ChildProcess;
  /** Pulls its cable, or puts it in again. */
  link(state: "up" | "down"): Promise<void>;
  /** Of all that runs on it. */
  processes(): Promise<number[]>;
  /** The instances that its agents have been: an instance's containers carry its id. */
  instances(): string[];
  /** Container ids of its agents: those that run, or all. */
  containers(all?: "all"): Promise<string[]>;
  /** kill -9 of everything that runs on it; containers run on. */
  kill(): Promise<void>;
  /** As if the power had failed and come back: nothing runs, containers neither, and what tells one boot from the next
   *  has changed. Its disk is what it was. */
  reboot(): Promise<void>;
}

export interface Machines {
  readonly machines: readonly Machine[];
  /** This process's own address on the wire. */
  readonly address: string;
  machine(name: string): Machine;
  /** Kills and removes everything: processes, containers, namespaces, links, folders. May be called at any time. */
  remove(): Promise<void>;
}

/** @param names their host names: letters and digits */
export async function startMachines(names: readonly string[]): Promise<Machines> {
  const id = randomBytes(3).toString("hex");
  const folder = temporaryFolder("machines");
  const wire = await startWire(id);
  const bin = commandFolder(folder.path);
  const machines: (Machine & { remove(): Promise<void> })[] = [];
  const remove = async (): Promise<void> => {
    const removed = await Promise.allSettled(machines.map((machine) => machine.remove()));
    await wire.remove();
    folder.remove();
    for (const each of removed) if (each.status === "rejected") throw each.reason;
  };
  try {
    for (const [at, name] of names.entries())
      machines.push(await startMachine({ id, name, at, wire, bin, folder: folder.path }));
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    machines,
    address: wire.address,
    machine(name) {
      const found = machines.find((each) => each.name === name);
      if (found === undefined) throw new Error(`no machine ${name}`);
      return found;
    },
    remove,
  };
}

interface Wire {
  /** `10.1.2` */
  subnet: string;
  /** The host's. */
  address: string;
  namespace: string;
  remove(): Promise<void>;
}

/** A bridge in a namespace of its own: on the host's, Docker's firewall would drop what crosses it. */
async function startWire(id: string): Promise<Wire> {
  const namespace = `davit-${id}-wire`;
  const link = `dvt${id}`;
  const subnet = freeSubnet();
  const address = `${subnet}.254`;
  const remove = async (): Promise<void> => {
    await execute("ip", ["link", "del", link]);
    await execute("ip", ["netns", "del", namespace]);
  };
  try {
    await ip("netns", "add", namespace);
    await ip("-n", namespace, "link", "add", "wire", "type", "bridge");
    await ip("-n", namespace, "link", "set", "wire", "up");
    await ip("link", "add", link, "type", "veth", "peer", "name", "host", "netns", namespace);
    await plug(namespace, "host");
    await ip("address", "add", `${address}/24`, "dev", link);
    await ip("link", "set", link, "up");
  } catch (error) {
    await remove();
    throw error;
  }
  return { subnet, address, namespace, remove };
}

const plug = async (namespace: string, port: string): Promise<void> => {
  await ip("-n", namespace, "link", "set", port, "master", "wire");
  await ip("-n", namespace, "link", "set", port, "up");
};

/** One that none of the host's addresses is in. */
function freeSubnet(): string {
  const taken = Object.values(networkInterfaces()).flatMap((each) => each?.map(({ address }) => address) ?? []);
  for (;;) {
    const [x = 0, y = 0] = randomBytes(2);
    const subnet = `10.${x}.${y}`;
    if (!taken.some((address) => address.startsWith(`${subnet}.`))) return subnet;
  }
}

/** A folder for PATH that holds `davit`. */
function commandFolder(folder: string): string {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "davit"), `#!/bin/sh\nexec ${process.execPath} ${DAVIT} "$@"\n`);
  chmodSync(join(bin, "davit"), 0o755);
  return bin;
}

const MACHINE_ID = "/etc/machine-id";
/** Run as `sh -c ENTER hostname folder line`: from there on a shell is on the machine. */
const ENTER = `hostname "$0" && mount --bind "$1/lib" /var/lib || exit 125
if [ -e ${MACHINE_ID} ]; then mount --bind "$1/machine-id" ${MACHINE_ID} || exit 125; fi
cd "$1" && exec sh -c "$2"`;

interface MachineOptions {
  id: string;
  name: string;
  at: number;
  wire: Wire;
  bin: string;
  folder: string;
}

async function startMachine({ id, name, at, wire, bin, folder }: MachineOptions) {
  const address = `${wire.subnet}.${at + 1}`;
  const machineId = createHash("sha256").update(`${id} ${name}`).digest("hex").slice(0, 32);
  const own = join(folder, name);
  const lib = join(own, "lib");
  mkdirSync(lib, { recursive: true });
  writeFileSync(join(own, "machine-id"), `${machineId}\n`);
  let boot = 0;
  const namespace = (): string => `davit-${id}-${name}-${boot}`;
  const plugIn = async (): Promise<void> => {
    const [port, here] = [`port${at}`, namespace()];
    await ip("netns", "add", here);
    await ip("-n", wire.namespace, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", here);
    await plug(wire.namespace, port);
    await ip("-n", here, "address", "add", `${address}/24`, "dev", "eth0");
    for (const link of ["lo", "eth0"]) await ip("-n", here, "link", "set", link, "up");
  };

  const environment = (env: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
    HOME: own,
    PATH: `${bin}:${process.env.PATH}`,
    ...(existsSync(MACHINE_ID) ? {} : { DAVIT_MACHINE_ID: machineId }),
    ...env,
  });
  const onIt = (line: string): string[] => [
    ...["netns", "exec", namespace(), "unshare", "--uts", "--mount", "sh", "-c", ENTER, name, own, line],
  ];

  const machine: Machine & { remove(): Promise<void> } = {
    name,
    address,
    machineId,
    folder: own,
    lib,
    run: (line, env) => execute("ip", onIt(line), environment(env)),
    start: (line, env) =>
      spawn("ip", onIt(line), { stdio: "ignore", env: { ...process.env, ...environment(env) }, detached: true }),
    link: (state) => ip("-n", namespace(), "link", "set", "eth0", state),
    processes: () => processesIn(namespace()),
    instances: () => [...knownInstanceIds(dataFolder(join(lib, "davit"))), joinedInstance(machineId)],
    containers: async (all) =>
      (await Promise.all(machine.instances().map((instance) => containersOf(instance, all)))).flat(),
    async kill() {
      await eventually(`nothing runs on ${name}`, async () => {
        const pids = await machine.processes();
        for (const pid of pids) killNow(pid);
        return pids.length === 0;
      });
    },
    async reboot() {
      await machine.kill();
      const containers = await machine.containers();
      if (containers.length > 0) await execute("docker", ["kill", ...containers]);
      // The new namespace is made while the old one is there: its inode, by which a boot is known, is another one.
      const old = namespace();
      await ip("-n", wire.namespace, "link", "del", `port${at}`);
      boot += 1;
      await plugIn();
      await ip("netns", "del", old);
    },
    async remove() {
      await machine.kill();
      const containers = await machine.containers("all");
      if (containers.length > 0) await execute("docker", ["rm", "-f", "-v", ...containers]);
      await execute("ip", ["netns", "del", namespace()]);
    },
  };
  try {
    await plugIn();
  } catch (error) {
    await machine.remove();
    throw error;
  }
  return machine;
}

/** The instance that a machine becomes by joining. */
const joinedInstance = (machineId: string): string =>
  createHash("sha256").update(`default/${machineId}`).digest("hex").slice(0, 32);

async function containersOf(instance: string, all?: "all"): Promise<string[]> {
  const filter = `label=${LABELS.agent}=${instance}`;
  const { stdout } = await execute("docker", ["ps", ...(all ? ["-a"] : []), "-q", "--no-trunc", "--filter", filter]);
  return stdout.split("\n").filter(Boolean);
}

async function processesIn(namespace: string): Promise<number[]> {
  const { stdout } = await execute("ip", ["netns", "pids", namespace]);
  return stdout.split("\n").filter(Boolean).map(Number).filter(isAlive);
}

function killNow(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself.
  }
}

/** @throws Error with what `ip` said */
async function ip(...args: string[]): Promise<void> {
  const { code, stderr } = await execute("ip", args);
  if (code !== 0) throw new Error(`ip ${args.join(" ")}: ${stderr.trim()}`);
}

/** Resolves when it has ended. */
export const ended = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
};
