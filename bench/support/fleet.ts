// The life of a fleet: it registers, beats, gets a service, loses its bus and its control plane for a moment, loses half
// of its machines, and gets them back.
import { setTimeout as sleep } from "node:timers/promises";
import type { ContainerInstance } from "../../api/types.gen.js";
import { createInformer } from "../../client/informer.js";
import { eventually } from "../../test/support/wait.js";
import { type Machine, type MachineCounts, type Machines, prepareMachines } from "./fleet-agents.js";
import { type BusHoldings, type FleetPlane, startFleetPlane } from "./fleet-plane.js";
import { startProbes } from "./fleet-probes.js";
import { cpuMs } from "./process-figures.js";
import { quiet } from "./quiet.js";

export interface FleetOptions {
  instances: number;
  /** On each machine, before half of them are cut. */
  tasksEach: number;
  /** How long nothing happens while heartbeats are measured. */
  idleMs: number;
  /** Of silence, until a machine's tasks are replaced. */
  afterSeconds: number;
  /** A folder for CPU profiles of the control plane. */
  profile?: string;
  /** Told what is going on. */
  say?: (what: string) => void;
}

/** Percent of one core. */
export interface Load {
  server: number;
  nats: number;
  machines: number;
}

export interface FleetFigures {
  /** From the start of all agents until the API shows each as ACTIVE and connected. */
  registerSeconds: number;
  /** Heartbeats of machines without tasks, and with them. */
  idle: Load;
  idleWithTasks: Load;
  launchSeconds: number;
  /** From the cut of half of the machines until the API shows each of them as disconnected. */
  noticeSeconds: number;
  /** From the cut until as many tasks as before run on the other half. */
  replaceSeconds: number;
  /** Of tasks started on the other half meanwhile, from the request until a watch shows them RUNNING. */
  probes: { count: number; p50Ms: number; p99Ms: number; maxMs: number };
  /** From the mending of the network until all are connected and just the wanted tasks live. */
  returnSeconds: number;
  /** From kill -9 until every machine has an open session and the API shows each as connected. */
  storms: { nats: number; server: number };
  /** Before the first storm and at the end. */
  holdings: { before: BusHoldings; after: BusHoldings };
}

const SERVICE = "fleet";

export async function measureFleet(options: FleetOptions): Promise<FleetFigures> {
  const { say = () => undefined } = options;
  const plane = await startFleetPlane(options.profile ? { profile: options.profile } : {});
  const halves: Machines[] = [];
  try {
    say("making credentials");
    const names = Array.from({ length: options.instances }, (_, at) => at + 1);
    const machines = await Promise.all(names.map((n) => machineOf(plane, n)));
    const middle = options.instances / 2;
    for (const part of [machines.slice(0, middle), machines.slice(middle)])
      halves.push(await prepareMachines({ natsUrl: plane.natsUrl, machines: part }));
    return await live({ plane, halves, say, ...options });
  } finally {
    // A process that is stopped takes no message, but SIGKILL.
    for (const each of halves) await each.stop();
    await plane.stop();
  }
}

const instanceId = (n: number): string => n.toString(16).padStart(32, "0");

const machineOf = async (plane: FleetPlane, n: number): Promise<Machine> => {
  const instance = instanceId(n);
  return { instance, hostname: `machine-${n}`, credentials: await plane.agentCredentials(instance) };
};

interface Stage extends FleetOptions {
  plane: FleetPlane;
  halves: Machines[];
  say(what: string): void;
}

async function live(stage: Stage): Promise<FleetFigures> {
  const { plane, halves, instances, tasksEach, say } = stage;
  const tasks = instances * tasksEach;
  await limitLosses(stage);
  say("registering");
  const registerSeconds = await seconds(async () => {
    for (const each of halves) each.go();
    await untilInstances(plane, (all) => all.length === instances && all.every(isHeard));
  });
  say(`registered in ${registerSeconds.toFixed(1)} s; idle`);
  const idle = await loadOf(stage);
  say(`launching ${tasks} tasks`);
  const launchSeconds = await launch(stage, tasks);
  say(`launched in ${launchSeconds.toFixed(1)} s; idle`);
  await settled(stage);
  const idleWithTasks = await loadOf(stage);
  const before = await plane.holdings();
  const nats = await storm(stage, "nats");
  await settled(stage);
  const storms = { nats, server: await storm(stage, "server") };
  const lost = await loseHalf(stage, tasks);
  const after = await plane.holdings();
  return { registerSeconds, idle, idleWithTasks, launchSeconds, storms, ...lost, holdings: { before, after } };
}

async function limitLosses({ plane, afterSeconds }: Stage): Promise<void> {
  const lostInstances = { action: "REPLACE" as const, afterSeconds, onReturn: "REPLACEMENT" as const };
  await eventually("the cluster is there", () =>
    plane.client.patch("Cluster", { namespace: "default", name: "default" }, { spec: { lostInstances } }),
  );
}

async function launch({ plane, halves }: Stage, tasks: number): Promise<number> {
  const metadata = { name: SERVICE, namespace: "default" };
  await plane.client.create("TaskDefinition", {
    apiVersion: "davit.dev/v1",
    kind: "TaskDefinition",
    metadata,
    spec: { containerDefinitions: [{ name: "web", image: "web:1", cpu: 16, memory: 32 }] },
  });
  return seconds(async () => {
    await plane.client.create("Service", {
      apiVersion: "davit.dev/v1",
      kind: "Service",
      metadata,
      spec: { taskDefinition: SERVICE, desiredCount: tasks, deploymentConfiguration: { minHealthySeconds: 0 } },
    });
    await untilCounts(halves, ({ liveTasks, waitingReports }) => liveTasks === tasks && waitingReports === 0);
  });
}

