import assert from "node:assert/strict";
import { parseKey } from "../../api/references.js";
import {
  type Controller,
  type ControllerOptions,
  keyOfObject,
  runController,
  source,
} from "../../client/controller.js";
import { createInformer } from "../../client/informer.js";
import { apiError, type ObjectClient } from "../../client/object-client.js";
import { again, done } from "../../client/work-queue.js";
import { eventually } from "../support/wait.js";
import { ScriptedClient, task } from "./scripted-client.js";

const nowhere = { info: () => {}, warn: () => {}, error: () => {} };

describe("controller", () => {
  let client: ScriptedClient;
  let end: AbortController;
  let controller: Controller | undefined;
  const run = (reconcile: ControllerOptions["reconcile"], more: Partial<ControllerOptions> = {}): Controller => {
    const informer = createInformer(client, "Task", { signal: end.signal, log: nowhere });
    controller = runController({
      name: "test",
      client,
      sources: [source(informer, (object) => [keyOfObject(object)])],
      log: nowhere,
      reconcile,
      ...more,
    });
    return controller;
  };
  const changed = (name: string, resourceVersion: number) =>
    client.send({
      events: [{ type: "MODIFIED", object: task(name, resourceVersion) }],
      resourceVersion: String(resourceVersion),
    });
  beforeEach(() => {
    client = new ScriptedClient();
    client.listAnswers = [{ items: [task("a", 1)], resourceVersion: "1" }];
    end = new AbortController();
    controller = undefined;
  });
  afterEach(async () => {
    end.abort();
    await controller?.stop();
  });

  it("reconciles every object once its sources are synced, and again what changes", async () => {
    const seen: string[] = [];
    client.listAnswers = [{ items: [task("a", 1), task("b", 2)], resourceVersion: "2" }];
    run(async (key) => {
      seen.push(key);
      return done();
    });
    await eventually("both", () => seen.length === 2);
    await eventually("the watch", () => client.watching);
    changed("b", 3);
    await eventually("b again", () => seen.length === 3);
    assert.deepEqual(seen, ["default/a", "default/b", "default/b"]);
  });

  it("does not reconcile a key again until its informers show what it wrote last", async () => {
    let rounds = 0;
    const others: string[] = [];
    const running = run(async (key, writer) => {
      if (key !== "default/a") {
        others.push(key);
        return done();
      }
      rounds++;
      await writer.updateStatus("Task", task("a", 10 * rounds));
      await writer.update("Task", task("a", 10 * rounds - 5));
      return done();
    });
    await eventually("the first round", () => rounds === 1);
    await eventually("the watch", () => client.watching);
    running.add("default/a");
    changed("a", 7);
    running.add("default/other");
    await eventually("another key, which is not held up", () => others.length === 1);
    assert.equal(rounds, 1);
    changed("a", 9);
    running.add("default/other");
    await eventually("the other again", () => others.length === 2);
    assert.equal(rounds, 1, "revision 10 was written and is not there yet");
    assert.equal(running.idle, false);
    client.send({ events: [], resourceVersion: "10" });
    await eventually("the second round, by a bookmark", () => rounds === 2);
  });

  it("waits until a deletion of its own is seen", async () => {
    let rounds = 0;
    let others = 0;
    const running = run(async (key, writer) => {
      if (key !== "default/a") others++;
      else if (++rounds === 1) await writer.delete("Task", parseKey(key));
      return done();
    });
    await eventually("the first round", () => rounds === 1);
    await eventually("the watch", () => client.watching);
    running.add("default/a");
    client.send({ events: [], resourceVersion: "50" });
    running.add("default/other");
    await eventually("another key to be done", () => others === 1);
    assert.deepEqual([rounds, running.idle], [1, false]);
    client.send({ events: [{ type: "DELETED", object: task("a", 51) }], resourceVersion: "51" });
    await eventually("the second round", () => rounds === 2);
  });

  it("does not wait for a dry run, nor for a kind that it reads from no cache", async () => {
    let rounds = 0;
    const running = run(async (_, writer) => {
      rounds++;
      await writer.update("Task", task("a", 100), { dryRun: true });
      const cluster = { ...task("c", 100), kind: "Cluster" as const, spec: {} };
      await writer.update("Cluster", cluster);
      return done();
    });
    await eventually("the first round", () => rounds === 1);
    running.add("default/a");
    await eventually("the second round", () => rounds === 2);
  });

  it("comes back quickly after a conflict, with back-off and a log line after any other failure", async () => {
    const logged: object[] = [];
    let rounds = 0;
    run(
      async () => {
        rounds++;
        if (rounds <= 3) throw apiError(409, "Conflict", "Conflict");
        if (rounds <= 5) throw new Error("broken");
        return done();
      },
      { log: { ...nowhere, error: (fields) => logged.push(fields) } },
    );
    await eventually("the end", () => rounds === 6);
    assert.deepEqual(
      logged.map((fields) => ("failures" in fields ? fields.failures : undefined)),
      [1, 2],
    );
  });

  it("looks again when the reconciler asks for it, and not after it has stopped", async () => {
    let rounds = 0;
    const running = run(async () => {
      rounds++;
      return rounds < 3 ? again(1) : done();
    });
    await eventually("three rounds", () => rounds === 3);
    await running.stop();
    running.add("default/a");
    await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(rounds, 3);
  });

  it("gives the reconciler a client that reads like its own", async () => {
    const clients: ObjectClient[] = [];
    run(async (_, writer) => {
      clients.push(writer);
      return done();
    });
    await eventually("the round", () => clients.length === 1);
    assert.deepEqual(await clients[0]?.list("Task"), await client.list("Task"));
  });
});
