import assert from "node:assert/strict";
import fc from "fast-check";
import type { PlacementConstraint } from "../../api/types.gen.js";
import { type Book, createBook } from "../../scheduling/book.js";
import { type Demand, demand } from "../../scheduling/demand.js";
import type { InstanceInfo } from "../../scheduling/instance.js";
import { place } from "../../scheduling/place.js";
import { machine, tcp } from "../scheduling/cluster.js";
import { countOf, randomFrom, seedOf } from "../support/soak-count.js";

interface Held {
  readonly instance: string;
  readonly demand: Demand;
  readonly group: string;
}
const DISTINCT: readonly PlacementConstraint[] = [{ type: "distinctInstance" }];
const DEMANDS = [
  demand({ cpuUnits: 10, memoryMiB: 10 }),
  demand({ cpuUnits: 100, memoryMiB: 30, staticPorts: [tcp(80)] }),
  demand({ cpuUnits: 30, memoryMiB: 100 }),
  demand({ staticPorts: [tcp(80), tcp(443)] }),
];

/** The plainest model of a cluster: what is registered, and who holds what. Everything is counted anew each time. */
class Model {
  readonly instances = new Map<string, InstanceInfo>();
  readonly held = new Map<string, Held>();

  on(instance: string): Held[] {
    return [...this.held.values()].filter((held) => held.instance === instance);
  }

  fits(info: InstanceInfo, wanted: Demand): boolean {
    const on = this.on(info.name);
    const sum = (of: (demand: Demand) => number): number => on.reduce((total, held) => total + of(held.demand), 0);
    const taken = new Set(
      [...info.reservedPorts, ...on.flatMap((held) => held.demand.staticPorts)].map(({ port }) => port),
    );
    return (
      info.status === "ACTIVE" &&
      info.agentConnected &&
      sum((demand) => demand.cpuUnits) + wanted.cpuUnits <= info.cpuUnits &&
      sum((demand) => demand.memoryMiB) + wanted.memoryMiB <= info.memoryMiB &&
      wanted.staticPorts.every(({ port }) => !taken.has(port))
    );
  }

  countOn(group: string, instance: string): number {
    return this.on(instance).filter((held) => held.group === group).length;
  }

  countInZone(group: string, zone: string | undefined): number {
    return [...this.instances.values()]
      .filter((info) => info.zone === zone)
      .reduce((sum, info) => sum + this.countOn(group, info.name), 0);
  }
}

/** One placement, held against every machine: it fits where it went, nothing better was there, and "none" means none. */
function decide(book: Book, model: Model, uid: string, wanted: Demand, group: string, random: () => number): void {
  const kind = random() < 0.7 ? "service" : "standalone";
  const distinct = random() < 0.2;
  const answer = place(book, {
    demand: wanted,
    group,
    kind,
    seed: uid,
    ...(distinct ? { constraints: DISTINCT } : {}),
  });
  const eligible = [...model.instances.values()].filter(
    (info) => model.fits(info, wanted) && !(distinct && model.countOn(group, info.name) > 0),
  );
  if (!("instance" in answer)) {
    assert.deepEqual(
      eligible.map((info) => info.name),
      [],
      `said ${answer.unplaced.message}`,
    );
    return;
  }
  const chosen = eligible.find((info) => info.name === answer.instance);
  assert.ok(chosen, `${answer.instance} cannot take ${wanted.key}`);
  if (kind === "service") {
    const zone = model.countInZone(group, chosen.zone);
    const on = model.countOn(group, chosen.name);
    for (const other of eligible) {
      assert.ok(
        model.countInZone(group, other.zone) >= zone,
        `zone of ${other.name} has fewer than that of ${chosen.name}`,
      );
      if (other.zone === chosen.zone) assert.ok(model.countOn(group, other.name) >= on, `${other.name} has fewer`);
    }
  }
  book.reserve(uid, answer.instance, wanted, group);
  model.held.set(uid, { instance: answer.instance, demand: wanted, group });
}

describe("placement: random clusters", () => {
  it("placement: no instance ever gets more than it registered, and every choice is the best one", () => {
    const seed = seedOf("placement");
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 120 }), (chaosSeed, steps) => {
        const random = randomFrom(chaosSeed);
        const below = (end: number): number => Math.floor(random() * end);
        const book = createBook();
        const model = new Model();
        const change = (): void => {
          const name = `i${below(8)}`;
          if (random() < 0.1 && model.on(name).length === 0) {
            model.instances.delete(name);
            book.removeInstance(name);
            return;
          }
          const info = machine(name, {
            zone: model.instances.get(name)?.zone ?? `z${below(3)}`,
            cpuUnits: 50 + below(400),
            memoryMiB: 50 + below(400),
            status: random() < 0.85 ? "ACTIVE" : "DRAINING",
            agentConnected: random() < 0.9,
          });
          model.instances.set(name, info);
          book.setInstance(info);
        };
        for (let i = 0; i < 6; i++) change();
        for (let step = 0; step < steps; step++) {
          const dice = random();
          const uids = [...model.held.keys()];
          const released = uids[below(uids.length)];
          if (dice < 0.1) change();
          else if (dice < 0.35 && released !== undefined) {
            model.held.delete(released);
            book.release(released);
          } else {
            const wanted = DEMANDS[below(DEMANDS.length)];
            if (wanted) decide(book, model, `t${step}`, wanted, `g${below(3)}`, random);
          }
        }
        for (const info of model.instances.values()) {
          const on = model.on(info.name);
          const remaining = book.remaining(info.name);
          assert.equal(
            remaining?.cpuUnits,
            on.reduce((left, held) => left - held.demand.cpuUnits, info.cpuUnits),
          );
          assert.equal(
            remaining?.memoryMiB,
            on.reduce((left, held) => left - held.demand.memoryMiB, info.memoryMiB),
          );
        }
      }),
      { seed, numRuns: countOf(5_000) },
    );
  }).timeout(300_000);

  it("placement: looks at few machines for one decision, however many there are", () => {
    // Counted, not timed: a hundred decisions on four times the machines may look at hardly more of them.
    const looks = [250, 1000].map((instances) => {
      let looked = 0;
      const book = createBook();
      for (let i = 0; i < instances; i++) {
        const info = machine(`i${i}`, { zone: `z${i % 3}`, cpuUnits: 200 });
        book.setInstance({
          ...info,
          get agentConnected() {
            looked++;
            return true;
          },
        });
      }
      const wanted = demand({ cpuUnits: 10 });
      for (let i = 0; i < instances * 15; i++) {
        const answer = place(book, { demand: wanted, group: "service:web", kind: "service", seed: `${i}` });
        assert.ok("instance" in answer);
        book.reserve(`t${i}`, answer.instance, wanted, "service:web");
      }
      return looked / (instances * 15);
    });
    const [few = 0, many = 0] = looks;
    assert.ok(few >= 1 && many <= few * 1.5, `looks per decision: ${few} at 250 machines, ${many} at 1000`);
  });
});
