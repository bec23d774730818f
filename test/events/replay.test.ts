import assert from "node:assert/strict";
import type { NatsConnection } from "nats";
import type { ReplayPage } from "../../bus/event-messages.js";
import { EVENTS, replay } from "../../bus/subjects.js";
import { eventually } from "../support/wait.js";
import { startWorld, type World } from "./support.js";

describe("replays by request", () => {
  let world: World;
  let reader: NatsConnection;
  const ask = async (request: object): Promise<ReplayPage> => {
    const answer = await reader.request(replay, JSON.stringify(request), { timeout: 5000 });
    return JSON.parse(answer.string());
  };
  const first = { type: "davit.v1.ReplayRequest" };
  before(async () => {
    world = await startWorld("replay");
    await world.createTask("web-1");
    await eventually("published", () => world.acknowledged() >= world.store.revision());
    const connection = world.bus.connect(await world.bus.nats.authority.reader(), "reader");
    reader = await connection.whenConnected(5000);
  });
  after(() => world.close());

  const state = async () => {
    const client = await world.connection.whenConnected(5000);
    const { state } = await (await client.jetstreamManager()).streams.info(EVENTS);
    return { messages: state.messages, last: state.last_seq };
  };

  it("give what is there, of the kinds that are asked for", async () => {
    const all = await ask(first);
    assert.deepEqual(all.items.map(({ event }) => event.detail.davit.kind).sort(), ["Cluster", "Task"]);
    const some = await ask({ ...first, kinds: ["Task"] });
    assert.deepEqual(
      some.items.map(({ event }) => event.detail.davit.name),
      ["web-1"],
    );
    assert.equal(some.next, undefined);
    assert.equal(some.epoch, world.publisher.current()?.epoch);
  });

  it("say so when a page is asked for that there is not", async () => {
    assert.match((await ask({ ...first, next: "x" })).error ?? "", /this replay is over/);
  });

  for (const reply of [
    "$JS.API.STREAM.PURGE.EVENTS",
    "$JS.API.STREAM.DELETE.EVENTS",
    "davit.v1.event.default.default.Task.g.a",
    `davit.v1.down.${"0".repeat(32)}.assign`,
    "_INBOX_control.x",
  ])
    it(`go nowhere else: not to ${reply}`, async () => {
      const before = await state();
      const heard: string[] = [];
      const client = await world.connection.whenConnected(5000);
      const listening = client.subscribe(reply, { callback: (_error, message) => void heard.push(message.string()) });
      await client.flush();
      reader.publish(replay, JSON.stringify(first), { reply });
      await ask(first);
      await client.flush();
      assert.deepEqual(heard, []);
      assert.deepEqual(await state(), before);
      listening.unsubscribe();
    });

  it("outlive nonsense", async () => {
    for (const nonsense of ["", "x", "[]", "null", '{"type":1}', '{"type":"davit.v1.ReplayRequest","kinds":"Task"}'])
      reader.publish(replay, nonsense, { reply: "_INBOX_reader.nonsense" });
    assert.ok((await ask(first)).items.length > 0);
  });
});
