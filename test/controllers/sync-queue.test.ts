import assert from "node:assert/strict";
import { createSyncQueue } from "../../controllers/instance/sync-queue.js";
import { eventually } from "../support/wait.js";

describe("whose session is opened next", () => {
  /** Sessions that open when they are told to. */
  function desk(atOnce: number) {
    const queue = createSyncQueue(atOnce);
    const begun: string[] = [];
    const ends = new Map<string, () => void>();
    const ask = (instance: string, request = instance): Promise<string> =>
      queue.run(instance, () => {
        begun.push(request);
        return new Promise((resolve) => ends.set(request, () => resolve(request)));
      });
    return { queue, begun, ask, end: (request: string) => ends.get(request)?.() };
  }

  it("so many at once, the others in the order in which they came", async () => {
    const { begun, ask, end } = desk(2);
    const answers = ["a", "b", "c", "d"].map((each) => ask(each));
    assert.deepEqual(begun, ["a", "b"]);
    end("b");
    assert.equal(await answers[1], "b");
    await eventually("the next begins", () => String(begun) === "a,b,c");
    for (const each of ["a", "c"]) end(each);
    await eventually("the last begins", () => begun.length === 4);
    end("d");
    assert.deepEqual(await Promise.all(answers), ["a", "b", "c", "d"]);
  });

  it("one at a time of each machine, and of those that wait only the last", async () => {
    const { queue, begun, ask, end } = desk(8);
    const first = ask("a", "a1");
    const second = ask("a", "a2");
    const third = ask("a", "a3");
    await assert.rejects(second, /has asked again/);
    assert.deepEqual(begun, ["a1"]);
    end("a1");
    assert.equal(await first, "a1");
    await eventually("the last begins", () => String(begun) === "a1,a3");
    assert.ok(queue.has("a"));
    end("a3");
    assert.equal(await third, "a3");
    await eventually("nobody is left", () => !queue.has("a"));
  });

  it("goes on after one that fails", async () => {
    const queue = createSyncQueue(1);
    await assert.rejects(
      queue.run("a", () => Promise.reject(new Error("no"))),
      /no/,
    );
    assert.equal(await queue.run("b", async () => "b"), "b");
  });
});
