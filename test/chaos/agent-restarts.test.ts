// An agent that ends and begins again at random, with and without a goodbye, while tasks start and stop: one instance,
// no container twice, and at the end nothing that is nobody's.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { type Agent, createAgent } from "../../agent/agent.js";
import {
  createSimulatedRuntime,
  type SimulatedRuntime,
  simulatedMachine,
} from "../../agent/runtimes/simulated/simulated.js";
import type { TaskStatus } from "../../api/types.gen.js";
import { type ControlPlane, startControlPlane } from "../../bench/support/control-plane.js";
import { createAgentBus } from "../../bus/agent.js";
import { type BusConnection, connectBus } from "../../bus/connect.js";
import { inboxPrefix } from "../../bus/subjects.js";
import { quiet } from "../agent/support/builders.js";
import { dockerBench } from "../agent/support/docker.js";
import { FAST } from "../agent/support/machine.js";
import { buildImage, removeImage } from "../support/images.js";
import { countOf, randomFrom, seedOf } from "../support/soak-count.js";
import { eventually } from "../support/wait.js";

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** One machine whose containers outlive its agent's process, on a real bus. */
class Machine {
  readonly instance = "0".repeat(31).concat("1");
  readonly books;
  runtime: SimulatedRuntime | undefined;
  private agent: Agent | undefined;
  private connection: BusConnection | undefined;

  constructor(
    private readonly plane: ControlPlane,
    private readonly credentials: string,
    private readonly random: () => number,
  ) {
    this.books = simulatedMachine(random);
  }

  start(): void {
    const { instance, random, books: machine } = this;
    this.connection = connectBus({
      servers: this.plane.natsUrl,
      credentials: { text: this.credentials },
      name: "agent-restarts",
      inboxPrefix: inboxPrefix("fleet"),
      log: quiet,
    });
    const simulated = { pullMs: [0, 20], startMs: [0, 30], stopMs: [0, 40], stopFailureRate: 0.1 } as const;
    this.runtime = createSimulatedRuntime({ random, now: Date.now, machine, options: simulated });
    this.agent = createAgent({
      instance,
      namespace: "default",
      cluster: "default",
      bus: createAgentBus({ connection: this.connection, instance, log: quiet }),
      runtime: this.runtime,
      options: { ...FAST, answerTimeoutMs: 2_000, busRetryMs: 20, relistMs: 200, machineId: "m", bootId: "b" },
      now: Date.now,
      random,
      log: quiet,
    });
    void this.agent.start();
  }

  /** @param goodbye the agent is told to end; else it is gone in the midst of what it does */
  async end(goodbye: boolean): Promise<void> {
    if (goodbye) await this.agent?.stop();
    await this.connection?.close();
    await this.agent?.stop();
    await this.runtime?.close();
  }

  isSynced(): boolean {
    return this.agent?.status().synced === true;
  }

  live(): { task: string; name: string }[] {
    return [...this.books.containers.values()].filter(({ lastStatus }) => lastStatus === "RUNNING");
  }
}

