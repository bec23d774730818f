// Machines that are cut off at random, one or several, for random times, some without noticing it at once: one service
// under each policy for lost machines. What lives is counted on the machines, every few milliseconds.
import assert from "node:assert/strict";
import type { LostInstances, Task } from "../../api/types.gen.js";
import { countOf, randomFrom, seedOf } from "../support/soak-count.js";
import { eventually } from "../support/wait.js";
import { type House, type Machine, openHouse } from "./support/house.js";
import { observe } from "./support/observer.js";

const CUTS = countOf(120);
const DESIRED = 3;
const AFTER_S = 1;
/** An agent notices within so long that it is cut off. */
const NOTICED_MS = 400;
const POLICIES: Record<string, LostInstances> = {
  replacement: { action: "REPLACE", afterSeconds: AFTER_S, onReturn: "REPLACEMENT" },
  original: { action: "REPLACE", afterSeconds: AFTER_S, onReturn: "ORIGINAL" },
  stop: { action: "STOP", afterSeconds: AFTER_S },
  keep: { action: "KEEP" },
};
const NAMES = Object.keys(POLICIES);

describe("machines cut off at random", function () {
  this.timeout(0);
  const seed = seedOf("cuts");

  it(`keep the right copies alive, under each policy, over ${CUTS} cuts`, async () => {
    const random = randomFrom(seed);
    const house = await openHouse({ graceMs: 500, heartbeatMs: 50, selfStopMarginMs: NOTICED_MS + 300 });
    const observer = observe(house.store);
    const machines: Machine[] = [];
    const watch = createWatch(house, machines);
    try {
      const simulated = { startMs: [0, 20] as const, stopMs: [0, 30] as const };
      for (const name of ["m1", "m2", "m3", "m4"])
        machines.push(await house.machine(name, { simulated, agent: { lostLookMs: 20 } }));
      for (const name of NAMES) await house.define(name, { stopTimeout: 2 });
      for (const name of NAMES)
        await house.serve(name, {
          taskDefinition: name,
          desiredCount: DESIRED,
          deploymentConfiguration: { maximumPercent: 200, minimumHealthyPercent: 50 },
          lostInstances: POLICIES[name],
        });
      await settled(house, machines, watch);
      watch.begin();
      for (let cuts = 0; cuts < CUTS; ) {
        const before = watch.live();
        cuts += await round(house, machines, random);
        await settled(house, machines, watch);
        const after = watch.live();
        assert.deepEqual(after.keep, before.keep, "what is kept is what it was");
        assert.deepEqual(after.original, before.original, "the originals have won");
        assert.deepEqual(watch.breaches, []);
        assert.deepEqual(observer.breaches, []);
      }
      console.log(`      ${watch.samples()} samples`);
    } catch (error) {
      console.log(`      seed ${seed}`, watch.breaches, observer.breaches);
      throw error;
    } finally {
      watch.stop();
      await observer.stop();
      await house.close();
    }
  });
});

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Some machines, each for a time of its own; now and then with lost messages, or a control plane that begins anew.
 *  @returns how many */
async function round(house: House, machines: readonly Machine[], random: () => number): Promise<number> {
  const chosen = machines.filter(() => random() < 0.5);
  house.bus.loss = random() < 0.3 ? random() * 0.2 : 0;
  const restarts = random() < 0.25;
  await Promise.all([
    ...chosen.map(async ({ id }) => {
      await pause(random() * 500);
      house.bus.cut(id, true);
      const ms = random() * 4_500;
      const noticedMs = random() * NOTICED_MS;
      await pause(Math.min(ms, noticedMs));
      if (ms > noticedMs) {
        house.bus.cut(id);
        await pause(ms - noticedMs);
      }
      house.bus.heal(id);
    }),
    restarts ? pause(random() * 3_000).then(() => house.restartControllers()) : undefined,
  ]);
  house.bus.loss = 0;
  return chosen.length;
}

/** Each service has as many as it wants, and nothing else lives anywhere. */
async function settled(house: House, machines: readonly Machine[], watch: Watch): Promise<void> {
  await eventually(
    "every machine is heard",
    async () => {
      const there = (await house.client.list("ContainerInstance")).items;
      return there.length === machines.length && there.every(({ status }) => status?.agentConnected === true);
    },
    10_000,
  );
  for (const name of NAMES) await house.steady(name, 30_000);
  await eventually(
    "what lives is what is wanted",
    async () => {
      const live = watch.live();
      const running = (await house.running()).map(idOf).sort();
      assert.deepEqual(Object.values(live).flat().sort(), running);
      for (const name of NAMES) assert.equal(live[name]?.length, DESIRED, name);
      return true;
    },
    20_000,
  );
}

const idOf = ({ metadata }: Task): string => metadata.uid.replaceAll("-", "");

interface Watch {
  readonly breaches: string[];
  /** Ids of live tasks, by service. */
  live(): Record<string, string[]>;
  /** From here on what is kept never ends. */
  begin(): void;
  samples(): number;
  stop(): void;
}

function createWatch(house: House, machines: readonly Machine[]): Watch {
  const breaches: string[] = [];
  /** Service and slot of every task that ever was. */
  const places = new Map<string, { service: string; slot: string }>();
  let kept: string[] | undefined;
  let samples = 0;
  const breach = (text: string): void => void (breaches.includes(text) || breaches.push(text));

  const learning = new AbortController();
  const learn = (task: Task): void => {
    const { labels = {} } = task.metadata;
    places.set(idOf(task), { service: labels["davit.dev/service"] ?? "", slot: labels["davit.dev/slot"] ?? "" });
  };
  const learnt = (async () => {
    const { resourceVersion, items } = await house.client.list("Task");
    items.forEach(learn);
    for await (const { events } of house.client.watch("Task", { resourceVersion, signal: learning.signal }))
      for (const { object } of events) learn(object);
  })().catch(() => undefined);

  const liveTasks = (): string[] =>
    machines.flatMap((machine) =>
      [...machine.runtime().containers.values()]
        .filter(({ lastStatus }) => lastStatus === "RUNNING")
        .map(({ task }) => task),
    );

  const timer = setInterval(() => {
    samples++;
    const live = liveTasks();
    const seen = new Set<string>();
    const stopSlots = new Set<string>();
    for (const id of live) {
      if (seen.has(id)) breach(`task ${id} has two live copies`);
      seen.add(id);
      const place = places.get(id);
      if (place?.service !== "stop") continue;
      if (stopSlots.has(place.slot)) breach(`slot ${place.slot} of the service with STOP has two live copies`);
      stopSlots.add(place.slot);
    }
    for (const id of kept ?? []) if (!seen.has(id)) breach(`task ${id} of the service with KEEP has ended`);
  }, 5);

  const watch: Watch = {
    breaches,
    live() {
      const live: Record<string, string[]> = {};
      for (const id of liveTasks().sort()) {
        const name = places.get(id)?.service ?? "unknown";
        live[name] = [...(live[name] ?? []), id];
      }
      return live;
    },
    begin() {
      kept = watch.live().keep ?? [];
    },
    samples: () => samples,
    stop() {
      clearInterval(timer);
      learning.abort();
      void learnt;
    },
  };
  return watch;
}
