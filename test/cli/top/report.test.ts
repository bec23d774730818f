import assert from "node:assert/strict";
import type {
  ContainerDefinition,
  ContainerInstance,
  Service,
  Task,
  TaskDefinitionRevision,
} from "../../../api/types.gen.js";
import type { Probe } from "../../../cli/api/probes.js";
import { report, type TopFacts } from "../../../cli/top/report.js";
import { SUBJECTS, silentMachines, table } from "../../../cli/top/tables.js";

const meta = (name: string, uid = name) => ({
  name,
  namespace: "default",
  uid,
  resourceVersion: "1",
  generation: 1,
  creationTimestamp: "2026-01-01T00:00:00Z",
});

interface Machine {
  status?: NonNullable<ContainerInstance["status"]>["status"];
  cluster?: string;
  gpus?: string[];
}
const machine = (name: string, { status = "ACTIVE", cluster, gpus }: Machine = {}): ContainerInstance => ({
  apiVersion: "davit.dev/v1",
  kind: "ContainerInstance",
  metadata: meta(name),
  spec: cluster === undefined ? {} : { cluster },
  status: {
    status,
    hostname: `host-${name}`,
    agentConnected: true,
    registeredResources: [
      { name: "CPU", type: "INTEGER", integerValue: 2048 },
      { name: "MEMORY", type: "INTEGER", integerValue: 4000 },
      ...(gpus ? [{ name: "GPU", type: "STRINGSET" as const, stringSetValue: gpus }] : []),
    ],
  },
});

const task = (
  name: string,
  on: string | undefined,
  parts: Partial<Task["spec"]> = {},
  lastStatus: NonNullable<Task["status"]>["lastStatus"] = "RUNNING",
): Task => ({
  apiVersion: "davit.dev/v1",
  kind: "Task",
  metadata: meta(name, `uid-${name}`),
  spec: { taskDefinition: "web", ...(on !== undefined && { containerInstance: on }), ...parts },
  status: { taskDefinition: "web:1", lastStatus, group: "service:web" },
});

const container = (parts: Partial<ContainerDefinition>): ContainerDefinition => ({
  name: "main",
  image: "x",
  ...parts,
});
const WEB: TaskDefinitionRevision = {
  apiVersion: "davit.dev/v1",
  kind: "TaskDefinitionRevision",
  metadata: meta("web.1"),
  spec: {
    family: "web",
    revision: 1,
    contentHash: "",
    containerDefinitions: [
      container({
        cpu: 256,
        memory: 1000,
        memoryReservation: 500,
        resourceRequirements: [{ type: "GPU", value: "1" }],
      }),
      container({ name: "side", cpu: 256, memory: 500 }),
    ],
  },
};
const service: Service = {
  apiVersion: "davit.dev/v1",
  kind: "Service",
  metadata: meta("web"),
  spec: { taskDefinition: "web" },
};

const answer = (usage: Record<string, [cpuUnits: number, memoryMiB: number]>): Probe => ({
  sentMs: 0,
  receivedMs: 1,
  answer: {
    type: "davit.v1.ProbeAnswer",
    agentVersion: "0.1.0",
    nowMs: 0,
    usage: Object.entries(usage).map(([name, [cpuUnits, memoryMiB]]) => ({ task: `uid${name}`, cpuUnits, memoryMiB })),
    orphans: [],
    problems: [],
  },
});
const silence = (why: string): Probe => ({ silence: why, sentMs: 0, receivedMs: 1 });

const facts = (parts: Partial<TopFacts>): TopFacts => ({
  instances: [],
  tasks: [],
  services: [service],
  revisions: [WEB],
  probes: new Map(),
  ...parts,
});

