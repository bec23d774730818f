// Random lives of a small fleet: scaling, rollouts, drains, crashes, killed agents, restarted controllers, lost
// messages. What must never be seen is looked for in every write; when the faults stop, everything converges and
// nothing is left.
import assert from "node:assert/strict";
import { countOf, randomFrom, seedOf } from "../support/soak-count.js";
import { eventually } from "../support/wait.js";
import { type House, type Machine, openHouse } from "./support/house.js";
import { observe } from "./support/observer.js";

const RUNS = countOf(30);
const STEPS = 14;
const SERVICES = ["web", "api"];

describe("the control plane under random faults", function () {
  this.timeout(0);
  const seed = seedOf("faults of the control plane");

  for (let run = 0; run < RUNS; run++) {
    it(`keeps its invariants and converges, life ${run + 1} of ${RUNS}`, async () => {
      const random = randomFrom(seed + run);
      const house = await openHouse({ graceMs: 2_000 });
      const observer = observe(house.store);
      const machines: Machine[] = [];
      const twins: string[] = [];
      const look = setInterval(() => twins.push(...copies(machines)), 10);
      try {
        // Some lives have no failing tasks: there the floor has no excuse.
        await live(house, machines, { random, crashes: run % 2 === 0 });
        await converge(house, machines);
        assert.deepEqual(observer.breaches, []);
        assert.deepEqual(twins, []);
      } catch (error) {
        console.log(`      life ${run + 1}: seed ${seed}`, observer.breaches);
        throw error;
      } finally {
        clearInterval(look);
        await observer.stop();
        await house.close();
      }
    });
  }
});

/** 1: names of tasks with two live copies of a container, on one machine or two. */
function copies(machines: readonly Machine[]): string[] {
  const seen = new Set<string>();
  const twice: string[] = [];
  for (const machine of machines) {
    if (!machine.isUp()) continue;
    for (const container of machine.runtime().containers.values()) {
      if (container.lastStatus !== "RUNNING") continue;
      const name = `${container.task}/${container.name}`;
      if (seen.has(name)) twice.push(name);
      seen.add(name);
    }
  }
  return twice;
}

interface Life {
  random: () => number;
  crashes: boolean;
}

async function live(house: House, machines: Machine[], { random, crashes }: Life): Promise<void> {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const simulated = { startMs: [0, 20] as const, stopMs: [0, 30] as const, memoryMiB: 16 * 10, cpuUnits: 1024 };
  for (const name of ["m1", "m2", "m3"]) machines.push(await house.machine(name, { simulated }));
  await house.define("app", random() < 0.3 ? { portMappings: [{ containerPort: 80, hostPort: 8080 }] } : {});
  for (const name of SERVICES)
    await house.serve(name, {
      desiredCount: 1 + Math.floor(random() * 6),
      deploymentConfiguration: pick([
        {},
        { maximumPercent: 150, minimumHealthyPercent: 50 },
        { maximumPercent: 100, minimumHealthyPercent: 50 },
      ]),
    });
  let image = 1;
  const steps: (() => Promise<void> | void)[] = [
    () => scale(house, pick(SERVICES), Math.floor(random() * 8)),
    () => house.define("app", { image: `busybox:${++image}` }),
    () => house.restartControllers(),
    async () => {
      const machine = pick(machines);
      await machine.kill();
      await pause(random() * 100);
      await machine.start();
    },
    () => {
      house.bus.loss = random() < 0.5 ? random() * 0.4 : 0;
    },
    async () => {
      house.bus.setConnected(false);
      await pause(random() * 100);
      house.bus.setConnected(true);
    },
    () => wish(house, pick(machines), random() < 0.5 ? "DRAINING" : "ACTIVE"),
    async () => {
      const task = pick([...(await house.tasks())]);
      if (crashes && task) await house.client.delete("Task", task.metadata).catch(() => undefined);
    },
    () => {
      if (!crashes) return;
      const ids = [...pick(machines).runtime().containers.keys()];
      const id = ids.length > 0 ? pick(ids) : undefined;
      if (id !== undefined)
        pick(machines.filter((each) => each.runtime().containers.has(id)))
          .runtime()
          .crash(id, 1);
    },
  ];
  for (let step = 0; step < STEPS; step++) {
    await pick(steps)();
    await pause(random() * 150);
  }
  house.bus.loss = 0;
  house.bus.setConnected(true);
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function scale(house: House, name: string, desiredCount: number): Promise<void> {
  await house.client.patch("Service", { namespace: "default", name }, { spec: { desiredCount } });
}

async function wish(house: House, { id }: Machine, status: "ACTIVE" | "DRAINING"): Promise<void> {
  await house.client.patch("ContainerInstance", { namespace: "default", name: id }, { spec: { status } });
}

const rolledOut = (house: House, name: string): Promise<unknown> =>
  eventually(
    `service ${name} runs the newest revision`,
    async () => {
      const definition = await house.client.get("TaskDefinition", { namespace: "default", name: "app" });
      assert.equal(definition?.status?.observedGeneration, definition?.metadata.generation);
      const service = await house.service(name);
      assert.equal(service?.status?.taskDefinition, definition?.status?.latestRevision);
      return true;
    },
    60_000,
  );

/** 7: what is wanted runs, once each, and nothing else is left anywhere. */
async function converge(house: House, machines: readonly Machine[]): Promise<void> {
  // With a static port at most one task fits on each machine: little enough is asked for.
  // Percents with which a deployment of one task can go on at all.
  const deploymentConfiguration = { maximumPercent: 200, minimumHealthyPercent: 100 };
  const spec = { desiredCount: 1, deploymentConfiguration };
  for (const machine of machines) await wish(house, machine, "ACTIVE");
  for (const name of SERVICES) await house.client.patch("Service", { namespace: "default", name }, { spec });
  // A rollout begins a quiet while after its revision was made: what is steady before that is not so for good.
  for (const name of SERVICES) await rolledOut(house, name);
  for (const name of SERVICES) await house.steady(name, 60_000);
  await eventually(
    "machines hold what tasks say",
    async () => {
      const running = (await house.running()).map(({ metadata }) => metadata.uid.replaceAll("-", "")).sort();
      const there = machines
        .flatMap((machine) => [...machine.runtime().containers.values()])
        .map(({ task }) => task)
        .sort();
      assert.deepEqual(there, running);
      return true;
    },
    30_000,
  );
  const live = (await house.tasks()).filter(({ status }) => status?.lastStatus !== "STOPPED");
  assert.equal(live.length, SERVICES.length);
  for (const name of SERVICES) await house.client.delete("Service", { namespace: "default", name });
  await eventually(
    "nothing is left",
    async () => {
      const sets = (await house.client.list("TaskSet")).items.length;
      const tasks = (await house.tasks()).length;
      const containers = machines.reduce((sum, machine) => sum + machine.runtime().containers.size, 0);
      assert.deepEqual({ sets, tasks, containers }, { sets: 0, tasks: 0, containers: 0 });
      return true;
    },
    30_000,
  );
}
