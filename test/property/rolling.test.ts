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
};
/** What happens to a task in the end when nothing goes wrong. */
const GOES_WELL: Readonly<Record<RollingTaskState, RollingTaskState | "gone">> = {
  starting: "waiting",
  waiting: "healthy",
  healthy: "healthy",
  unhealthy: "unhealthy",
  stopping: "gone",
};

const limits = fc.record({
  desiredCount: fc.integer({ min: 0, max: 12 }),
  maximumPercent: fc.constantFrom(100, 110, 125, 150, 200, 300),
  minimumHealthyPercent: fc.constantFrom(0, 25, 50, 75, 90, 100),
});

/** The plan, carried out, with the two promises of DESIGN invariant 4 held against what it does. */
function decide(cluster: RollingCluster, startsBlocked = false): ReturnType<RollingCluster["plan"]> {
  const plan = cluster.plan({ startsBlocked });
  const before = { tasks: cluster.tasks.size, healthy: cluster.count("healthy") };
  cluster.apply(plan);
  const { start } = totals(plan);
  if (start > 0) assert.ok(cluster.tasks.size <= plan.ceiling, `a start went above ${plan.ceiling}: ${cluster}`);
  if (startsBlocked) assert.equal(start, 0);
  const healthy = cluster.count("healthy");
  assert.ok(healthy >= Math.min(before.healthy, plan.floor), `a stop went below ${plan.floor}: ${cluster}`);
  for (const set of plan.sets)
    assert.ok(set.start === 0 || set.name === cluster.sets.at(-1), `an older set was started: ${set.name}`);
  return plan;
}

describe("rolling update: random services", () => {
  it("rolling: no start above the ceiling, no stop of a healthy task below the floor, and an end whenever there is one", () => {
    const seed = seedOf("rolling");
    fc.assert(
      fc.property(limits, fc.nat(), fc.integer({ min: 0, max: 60 }), (bounds, chaosSeed, steps) => {
        const random = randomFrom(chaosSeed);
        const pick = <T>(items: readonly T[]): T | undefined => items[Math.floor(random() * items.length)];
        const cluster = new RollingCluster({ ...bounds }, ["1"]).add("1", "healthy", bounds.desiredCount);

        for (let step = 0; step < steps; step++) {
          if (random() < 0.05) cluster.sets.push(`${cluster.sets.length + 1}`);
          if (random() < 0.05) cluster.limits.desiredCount = Math.floor(random() * 13);
          for (const [name, task] of [...cluster.tasks])
            if (random() < 0.3) {
              const to = pick(HAPPENS[task.state]);
              if (to === "gone") cluster.tasks.delete(name);
              else if (to) task.state = to;
            }
          if (random() < 0.8) decide(cluster, random() < 0.1);
        }

        // Faults stop. It must come to rest: steady, or stuck where the bounds leave no move.
        const enough = 20 * (cluster.tasks.size + cluster.limits.desiredCount + 2);
        for (let step = 0; step < enough; step++) {
          const plan = decide(cluster);
          if (plan.outcome === "steady") {
            assert.equal(cluster.count("healthy", cluster.sets.at(-1)), cluster.limits.desiredCount);
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
          for (const [name, task] of [...cluster.tasks]) {
            const to = GOES_WELL[task.state];
            if (to === "gone") cluster.tasks.delete(name);
            else if (random() < 0.7) task.state = to;
          }
        }
        assert.fail(`not at rest after ${enough} steps: ${cluster} of ${JSON.stringify(cluster.limits)}`);
      }),
      { seed, numRuns: countOf(20_000) },
    );
  }).timeout(300_000);
});
