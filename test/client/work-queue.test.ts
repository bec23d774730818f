import assert from "node:assert/strict";
import fc from "fast-check";
import { backOffMs } from "../../client/back-off.js";
import { again, done, type Outcome, WorkQueue, type WorkQueueOptions } from "../../client/work-queue.js";
import { eventually } from "../support/wait.js";

describe("work queue", () => {
  let queues: WorkQueue[] = [];
  const start = (options: Partial<WorkQueueOptions> & Pick<WorkQueueOptions, "work">): WorkQueue => {
    const queue = new WorkQueue({ onFailure: () => {}, backOff: { minMs: 1, maxMs: 8 }, ...options });
    queues.push(queue);
    queue.start();
    return queue;
  };
  afterEach(async () => {
    await Promise.all(queues.map((queue) => queue.stop()));
    queues = [];
  });
  /** Work that goes on until the test lets it. */
  const gate = () => {
    const begun: string[] = [];
    const open: (() => void)[] = [];
    const work = (key: string): Promise<Outcome> => {
      begun.push(key);
      return new Promise((resolve) => open.push(() => resolve(done())));
    };
    return { begun, work, open: () => open.shift()?.() };
  };

  it("works on a key once, however often it was added, first come first served", async () => {
    const { begun, work, open } = gate();
    const queue = start({ work, concurrency: 1 });
    for (const key of ["a", "b", "b", "c", "b"]) queue.add(key);
    assert.equal(queue.depth, 3);
    for (let n = 1; n <= 3; n++) {
      await eventually(`the ${n}th`, () => begun.length === n);
      open();
    }
    await eventually("the end", () => queue.idle);
    assert.deepEqual(begun, ["a", "b", "c"]);
  });

  it("comes back once to a key that was added while it was worked on", async () => {
    const { begun, work, open } = gate();
    const queue = start({ work });
    queue.add("a");
    await eventually("the first time", () => begun.length === 1);
    queue.add("a");
    queue.add("a");
    open();
    await eventually("the second time", () => begun.length === 2);
    open();
    await eventually("the end", () => queue.idle);
    assert.equal(begun.length, 2);
  });

  it("never works on one key twice at a time, nor on more keys than allowed, and forgets none", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ key: fc.nat(4), answer: fc.constantFrom("done", "again", "fail"), turns: fc.nat(3) }), {
          minLength: 1,
          maxLength: 40,
        }),
        async (steps) => {
          const now = new Set<string>();
          const wanted = new Map<string, number>();
          const lastSeen = new Map<string, number>();
          let clock = 0;
          let next = 0;
          const queue = start({
            concurrency: 3,
            work: async (key) => {
              assert.ok(!now.has(key), `${key} twice`);
              now.add(key);
              assert.ok(now.size <= 3);
              const begunAt = clock++;
              const step = steps[next++ % steps.length];
              for (let turn = 0; turn < (step?.turns ?? 0); turn++)
                await new Promise((resolve) => setImmediate(resolve));
              now.delete(key);
              lastSeen.set(key, begunAt);
              if (next < 200 && step?.answer === "fail") throw new Error("fail");
              return next < 200 && step?.answer === "again" ? again(0) : done();
            },
          });
          for (const { key, turns } of steps) {
            wanted.set(String(key), clock++);
            queue.add(String(key));
            if (turns === 0) await new Promise((resolve) => setImmediate(resolve));
          }
          await eventually("all to be done", () => queue.idle);
          for (const [key, at] of wanted) assert.ok((lastSeen.get(key) ?? -1) > at, `${key} was not looked at again`);
          await queue.stop();
        },
      ),
      { numRuns: 30 },
    );
  });

  it("brings a key back after a while, or sooner if it is added sooner", async () => {
    let count = 0;
    const queue = start({
      work: async () => {
        count++;
        return count === 1 ? again(3) : done();
      },
    });
    queue.add("a");
    await eventually("the second time", () => count === 2);
    queue.addAfter("a", 3_600_000);
    queue.addAfter("a", 7_200_000);
    assert.equal(count, 2);
    queue.add("a");
    await eventually("the third time", () => count === 3);
    queue.addAfter("a", 3_600_000);
    queue.addAfter("a", 1);
    await eventually("the earlier of two times", () => count === 4);
  });

  it("backs off per key after failures, twice as long each time, and starts afresh after a success", async () => {
    const waits: [string, number, number][] = [];
    let failing = true;
    const queue = start({
      random: () => 1,
      work: async (key) => {
        if (key === "bad" && failing) throw new Error("no");
        return done();
      },
      onFailure: (key, _, failures, retryAfterMs) => {
        waits.push([key, failures, retryAfterMs]);
        if (failures === 5) failing = false;
      },
    });
    queue.add("good");
    queue.add("bad");
    await eventually("five failures", () => waits.length === 5 && queue.idle);
    assert.deepEqual(
      waits.map(([, , ms]) => ms),
      [1, 2, 4, 8, 8],
    );
    await eventually("a success", () => !failing && queue.idle);
    await new Promise((resolve) => setTimeout(resolve, 20));
    failing = true;
    queue.add("bad");
    await eventually("a sixth failure", () => waits.length > 5);
    assert.deepEqual(waits[5], ["bad", 1, 1]);
    failing = false;
  });

  it("leaves others their turn when a key comes back at once, for ever", async () => {
    let count = 0;
    const queue = start({
      work: async () => {
        count++;
        return again(0);
      },
    });
    queue.add("a");
    await eventually("a timer to fire meanwhile", () => count > 3);
  });

  it("waits between half and all of the back-off, within the limits", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (failures, random) => {
          const fullMs = Math.min(1_000_000, 5 * 2 ** (failures - 1));
          const ms = backOffMs(failures, { minMs: 5, maxMs: 1_000_000 }, () => random);
          assert.ok(ms >= fullMs / 2 && ms <= fullMs);
        },
      ),
    );
  });

  it("stops: lets work under way end, begins none, and keeps no timer", async () => {
    const { begun, work, open } = gate();
    const queue = start({ work, concurrency: 1 });
    queue.add("a");
    queue.add("b");
    await eventually("a", () => begun.length === 1);
    queue.addAfter("c", 1);
    let ended = false;
    const stopping = queue.stop().then(() => {
      ended = true;
    });
    queue.add("d");
    await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(ended, false);
    open();
    await stopping;
    assert.deepEqual(begun, ["a"]);
  });

  it("tells its metrics depth, waiting time, working time and result, and zero at the start", async () => {
    const told: unknown[] = [];
    let clock = 0;
    const queue = new WorkQueue({
      now: () => clock,
      onFailure: () => {},
      backOff: { minMs: 60_000, maxMs: 60_000 },
      work: async (key) => {
        clock += 5;
        if (key === "bad") throw new Error("no");
        return done();
      },
      metrics: {
        depth: (keys) => told.push(["depth", keys]),
        waited: (ms) => told.push(["waited", ms]),
        worked: (ms, result) => told.push(["worked", ms, result]),
      },
    });
    queues.push(queue);
    queue.add("good");
    clock = 10;
    queue.start();
    await eventually("the work", () => queue.idle);
    queue.add("bad");
    await eventually("the failure", () => queue.idle);
    assert.deepEqual(told, [
      ["depth", 0],
      ["depth", 1],
      ["depth", 0],
      ["waited", 10],
      ["worked", 5, "done"],
      ["depth", 1],
      ["depth", 0],
      ["waited", 0],
      ["worked", 5, "failed"],
    ]);
  });
});