describe("davit top", () => {
  const full = facts({
    instances: [
      machine("m1", { gpus: ["g0", "g1"] }),
      machine("m2"),
      machine("gone", { status: "INACTIVE" }),
      machine("other", { cluster: "lab" }),
    ],
    tasks: [
      task("a", "m1"),
      task("b", "m2"),
      task("c", "m2", { overrides: { cpu: "1024" } }),
      task("waits", undefined, {}, "PROVISIONING"),
      task("over", "m1", {}, "STOPPED"),
      task("left", "gone"),
    ],
    probes: new Map([
      ["default/m1", answer({ a: [1024, 250] })],
      ["default/m2", answer({ b: [0, 500], c: [512, 250] })],
      ["default/other", silence("no answer within 5000 ms")],
    ]),
  });

  it("shows of each machine what its tasks reserve and use; a stopped task holds nothing", () => {
    const [one, two] = report(full, "default").instances;
    assert.deepEqual(
      [
        one?.reserved,
        one?.used,
        one?.tasks,
        one?.cpuReservation,
        one?.cpuUtilization,
        one?.memoryReservation,
        one?.gpuReservation,
      ],
      [{ cpuUnits: 512, memoryMiB: 1000, gpus: 1 }, { cpuUnits: 1024, memoryMiB: 250 }, 1, 25, 50, 25, 50],
    );
    assert.deepEqual(
      [two?.reserved.cpuUnits, two?.tasks, two?.cpuReservation, two?.memoryUtilization],
      [1536, 2, 75, 18.75],
    );
  });

  it("[07-53] shows of each cluster its ACTIVE and DRAINING machines together, and of no other cluster", () => {
    const { clusters, instances } = report(full);
    assert.deepEqual(
      clusters.map(({ name, machines, tasks, cpuReservation }) => [name, machines, tasks, cpuReservation]),
      [
        ["default", 2, 3, 50],
        ["lab", 1, 0, 0],
      ],
    );
    assert.deepEqual(
      instances.map(({ name }) => name),
      ["m1", "m2", "other"],
    );
    assert.deepEqual(
      report(full, "lab").clusters.map(({ name }) => name),
      ["lab"],
    );
    assert.deepEqual(report(full, "lab").tasks, []);
  });

  it("names the machines that do not answer, and counts neither their use nor the share they could have used", () => {
    const two = facts({ ...full, probes: new Map([["default/m1", answer({ a: [1024, 250] })]]) });
    const seen = report(two, "default");
    assert.deepEqual(seen.silent, [{ namespace: "default", name: "m2", hostname: "host-m2", why: "was not asked" }]);
    assert.equal(seen.clusters[0]?.cpuUtilization, 50, "of m1 alone");
    assert.equal(seen.clusters[0]?.cpuReservation, 50, "of both");
    assert.deepEqual(
      report(full).silent.map(({ name, why }) => [name, why]),
      [["other", "no answer within 5000 ms"]],
    );
    assert.match(silentMachines(seen), /^No answer from host-m2, so its use is not counted: was not asked$/);
  });

  it("[07-52] shows of a service and of a task the share of what they reserve", () => {
    const busy = report(
      facts({
        instances: [machine("m1")],
        tasks: [task("a", "m1")],
        probes: new Map([["default/m1", answer({ a: [2048, 100] })]]),
      }),
    );
    assert.equal(busy.services[0]?.cpuUtilization, 400);
    assert.equal(busy.tasks[0]?.cpuUtilization, 400);
    assert.equal(report(full).services[0]?.cpuUtilization, (100 * (1024 + 0 + 512)) / (512 + 512 + 1024));
    assert.match(table(busy, "services", false), /web +default +1 +400% \(2048\/512\) +10% \(100\/1000\)/);
  });

  it("has a table for each subject, with GPUs only where there are any", () => {
    for (const subject of SUBJECTS) assert.ok(table(report(full), subject, false).split("\n").length > 1, subject);
    assert.match(
      table(report(full), "instances", false),
      /^NAME +HOST +CLUSTER +STATUS +TASKS +CPU RESERVED +CPU USED +MEMORY RESERVED +MEMORY USED +GPU RESERVED$/m,
    );
    assert.match(table(report(full), "clusters", true), /^NAMESPACE +CLUSTER/);
    assert.doesNotMatch(table(report(full, "lab"), "clusters", false), /GPU/);
    assert.match(table(report(full), "clusters", false), /^default +2 +3 +50% \(2048\/4096\) +37% +/m);
  });
});
