import assert from "node:assert/strict";
import { type Launch, measureLaunch } from "../../bench/support/launch.js";

// Counted, not timed: what a launch may cost is part of the design, however fast the machine is.
describe("the budget of a launch", function () {
  this.timeout(180_000);
  let launch: Launch;

  before(async () => {
    launch = await measureLaunch({ tasks: 300, instances: 20 });
  });

  it("writes no task more than three times until it is RUNNING, and no more than three times per task over all kinds", () => {
    assert.ok(launch.mostWritesOfATask <= 3, `a task was written ${launch.mostWritesOfATask} times`);
    assert.ok(launch.writesPerTask <= 3, `${launch.writesPerTask}: ${JSON.stringify(launch.writesByResource)}`);
  });

  it("takes no more than one report per task", () => {
    assert.ok(launch.reportsPerTask <= 1, `${launch.reportsPerTask} reports per task`);
  });

  it("puts no more than 8 KiB per task on the bus, its events among them", () => {
    assert.ok(launch.busBytesPerTask <= 8192, `${launch.busBytesPerTask} bytes per task`);
  });
});
