import assert from "node:assert/strict";
import { type FleetFigures, measureFleet } from "../../bench/support/fleet.js";
import { countOf } from "../support/soak-count.js";

// Counted, not timed: times are for `npm run bench -- fleet` on a quiet machine. Each step of the measurement waits for
// exact numbers of machines, sessions and tasks, so that it ends at all says the most.
describe("a fleet", function () {
  this.timeout(600_000);
  const instances = countOf(1_000);
  let figures: FleetFigures;

  before(async () => {
    figures = await measureFleet({ instances, tasksEach: 10, idleMs: 2_000, afterSeconds: 15 });
    const { registerSeconds, launchSeconds, noticeSeconds, replaceSeconds, returnSeconds, storms, probes } = figures;
    const s = (seconds: number): string => `${seconds.toFixed(1)} s`;
    console.log(`      ${instances} machines registered in ${s(registerSeconds)}, ${instances * 10} tasks ran after ${s(launchSeconds)};
      back after the loss of nats-server in ${s(storms.nats)}, of the control plane in ${s(storms.server)};
      half of them cut: noticed after ${s(noticeSeconds)}, replaced after ${s(replaceSeconds)}, meanwhile ${probes.count} tasks started in ${probes.p50Ms.toFixed(0)} ms (p99 ${probes.p99Ms.toFixed(0)} ms);
      back with nothing running twice in ${s(returnSeconds)}`);
  });

  it(`of ${instances} registers, outlives nats-server and control plane, loses half of itself and gets it back`, () => {
    assert.ok(figures.probes.count > 100, `${figures.probes.count} tasks were started while half of it was gone`);
  });

  it("replaces nothing before the set time", () => {
    // Silence counts from the last heartbeat, up to five seconds before the cut.
    assert.ok(figures.replaceSeconds > 10, `${figures.replaceSeconds} s`);
  });

  it("leaves no connection, subscription, stream or consumer behind at the bus", () => {
    assert.deepEqual(figures.holdings.after, figures.holdings.before);
  });
});
