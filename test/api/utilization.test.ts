import assert from "node:assert/strict";
import { clusterMetrics, type MachineLoad, serviceMetrics, shownPercent } from "../../api/utilization.js";
import { demandOf } from "../../scheduling/demand.js";

const amounts = (cpuUnits = 0, memoryMiB = 0, gpus = 0) => ({ cpuUnits, memoryMiB, gpus });
const machine = (parts: Partial<MachineLoad>): MachineLoad => ({
  status: "ACTIVE",
  registered: amounts(1024, 1000),
  reserved: amounts(),
  used: amounts(),
  ...parts,
});

describe("utilization", () => {
  it("[07-50] ten tasks of 1,024 units on 18,432 reserve 55.6 %, shown as 55", () => {
    const { cpuReservation = 0, memoryReservation = 0 } = clusterMetrics([
      machine({ registered: amounts(9_216, 16_963), reserved: amounts(4 * 1_024, 4 * 2_048) }),
      machine({ registered: amounts(9_216, 16_963), reserved: amounts(6 * 1_024, 6 * 2_048) }),
    ]);
    assert.equal(cpuReservation.toFixed(1), "55.6");
    assert.equal(shownPercent(cpuReservation), "55%");
    assert.equal(memoryReservation.toFixed(2), "60.37");
    assert.equal(shownPercent(memoryReservation), "60%");
    assert.equal(cpuReservation, (100 * 10 * 1_024) / 18_432, "in full precision");
  });

  it("[07-51] of a container's memory and memoryReservation the soft value counts", () => {
    const { cpuUnits, memoryMiB } = demandOf({
      family: "web",
      revision: 1,
      contentHash: "",
      containerDefinitions: [
        { name: "soft", image: "x", cpu: 10, memory: 512, memoryReservation: 100 },
        { name: "hard", image: "x", cpu: 20, memory: 400 },
      ],
    });
    const task = amounts(cpuUnits, memoryMiB);
    assert.equal(clusterMetrics([machine({ reserved: task })]).memoryReservation, 50);
    const { memoryUtilization } = serviceMetrics([{ reserved: task, used: amounts(0, 750) }]);
    assert.equal(memoryUtilization, 150, "with a soft limit it can pass 100");
  });

  it("[07-52] a task of 512 units that uses 2,048 makes its service's CPU utilization 400 %", () => {
    const busy = { reserved: amounts(512, 100), used: amounts(2_048, 50) };
    assert.deepEqual(serviceMetrics([busy]), { cpuUtilization: 400, memoryUtilization: 50 });
    const idle = { reserved: amounts(512, 100), used: amounts(0, 50) };
    assert.deepEqual(serviceMetrics([busy, idle]), { cpuUtilization: 200, memoryUtilization: 50 });
    assert.deepEqual(
      serviceMetrics([busy, { reserved: amounts(512, 100) }]).cpuUtilization,
      400,
      "unknown: not counted",
    );
  });

  for (const [status, counts] of Object.entries({
    ACTIVE: true,
    DRAINING: true,
    REGISTERING: false,
    REGISTRATION_FAILED: false,
    DEREGISTERING: false,
    INACTIVE: false,
  }))
    it(`[07-53] a machine that is ${status} ${counts ? "counts" : "does not count"}`, () => {
      const full = machine({
        status,
        registered: amounts(1024, 1000, 2),
        reserved: amounts(1024, 1000, 2),
        used: amounts(1024, 1000),
      });
      const empty = machine({ registered: amounts(1024, 1000, 2) });
      const percent = counts ? 50 : 0;
      assert.deepEqual(clusterMetrics([full, empty]), {
        cpuReservation: percent,
        memoryReservation: percent,
        gpuReservation: percent,
        cpuUtilization: percent,
        memoryUtilization: percent,
      });
    });

  it("GPUs are a share of those that there are, on whichever machines they are", () => {
    const metrics = clusterMetrics([
      machine({ registered: amounts(1024, 1000, 4), reserved: amounts(0, 0, 1) }),
      machine({}),
    ]);
    assert.equal(metrics.gpuReservation, 25);
    assert.equal("gpuReservation" in clusterMetrics([machine({})]), false);
  });

  it("a machine whose use nobody knows counts in the reservations alone", () => {
    const silent = { status: "ACTIVE", registered: amounts(1024, 1000), reserved: amounts(1024, 0) };
    const metrics = clusterMetrics([silent, machine({ used: amounts(512, 100) })]);
    assert.deepEqual([metrics.cpuReservation, metrics.cpuUtilization, metrics.memoryUtilization], [50, 50, 10]);
    assert.equal(clusterMetrics([silent]).cpuUtilization, undefined);
    assert.deepEqual(clusterMetrics([]), {});
  });

  it("is shown in whole percents, and as a dash where there is nothing to take a share of", () => {
    for (const [percent, text] of [
      [12.5, "12%"],
      [99.99, "99%"],
      [100, "100%"],
      [400, "400%"],
      [0, "0%"],
      [undefined, "-"],
    ] as const)
      assert.equal(shownPercent(percent), text);
  });
});
