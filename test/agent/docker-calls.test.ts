import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createLimiter } from "../../agent/runtimes/docker/limiter.js";
import { startCountingSocket } from "../../bench/support/counting-socket.js";
import { dockerSocket } from "../../cli/supervisor/checks.js";
import { execute } from "../support/davit.js";
import { temporaryFolder } from "../support/folder.js";
import { buildImage, removeImage } from "../support/images.js";
import { eventually } from "../support/wait.js";
import { dockerBench } from "./support/docker.js";

// Counted, not timed: each call costs the Engine and the agent, however fast the machine is.
describe("what a launch asks of the Docker Engine", function () {
  this.timeout(60_000);
  const image = `davit-agent-calls-${randomBytes(4).toString("hex")}:1`;
  before(() => buildImage(image));
  after(() => removeImage(image));

  it("one creation, one start and one look per container, two looks at the image, and a look at what ended", async () => {
    const folder = temporaryFolder("calls");
    const socket = await startCountingSocket(dockerSocket(), folder.path);
    const here = dockerBench();
    try {
      await here.start({ cleanupWaitMs: 60_000 }, socket.address);
      // Listed when it came, and again when the stream of events was open.
      const calls: Record<string, number> = {};
      await eventually("the agent follows", () => {
        for (const [kind, count] of Object.entries(socket.take())) calls[kind] = (calls[kind] ?? 0) + count;
        return calls["GET /events"] === 1 && calls["GET /containers/json"] === 2;
      });
      const tasks = Array.from({ length: 12 }, (_, n) =>
        here.run(`calls-${n}`, [{ name: "web", image, memory: 16, stopTimeout: 0 }], { networkMode: "host" }),
      );
      for (const task of tasks) await here.reported(task, "RUNNING");
      // Events come in order: with this one, those of the starts have come.
      await execute("docker", ["kill", (await here.raw(tasks[0] ?? "")).Id]);
      await here.reported(tasks[0] ?? "", "STOPPED");
      assert.deepEqual(socket.take(), {
        "GET /images/{name}/json": 2,
        "POST /containers/create": 12,
        "POST /containers/{id}/start": 12,
        "GET /containers/{id}/json": 12 + 1,
      });
    } finally {
      await here.close();
      socket.close();
      folder.remove();
    }
  });
});

describe("limiter", () => {
  it("runs no more than its limit at once, what is next before what waits, each in order", async () => {
    const limiter = createLimiter(2);
    const begun: string[] = [];
    const ends = new Map<string, () => void>();
    const action = (name: string) => () => {
      begun.push(name);
      return new Promise<void>((resolve) => ends.set(name, resolve));
    };
    const all = ["a", "b", "c", "d"].map((name) => limiter.run(action(name)));
    all.push(...["x", "y"].map((name) => limiter.runNext(action(name))));
    const seen: string[] = [];
    for (const name of ["a", "b", "x", "y", "c", "d"]) {
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(begun.join(""));
      ends.get(name)?.();
    }
    await Promise.all(all);
    assert.deepEqual(seen, ["ab", "abx", "abxy", "abxyc", "abxycd", "abxycd"]);
  });

  it("hands its place on when an action fails", async () => {
    const limiter = createLimiter(1);
    const failing = limiter.run(() => Promise.reject(new Error("no")));
    const next = limiter.run(async () => "yes");
    await assert.rejects(failing, /no/);
    assert.equal(await next, "yes");
  });
});