describe("agent-restarts: with a simulated machine", function () {
  this.timeout(0);
  const restarts = countOf(200);
  const seed = seedOf("agent-restarts");
  const random = randomFrom(seed);
  let plane: ControlPlane;
  let machine: Machine;
  before(async () => {
    plane = await startControlPlane();
    machine = new Machine(plane, await plane.fleetCredentials(), random);
  });
  after(async () => {
    await machine?.end(false);
    machine?.books.turnOff();
    await plane?.stop();
  });
  const tasks = async (): Promise<{ name: string; status: TaskStatus }[]> =>
    (await plane.client.list("Task", { namespace: "default" })).items.map(({ metadata, status = {} }) => ({
      name: metadata.name,
      status,
    }));

  it(`${restarts} restarts leave one instance, no orphan, no double`, async () => {
    const { client } = plane;
    const meta = (name: string) => ({ namespace: "default", name });
    await client.create("TaskDefinition", {
      apiVersion: "davit.dev/v1",
      kind: "TaskDefinition",
      metadata: meta("app"),
      spec: {
        containerDefinitions: ["web", "side"].map((name) => ({ name, image: "busybox", memory: 8, stopTimeout: 1 })),
      },
    });
    machine.start();
    await client.create("Service", {
      apiVersion: "davit.dev/v1",
      kind: "Service",
      metadata: meta("web"),
      spec: {
        taskDefinition: "app",
        desiredCount: 4,
        deploymentConfiguration: { minHealthySeconds: 0, minimumHealthyPercent: 0 },
      },
    });
    const doubles: string[] = [];
    let samples = 0;
    const watch = setInterval(() => {
      samples += 1;
      const seen = new Set<string>();
      for (const { task, name } of machine.live()) {
        if (seen.has(`${task}/${name}`)) doubles.push(`${task}/${name}`);
        seen.add(`${task}/${name}`);
      }
    }, 5);
    try {
      for (let restart = 0; restart < restarts; restart++) {
        const scale = { spec: { desiredCount: Math.floor(random() * 9) } };
        await client.patch("Service", meta("web"), scale);
        if (random() < 0.3) await eventually("synced", () => machine.isSynced());
        await pause(random() * 120);
        await machine.end(random() < 0.3);
        if (random() < 0.3) await pause(random() * 100);
        machine.start();
      }
      await client.patch("Service", meta("web"), { spec: { desiredCount: 5 } });
      await eventually(
        "what runs is what is wanted",
        async () => {
          const all = await tasks();
          const running = all.filter(({ status }) => status.lastStatus === "RUNNING");
          const others = all.filter(({ status }) => !["RUNNING", "STOPPED"].includes(status.lastStatus ?? ""));
          if (running.length !== 5 || others.length > 0 || machine.live().length !== 10)
            throw new Error(`${running.length} running, ${others.length} others, ${machine.live().length} live`);
          return true;
        },
        60_000,
      );
      await client.patch("Service", meta("web"), { spec: { desiredCount: 0 } });
      await eventually("nothing is left on the machine", () => machine.books.containers.size === 0, 60_000);
      await eventually("every task is STOPPED", async () =>
        (await tasks()).every(({ status }) => status.lastStatus === "STOPPED"),
      );
    } finally {
      clearInterval(watch);
    }
    assert.deepEqual(doubles, []);
    const instances = (await client.list("ContainerInstance", { namespace: "default" })).items;
    assert.deepEqual(
      instances.map(({ metadata }) => metadata.name),
      [machine.instance],
    );
    console.log(`      ${restarts} restarts, ${machine.books.created} containers, ${samples} samples`);
  });
});

describe("agent-restarts: on the Docker Engine", function () {
  this.timeout(0);
  const restarts = countOf(20);
  const image = `davit-agent-restarts-${randomBytes(4).toString("hex")}:1`;
  before(() => buildImage(image));
  after(() => removeImage(image));

  it(`${restarts} restarts leave no container that is nobody's, and none twice`, async () => {
    const random = randomFrom(seedOf("agent-restarts on Docker"));
    const here = dockerBench();
    const web = { name: "web", image, memory: 16, command: ["sleep", "1000"], stopTimeout: 0 };
    const started: string[] = [];
    try {
      await here.start();
      for (let restart = 0; restart < restarts; restart++) {
        started.push(here.run(`restart-${restart}`, [web], { networkMode: "host" }));
        const stopping = started[Math.floor(random() * started.length)];
        if (stopping !== undefined && random() < 0.5) here.control.stop(stopping);
        await pause(random() * 300);
        await here.kill();
        await here.start();
      }
      const wanted = () =>
        started.filter((task) => here.control.tasks.get(task)?.assignment.desiredStatus === "RUNNING").sort();
      await eventually(
        "what runs is what is wanted, once",
        async () => {
          const live = (await here.runtime().list()).map(({ task, lastStatus }) => {
            assert.equal(lastStatus, "RUNNING");
            return task;
          });
          assert.deepEqual(live.sort(), wanted());
          return true;
        },
        30_000,
      );
      for (const task of started) here.control.stop(task);
      await eventually("nothing is left", async () => (await here.runtime().list()).length === 0, 30_000);
      for (const task of started) assert.equal(here.control.state(task), "STOPPED");
    } finally {
      await here.close();
    }
  });
});