/** The first half is cut off, its tasks replaced on the second, and it comes back. */
async function loseHalf(stage: Stage, tasks: number) {
  const { plane, halves, instances, say } = stage;
  const [cut, kept] = halves as [Machines, Machines];
  say(`cutting ${instances / 2} machines`);
  const began = performance.now();
  const since = (): number => (performance.now() - began) / 1000;
  const others = Array.from({ length: instances / 2 }, (_, at) => instanceId(instances / 2 + at + 1));
  const probes = await startProbes(plane.client, SERVICE, others);
  cut.cut();
  try {
    await untilInstances(plane, (all) => all.filter((each) => !isHeard(each)).length === instances / 2);
    const noticeSeconds = since();
    say(`all noticed after ${noticeSeconds.toFixed(1)} s`);
    await untilCounts(
      [kept],
      ({ liveTasks, waitingReports }) => liveTasks >= tasks + probes.alive() && waitingReports === 0,
    );
    const replaceSeconds = since();
    say(`all replaced after ${replaceSeconds.toFixed(1)} s`);
    const latencies = await probes.end();
    cut.mend();
    const returnSeconds = await seconds(async () => {
      await untilCounts(
        halves,
        ({ synced, liveTasks, waitingReports }) =>
          synced === instances && liveTasks === tasks + probes.alive() && waitingReports === 0,
      );
      await untilInstances(plane, (all) => all.every(isHeard));
    });
    say(`returned in ${returnSeconds.toFixed(1)} s`);
    await settled(stage);
    return { noticeSeconds, replaceSeconds, probes: latencies, returnSeconds };
  } finally {
    cut.mend();
    probes.close();
  }
}

async function storm(stage: Stage, role: "nats" | "server"): Promise<number> {
  const { plane, halves, instances, say } = stage;
  say(`restarting ${role}`);
  const epochs = (await total(halves)).epochs;
  const took = await seconds(async () => {
    await plane.restart(role);
    // Every machine opens a session anew.
    await untilCounts(halves, (counts) => counts.synced === instances && counts.epochs >= epochs + instances);
    await untilInstances(plane, (all) => all.length === instances && all.every(isHeard));
  });
  say(`settled after ${took.toFixed(1)} s`);
  return took;
}

const isHeard = ({ status }: ContainerInstance): boolean =>
  status?.status === "ACTIVE" && status.agentConnected === true;

async function untilInstances(
  { client }: FleetPlane,
  holds: (all: readonly ContainerInstance[]) => boolean,
): Promise<void> {
  const watching = new AbortController();
  const informer = createInformer(client, "ContainerInstance", { signal: watching.signal, log: quiet("bench") });
  try {
    await until("the machines are as wanted", () => holds(informer.list()));
  } finally {
    watching.abort();
  }
}

async function untilCounts(machines: readonly Machines[], holds: (sum: MachineCounts) => boolean): Promise<void> {
  let last: MachineCounts | undefined;
  const held = async (): Promise<boolean> => {
    last = await total(machines);
    return holds(last);
  };
  await until("the machines hold what is wanted", held, () => JSON.stringify(last));
}

/** Looks seldom enough not to be what is measured. @throws when it does not come, with what is so instead */
async function until(what: string, holds: () => boolean | Promise<boolean>, instead = (): string => ""): Promise<void> {
  const deadline = Date.now() + 180_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within 180 s: ${what}: ${instead()}`);
    await sleep(100);
  }
}

async function total(machines: readonly Machines[]): Promise<MachineCounts> {
  const each = await Promise.all(machines.map((one) => one.counts()));
  const sum = (figure: keyof MachineCounts): number => each.reduce((all, counts) => all + counts[figure], 0);
  return {
    synced: sum("synced"),
    liveTasks: sum("liveTasks"),
    waitingReports: sum("waitingReports"),
    epochs: sum("epochs"),
    cpuMs: sum("cpuMs"),
  };
}

async function loadOf({ plane, halves, idleMs }: Stage): Promise<Load> {
  const spent = async () => ({
    server: cpuMs(plane.pid("server")),
    nats: cpuMs(plane.pid("nats")),
    machines: (await total(halves)).cpuMs,
  });
  await sleep(3_000); // what was just done is over
  const [from, began] = [await spent(), performance.now()];
  await sleep(idleMs);
  const [to, tookMs] = [await spent(), performance.now() - began];
  const percent = (role: keyof Load): number => ((to[role] - from[role]) / tookMs) * 100;
  return { server: percent("server"), nats: percent("nats"), machines: percent("machines") };
}

/** The control plane does nothing but hear heartbeats: it took less than a fifth of a core for two seconds. */
async function settled({ plane }: Stage): Promise<void> {
  for (let calm = false; !calm; ) {
    const before = cpuMs(plane.pid("server"));
    await sleep(2_000);
    calm = cpuMs(plane.pid("server")) - before < 400;
  }
}

async function seconds(action: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await action();
  return (performance.now() - began) / 1000;
}
