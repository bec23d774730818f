import assert from "node:assert/strict";
import fc from "fast-check";
import type { RollingTaskState } from "../../state-machines/rolling.js";
import { RollingCluster, totals } from "../state-machines/rolling-cluster.js";
import { countOf, randomFrom, seedOf } from "../support/soak-count.js";

/** What may happen to a task without anybody deciding it; "gone" is STOPPED. */
const HAPPENS: Readonly<Record<RollingTaskState, readonly (RollingTaskState | "gone")[]>> = {
  starting: ["waiting", "healthy", "gone"],
  waiting: ["healthy", "unhealthy", "gone"],
  healthy: ["unhealthy", "gone"],
  unhealthy: ["healthy", "gone"],
  stopping: ["gone"],
  // A pretended task has a state of its own while its machine is lost.
  lost: [],
};
/** What happens to a task in the end when nothing goes wrong. */
const GOES_WELL: Readonly<Record<RollingTaskState, RollingTaskState | "gone">> = {
  starting: "waiting",
  waiting: "healthy",
  healthy: "healthy",
  unhealthy: "unhealthy",
  stopping: "gone",
  lost: "lost",
};
const MACHINES = ["a", "b", "c", "d"];

const limits = fc.record({
  desiredCount: fc.integer({ min: 0, max: 12 }),
  maximumPercent: fc.constantFrom(100, 110, 125, 150, 200, 300),
  minimumHealthyPercent: fc.constantFrom(0, 25, 50, 75, 90, 100),
});

/** The plan, carried out, with the two promises of DESIGN invariant 4 held against what it does. */
function decide(cluster: RollingCluster, startsBlocked = false): ReturnType<RollingCluster["plan"]> {
  const plan = cluster.plan({ startsBlocked });
  const before = { healthy: cluster.count("healthy") };
  cluster.apply(plan);
  const { start } = totals(plan);
  if (start > 0) assert.ok(cluster.counted.length <= plan.ceiling, `a start went above ${plan.ceiling}: ${cluster}`);
  if (startsBlocked) assert.equal(start, 0);
  const healthy = cluster.count("healthy");
  assert.ok(healthy >= Math.min(before.healthy, plan.floor), `a stop went below ${plan.floor}: ${cluster}`);
  for (const set of plan.sets)
    assert.ok(set.start === 0 || set.name === cluster.sets.at(-1), `an older set was started: ${set.name}`);
  return plan;
}

describe("rolling update: random services", () => {
  it("rolling: no start above the ceiling, no stop of a healthy task below the floor, and an end whenever there is one, through deployments, drains, uncordons, losses and returns", () => {
    const seed = seedOf("rolling");
    fc.assert(
      fc.property(limits, fc.nat(), fc.integer({ min: 0, max: 60 }), (bounds, chaosSeed, steps) => {
        const random = randomFrom(chaosSeed);
        const pick = <T>(items: readonly T[]): T | undefined => items[Math.floor(random() * items.length)];
        const place = (): string | undefined => pick(MACHINES.filter((each) => isOpen(cluster, each)));
        const cluster: RollingCluster = new RollingCluster({ ...bounds }, ["1"], place);
        cluster.add("1", "healthy", bounds.desiredCount);

        for (let step = 0; step < steps; step++) {
          if (random() < 0.05) cluster.sets.push(`${cluster.sets.length + 1}`);
          if (random() < 0.05) cluster.limits.desiredCount = Math.floor(random() * 13);
          if (random() < 0.1) turn(cluster.draining, pick(MACHINES));
          if (random() < 0.05) turn(cluster.lost, pick(MACHINES));
          pass(cluster, random, (state) => (random() < 0.3 ? pick(HAPPENS[state]) : undefined));
          if (random() < 0.8) decide(cluster, random() < 0.1);
        }

        // Faults stop: the lost are back, and at least one machine takes tasks. It must come to rest: steady, with
        // nothing left on a machine that drains, or stuck where the bounds leave no move.
        cluster.lost.clear();
        cluster.draining.delete("a");
        const enough = 20 * (cluster.tasks.size + cluster.limits.desiredCount + 2);
        for (let step = 0; step < enough; step++) {
          const plan = decide(cluster);
          if (plan.outcome === "steady") {
            assert.equal(cluster.count("healthy", cluster.sets.at(-1)), cluster.limits.desiredCount);
            assert.equal(cluster.counted.filter(cluster.isLeaving).length, 0, `${cluster}`);
            return;
          }
          if (plan.outcome === "stuck") {
            // Only full and all of them needed: neither one more nor one less is allowed.
            assert.equal(
              cluster.tasks.size >= plan.ceiling && cluster.count("healthy") <= plan.floor,
              true,
              `${cluster}`,
            );
            return;
          }
          pass(cluster, random, (state) => (state === "stopping" || random() < 0.7 ? GOES_WELL[state] : undefined));
        }
        assert.fail(`not at rest after ${enough} steps: ${cluster} of ${JSON.stringify(cluster.limits)}`);
      }),
      { seed, numRuns: countOf(20_000) },
    );
  }).timeout(300_000);
});

/** Takes tasks. */
const isOpen = (cluster: RollingCluster, machine: string): boolean =>
  !cluster.draining.has(machine) && !cluster.lost.has(machine);

function turn(set: Set<string>, machine: string | undefined): void {
  if (machine !== undefined && !set.delete(machine)) set.add(machine);
}

/** Time passes: each task comes to the state that `next` says. Nobody hears of one whose machine is lost, and one
 *  that has no machine gets one as soon as one takes tasks. */
function pass(
  cluster: RollingCluster,
  random: () => number,
  next: (state: RollingTaskState) => RollingTaskState | "gone" | undefined,
): void {
  const open = MACHINES.filter((each) => isOpen(cluster, each));
  for (const [name, task] of [...cluster.tasks]) {
    if (cluster.isLost(task)) continue;
    if (task.state === "starting" && task.machine === undefined) {
      const machine = open[Math.floor(random() * open.length)];
      if (machine === undefined) continue;
      task.machine = machine;
    }
    const to = next(task.state);
    if (to === "gone") cluster.tasks.delete(name);
    else if (to) task.state = to;
  }
}
