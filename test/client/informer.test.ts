import assert from "node:assert/strict";
import type { Task } from "../../api/types.gen.js";
import { createInformer, type Informer } from "../../client/informer.js";
import { apiError } from "../../client/object-client.js";
import { eventually } from "../support/wait.js";
import { ScriptedClient, task } from "./scripted-client.js";

const nowhere = { info: () => {}, warn: () => {}, error: () => {} };
const backOff = { minMs: 1, maxMs: 5 };

describe("informer", () => {
  let client: ScriptedClient;
  let end: AbortController;
  let seen: string[];
  const start = (more: Parameters<typeof createInformer<"Task">>[2] | object = {}): Informer<Task> => {
    const informer = createInformer(client, "Task", { signal: end.signal, log: nowhere, backOff, ...more });
    informer.on({
      added: (object) => seen.push(`+${object.metadata.name}@${object.metadata.resourceVersion}`),
      updated: (object, previous) =>
        seen.push(`~${object.metadata.name}@${previous.metadata.resourceVersion}→${object.metadata.resourceVersion}`),
      deleted: (object) => seen.push(`-${object.metadata.name}@${object.metadata.resourceVersion}`),
    });
    return informer;
  };
  beforeEach(() => {
    client = new ScriptedClient();
    end = new AbortController();
    seen = [];
  });
  afterEach(() => end.abort());

  it("fills its cache from a list, then from the watch that follows it", async () => {
    client.listAnswers = [{ items: [task("a", 3), task("b", 5)], resourceVersion: "7" }];
    const informer = start({ namespace: "default" });
    assert.equal(informer.resourceVersion, "");
    await informer.synced;
    assert.equal(informer.resourceVersion, "7");
    await eventually("the watch", () => client.watching);
    assert.deepEqual([client.lists[0]?.namespace, client.watches[0]?.resourceVersion], ["default", "7"]);
    client.send({
      events: [
        { type: "MODIFIED", object: task("a", 8) },
        { type: "ADDED", object: task("c", 9) },
        { type: "DELETED", object: task("b", 10) },
      ],
      resourceVersion: "10",
    });
    await eventually("the batch", () => informer.resourceVersion === "10");
    assert.deepEqual(seen, ["+a@3", "+b@5", "~a@3→8", "+c@9", "-b@10"]);
    assert.equal(informer.get({ namespace: "default", name: "b" }), undefined);
    assert.equal(informer.getByUid("uid-a")?.metadata.resourceVersion, "8");
    assert.equal(informer.getByUid("uid-b"), undefined);
    assert.deepEqual(
      informer
        .list("default")
        .map((each) => each.metadata.name)
        .sort(),
      ["a", "c"],
    );
    assert.deepEqual(informer.list("other"), []);
  });

  it("learns from bookmarks how far it is", async () => {
    client.listAnswers = [{ items: [], resourceVersion: "7" }];
    const informer = start();
    await eventually("the watch", () => client.watching);
    const mark = informer.mark("12");
    assert.equal(informer.hasReached(mark), false);
    client.send({ events: [], resourceVersion: "12" });
    await eventually("the mark", () => informer.hasReached(mark));
  });

  it("keeps its indexes in step with every change", async () => {
    client.listAnswers = [
      { items: [task("a", 1, { group: "x" }), task("b", 2, { group: "x" })], resourceVersion: "2" },
    ];
    const indexes = { group: (object: Task) => (object.spec.group ? [object.spec.group] : []) };
    const informer = start({ indexes });
    await eventually("the watch", () => client.watching);
    const names = (group: string) => informer.byIndex("group", group).map((each) => each.metadata.name);
    assert.deepEqual(names("x"), ["a", "b"]);
    client.send({
      events: [
        { type: "MODIFIED", object: task("a", 3, { group: "y" }) },
        { type: "DELETED", object: task("b", 4) },
        { type: "ADDED", object: task("c", 5) },
      ],
      resourceVersion: "5",
    });
    await eventually("the batch", () => informer.resourceVersion === "5");
    assert.deepEqual([names("x"), names("y"), names("")], [[], ["a"], []]);
    assert.throws(() => informer.byIndex("no such", "x"), /no index "no such"/);
  });

  it("lists again when its resourceVersion has expired, and tells only the differences", async () => {
    client.listAnswers = [
      { items: [task("same", 1), task("changed", 2), task("gone", 3), task("again", 4)], resourceVersion: "4" },
      { items: [task("same", 1), task("changed", 20), task("again", 21, { uid: "other" })], resourceVersion: "30" },
    ];
    const informer = start();
    await eventually("the watch", () => client.watching);
    seen.length = 0;
    client.send(apiError(410, "Expired", "Expired"));
    await eventually("the second list", () => informer.resourceVersion === "30");
    assert.deepEqual(seen, ["~changed@2→20", "-again@4", "+again@21", "-gone@3"]);
    await eventually("the watch from there", () => client.watches.at(-1)?.resourceVersion === "30");
  });

  it("watches again from where it was when the watch ends or fails, without a new list", async () => {
    client.listAnswers = [{ items: [], resourceVersion: "1" }];
    const informer = start();
    for (const [index, ending] of (["end", new Error("connection reset")] as const).entries()) {
      await eventually("the watch", () => client.watching);
      client.send({ events: [], resourceVersion: String(10 + index) });
      await eventually("the batch", () => informer.resourceVersion === String(10 + index));
      client.send(ending);
      await eventually("the next watch", () => client.watches.at(-1)?.resourceVersion === String(10 + index));
    }
    assert.equal(client.lists.length, 1);
  });

  it("waits ever longer, with jitter, while the server does not answer, and is well again afterwards", async () => {
    const warned: object[] = [];
    client.listAnswers = [
      new Error("no"),
      new Error("no"),
      new Error("no"),
      { items: [task("a", 1)], resourceVersion: "1" },
    ];
    const randoms = [0, 1, 0.5, 0.1];
    let asked = 0;
    const informer = start({
      log: { ...nowhere, warn: (fields: object) => warned.push(fields) },
      random: () => randoms[asked++] ?? 0,
    });
    await informer.synced;
    assert.equal(warned.length, 3);
    assert.equal(asked, 3);
    assert.deepEqual(seen, ["+a@1"]);
  });

  it("counts a write as seen after a list begun later, even if resourceVersions have started afresh", async () => {
    client.listAnswers = [
      { items: [], resourceVersion: "1000" },
      { items: [], resourceVersion: "3" },
    ];
    const informer = start();
    await eventually("the watch", () => client.watching);
    const mark = informer.mark("1001");
    client.send(apiError(410, "Expired", "Expired"));
    await eventually("the new world", () => informer.resourceVersion === "3");
    assert.equal(informer.hasReached(mark), true);
    assert.equal(informer.hasReached(informer.mark("4")), false);
  });

  it("hands the cache over to who comes later, and is silent to who has left", async () => {
    client.listAnswers = [{ items: [task("a", 1)], resourceVersion: "1" }];
    const informer = start();
    await eventually("the watch", () => client.watching);
    const late: string[] = [];
    const leave = informer.on({ added: (object) => late.push(object.metadata.name) });
    client.send({ events: [{ type: "ADDED", object: task("b", 2) }], resourceVersion: "2" });
    await eventually("b", () => informer.resourceVersion === "2");
    leave();
    client.send({ events: [{ type: "ADDED", object: task("c", 3) }], resourceVersion: "3" });
    await eventually("c", () => informer.resourceVersion === "3");
    assert.deepEqual(late, ["a", "b"]);
  });

  it("ends with its signal, whatever it is doing", async () => {
    client.listAnswers = [new Error("down")];
    start({ backOff: { minMs: 60_000, maxMs: 60_000 } });
    await eventually("the first attempt", () => client.lists.length === 1);
    end.abort();
    const second = new AbortController();
    client.listAnswers = [{ items: [], resourceVersion: "1" }];
    start({ signal: second.signal });
    await eventually("the watch", () => client.watching);
    second.abort();
    await eventually("its end", () => !client.watching);
    assert.equal(client.lists.length, 2);
  });
});
