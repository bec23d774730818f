import assert from "node:assert/strict";
import { AGENT_DEFAULTS } from "../../agent/options.js";
import { createProbe } from "../../agent/probe.js";
import { createUsageMeter } from "../../agent/runtimes/docker/usage.js";
import { eventually } from "../support/wait.js";
import { assignment, container, hex, revision } from "./support/builders.js";
import { type Bench, bench } from "./support/machine.js";

describe("agent's probe", () => {
  let here: Bench | undefined;
  afterEach(async () => {
    await here?.close();
    here = undefined;
  });
  const started = async (setup: Parameters<typeof bench>[0] = {}): Promise<Bench> => {
    here = bench(setup);
    await here.start();
    return here;
  };

  it("tells what each live task uses, the disk, the clock, and that all is well", async () => {
    const machine = await started({
      simulated: { cpuUse: 0.5, memoryUse: 0.25, diskTotalBytes: 1000, diskFreeBytes: 400 },
    });
    const { control } = machine;
    control.revisions = {
      "default/shop:1": revision([
        container({ cpu: 100, memory: 64 }),
        container({ name: "side", cpu: 20, memory: 100, memoryReservation: 32 }),
      ]),
    };
    control.assign(assignment("one"), assignment("two"));
    await eventually("RUNNING", () => ["one", "two"].every((name) => control.state(hex(name)) === "RUNNING"));
    const beforeMs = Date.now();
    const answer = await machine.handlers().probe();
    assert.deepEqual(answer.usage, [
      { task: hex("one"), cpuUnits: 60, memoryMiB: 24 },
      { task: hex("two"), cpuUnits: 60, memoryMiB: 24 },
    ]);
    assert.deepEqual(answer.disk, { path: "/simulated", totalBytes: 1000, freeBytes: 400 });
    assert.ok(answer.nowMs >= beforeMs && answer.nowMs <= Date.now());
    assert.deepEqual([answer.orphans, answer.problems, answer.agentVersion], [[], [], "0.1.0"]);
  });

  it("names containers of its own that belong to no task of its, and forgets them when they are gone", async () => {
    let hangs = true;
    const machine = await started({
      options: { stopTimeoutMs: 0, hangingMs: 0 },
      wrap: (plain) => ({
        ...plain,
        stop: (id, graceMs) => (hangs ? Promise.reject(new Error("hangs")) : plain.stop(id, graceMs)),
      }),
    });
    const { control } = machine;
    control.assign(assignment("one"));
    await eventually("RUNNING", () => control.state(hex("one")) === "RUNNING");
    const [id] = machine.runtime().containers.keys();
    control.setConnected(false);
    control.drop(hex("one"));
    control.setConnected(true);
    const orphans = await eventually("told", async () => {
      const answer = await machine.handlers().probe();
      return answer.orphans.length > 0 && answer.orphans;
    });
    assert.deepEqual(
      orphans.map((orphan) => [orphan.id, orphan.task, orphan.deliberate]),
      [[id, hex("one"), false]],
    );
    hangs = false;
    await eventually("gone", async () => (await machine.handlers().probe()).orphans.length === 0);
  });

  it("answers also when the runtime does not, and says so", async () => {
    const machine = await started({
      options: { relistMs: 10 },
      wrap: (plain) => {
        let lists = 0;
        return {
          ...plain,
          list: () => (lists++ > 0 ? Promise.reject(new Error("no answer within 20 s")) : plain.list()),
          usage: () => Promise.reject(new Error("no answer within 20 s")),
          disk: () => Promise.reject(new Error("no answer within 20 s")),
        };
      },
    });
    await eventually("told", async () => {
      const { problems, usage, disk } = await machine.handlers().probe();
      assert.deepEqual([usage, disk], [[], undefined]);
      return ["the runtime does not answer", "what containers use is not known", "the disk is not known"].every(
        (words) => problems.some((problem) => problem.startsWith(words)),
      );
    });
  });

  it("does not wait for a runtime that hangs", async () => {
    const never = () => new Promise<never>(() => {});
    const probe = createProbe({
      engine: { records: () => [], problems: () => [] },
      runtime: { usage: async () => new Map(), orphans: async () => [], disk: never },
      options: AGENT_DEFAULTS,
      now: Date.now,
      problems: () => [],
      patienceMs: 20,
    });
    const { problems } = await probe();
    assert.match(problems.join(), /the disk is not known: the runtime did not answer within/);
  });
});

describe("what Docker's counters say of use", () => {
  /** Counters of one container, by readings. */
  const meterOf = (...readings: { atMs: number; cpuMs: number; memory?: Record<string, unknown> }[]) => {
    const waits: number[] = [];
    const meter = createUsageMeter({
      async read() {
        const { atMs, cpuMs, memory = { usage: 0 } } = readings.shift() ?? assert.fail("too many readings");
        return {
          read: new Date(atMs).toISOString(),
          cpu_stats: { cpu_usage: { total_usage: cpuMs * 1e6 } },
          memory_stats: memory,
        };
      },
      wait: async (ms) => void waits.push(ms),
    });
    return { meter, waits, left: readings };
  };
  const MIB = 2 ** 20;

  it("half a core over a second is 512 units; the next look needs no wait", async () => {
    const { meter, waits } = meterOf(
      { atMs: 10_000, cpuMs: 100 },
      { atMs: 11_000, cpuMs: 600 },
      { atMs: 13_000, cpuMs: 4_600 },
    );
    assert.equal((await meter.usage(["a"])).get("a")?.cpuUnits, 512);
    assert.equal((await meter.usage(["a"])).get("a")?.cpuUnits, 2048);
    assert.deepEqual(waits, [1_000]);
  });

  it("a reading that is too old, or too young, is not compared with", async () => {
    const { meter, waits } = meterOf(
      ...[10_000, 11_000, 90_000, 91_000, 91_100, 92_200].map((atMs) => ({ atMs, cpuMs: atMs / 4 })),
    );
    for (const _ of [1, 2, 3]) assert.equal((await meter.usage(["a"])).get("a")?.cpuUnits, 256);
    assert.deepEqual(waits, [1_000, 1_000, 1_000]);
  });

  for (const [what, memory, wanted] of [
    ["cgroup v1: without cache", { usage: 100 * MIB, stats: { cache: 60 * MIB } }, 40],
    ["cgroup v2: without file", { usage: 100 * MIB, stats: { file: 70 * MIB, inactive_file: 10 * MIB } }, 30],
    ["a tmpfs is memory", { usage: 100 * MIB, stats: { file: 70 * MIB, shmem: 50 * MIB } }, 80],
    ["no parts are known", { usage: 5 * MIB }, 5],
  ] as const)
    it(`memory, ${what}: ${wanted} MiB`, async () => {
      const { meter } = meterOf({ atMs: 0, cpuMs: 0, memory }, { atMs: 1_000, cpuMs: 0, memory });
      assert.equal((await meter.usage(["a"])).get("a")?.memoryMiB, wanted);
    });

  it("a container that does not run uses nothing", async () => {
    const meter = createUsageMeter({ read: async () => ({ read: "0001-01-01T00:00:00Z" }), wait: async () => {} });
    assert.equal((await meter.usage(["a"])).size, 0);
  });
});
