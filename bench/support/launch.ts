// One launch: a service of many tasks, from apply until all are RUNNING, and what it took.
import type { ObjectClient } from "../../client/object-client.js";
import { type Fleet, startFleet } from "./agents.js";
import { type ControlPlane, startControlPlane } from "./control-plane.js";
import { startProfile } from "./profile.js";

export interface LaunchOptions {
  tasks: number;
  instances: number;
  /** Where to write a CPU profile of the control plane during the launch. */
  profile?: string;
}

export interface Launch {
  tasks: number;
  instances: number;
  /** From the answer to nothing: the clock starts when the service is sent, and stops when a watch shows the last task RUNNING. */
  seconds: number;
  tasksPerSecond: number;
  writesPerTask: number;
  writesByResource: Readonly<Record<string, number>>;
  /** The most that any one task was written. */
  mostWritesOfATask: number;
  reportsPerTask: number;
  busBytesPerTask: number;
  /** User and system time, µs per task. */
  controlPlaneCpuUs: number;
  agentsCpuUs: number;
}

const SERVICE = "bench";

/** Starts a control plane and a fleet, launches, and ends both. */
export async function measureLaunch(options: LaunchOptions): Promise<Launch> {
  const plane = await startControlPlane();
  try {
    const fleet = await startFleet({
      natsUrl: plane.natsUrl,
      credentials: await plane.fleetCredentials(),
      instances: options.instances,
    });
    try {
      return await launch(plane, fleet, options);
    } finally {
      await fleet.stop();
    }
  } finally {
    await plane.stop();
  }
}

async function launch(plane: ControlPlane, fleet: Fleet, options: LaunchOptions): Promise<Launch> {
  const { tasks, instances } = options;
  await defineTask(plane.client);
  await settled(plane);
  const before = { reports: (await fleet.counts()).reports, agentsMs: await fleet.cpuMs(), bytes: plane.busBytes() };
  const endProfile = await startProfile(options.profile);
  plane.writes.reset();
  const cpuBefore = process.cpuUsage();
  const began = performance.now();
  const running = untilRunning(plane.client, tasks);
  await plane.client.create("Service", {
    apiVersion: "davit.dev/v1",
    kind: "Service",
    metadata: { name: SERVICE, namespace: "default" },
    spec: {
      taskDefinition: `${SERVICE}:1`,
      desiredCount: tasks,
      deploymentConfiguration: { minHealthySeconds: 0 },
    },
  });
  await running;
  const seconds = (performance.now() - began) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  await endProfile();
  const agentsMs = (await fleet.cpuMs()) - before.agentsMs;
  // Statuses that are held back a moment belong to the launch too.
  await settled(plane);
  const perTask = (total: number): number => total / tasks;
  return {
    tasks,
    instances,
    seconds,
    tasksPerSecond: tasks / seconds,
    writesPerTask: perTask(plane.writes.total()),
    writesByResource: plane.writes.byResource(),
    mostWritesOfATask: Math.max(...plane.writes.ofEach("tasks.davit.dev").values()),
    reportsPerTask: perTask((await fleet.counts()).reports - before.reports),
    busBytesPerTask: perTask(plane.busBytes() - before.bytes),
    controlPlaneCpuUs: perTask(cpu.user + cpu.system),
    agentsCpuUs: perTask(agentsMs * 1000),
  };
}

async function defineTask(client: ObjectClient): Promise<void> {
  await client.create("TaskDefinition", {
    apiVersion: "davit.dev/v1",
    kind: "TaskDefinition",
    metadata: { name: SERVICE, namespace: "default" },
    spec: {
      containerDefinitions: [
        { name: "web", image: "web:1", cpu: 16, memory: 32, portMappings: [{ containerPort: 80 }] },
      ],
    },
  });
  await eventually(async () => {
    const definition = await client.get("TaskDefinition", { namespace: "default", name: SERVICE });
    return definition?.status?.revision === 1;
  });
}

/** Resolves when a watch has shown so many tasks RUNNING at least once. */
async function untilRunning(client: ObjectClient, wanted: number): Promise<void> {
  const { resourceVersion } = await client.list("Task", { namespace: "default" });
  const watching = new AbortController();
  const running = new Set<string>();
  for await (const { events } of client.watch("Task", { resourceVersion, signal: watching.signal })) {
    for (const { object } of events) if (object.status?.lastStatus === "RUNNING") running.add(object.metadata.name);
    if (running.size >= wanted) watching.abort();
  }
}

/** Nothing has been written for a second and a half. */
async function settled({ writes }: ControlPlane): Promise<void> {
  let seen = -1;
  await eventually(async () => {
    const total = writes.total();
    const quiet = total === seen;
    seen = total;
    return quiet;
  }, 1500);
}

async function eventually(holds: () => Promise<boolean>, everyMs = 20): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error("what the benchmark waits for did not come within 120 s");
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
