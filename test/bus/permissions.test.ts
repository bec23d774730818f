// What each credential is refused, tried on a real nats-server.
import assert from "node:assert/strict";
import { headers, type NatsConnection, StringCodec } from "nats";
import { createControlBus } from "../../bus/control.js";
import { EVENTS } from "../../bus/subjects.js";
import { eventually } from "../support/wait.js";
import { id, startTestBus, syncRequest, type TestBus } from "./support.js";

const text = StringCodec();

describe("credentials", () => {
  let bus: TestBus;
  let control: NatsConnection;
  const one = id(1);
  const two = id(2);
  const clientOf = async (credentials: string, owner: string) => bus.connect(credentials, owner).whenConnected(5000);

  before(async () => {
    bus = await startTestBus("permissions");
    const connection = bus.connect(await bus.nats.authority.control(), "control");
    control = await connection.whenConnected(5000);
    const manager = await control.jetstreamManager();
    await manager.streams.add({ name: EVENTS, subjects: ["davit.v1.event.>"] });
    await control.jetstream().publish("davit.v1.event.default.default.Task.g.a", "one");
    await control.jetstream().publish("davit.v1.event.default.default.Task.g.b", "two");
    const served = createControlBus({ connection, log: bus.log });
    served.serve({
      sync: async () => ({
        type: "davit.v1.SyncAnswer",
        epoch: 1,
        seq: 0,
        assignments: [],
        revisions: {},
        heartbeatMs: 1,
      }),
      report: async () => ({ type: "davit.v1.ReportAnswer", ok: true }),
      heartbeat: () => {},
      goodbye: () => {},
    });
  });
  after(() => bus.close());

  const eventsState = async () => {
    const { state } = await (await control.jetstreamManager()).streams.info(EVENTS);
    return { messages: state.messages, last: state.last_seq };
  };

  /** The permission errors that these publishes cause. */
  async function refusedPublishes(client: NatsConnection, subjects: string[], withinMs = 3000): Promise<string[]> {
    const refused = new Set<string>();
    const statuses = client.status();
    void (async () => {
      for await (const { permissionContext } of statuses)
        if (permissionContext?.operation === "publish") refused.add(permissionContext.subject);
    })();
    for (const subject of subjects) client.publish(subject, "x");
    await client.flush();
    await eventually(
      "each publish is refused",
      () => subjects.every((subject) => refused.has(subject)),
      withinMs,
    ).catch(() => {});
    return [...refused].sort();
  }

  async function refusedSubscriptions(client: NatsConnection, subjects: string[], withinMs = 3000): Promise<string[]> {
    const refused: string[] = [];
    for (const subject of subjects)
      client.subscribe(subject, { callback: (error) => void (error && refused.push(subject)) });
    await client.flush();
    await eventually("each subscription is refused", () => refused.length === subjects.length, withinMs).catch(
      () => {},
    );
    return refused.sort();
  }

  it("of an agent let it publish only below its own `up`", async () => {
    const agent = await clientOf(await bus.nats.authority.agent(one), one);
    const forbidden = [
      `davit.v1.up.${two}.report`,
      `davit.v1.down.${one}.assign`,
      `davit.v1.down.${two}.assign`,
      "davit.v1.event.default.default.Task.g.a",
      "davit.v1.event._epoch",
      "davit.v1.replay",
      "$JS.API.INFO",
      "$JS.API.STREAM.PURGE.EVENTS",
      "$JS.API.STREAM.MSG.GET.EVENTS",
      "$JS.ACK.EVENTS.c.1.1.1.1.1",
      "$SYS.REQ.USER.INFO",
      `_INBOX_${two}.x`,
      `_INBOX_${one}.x`,
      "anything",
    ];
    assert.deepEqual(await refusedPublishes(agent, forbidden), [...forbidden].sort());
    assert.deepEqual(await refusedPublishes(agent, [`davit.v1.up.${one}.x`], 200), []);
  }).timeout(15_000);

  it("of an agent let it hear only its own `down` and inbox", async () => {
    const agent = await clientOf(await bus.nats.authority.agent(one), one);
    const forbidden = [
      ">",
      "davit.>",
      "davit.v1.down.*.>",
      `davit.v1.down.${two}.>`,
      "davit.v1.up.*.>",
      `davit.v1.up.${one}.>`,
      "davit.v1.event.>",
      `_INBOX_${two}.>`,
      "_INBOX.>",
      "$SYS.>",
      "$JS.>",
    ];
    assert.deepEqual(await refusedSubscriptions(agent, forbidden), [...forbidden].sort());
    assert.deepEqual(await refusedSubscriptions(agent, [`davit.v1.down.${one}.>`], 200), []);
  }).timeout(15_000);

  it("of a reader let it subscribe to events and ask for a replay, nothing else", async () => {
    const reader = await clientOf(await bus.nats.authority.reader(), "reader");
    const publishes = [
      "davit.v1.event.default.default.Task.g.a",
      "davit.v1.event._cursor",
      `davit.v1.up.${one}.sync`,
      `davit.v1.down.${one}.assign`,
      "_INBOX_reader.x",
      "$JS.API.STREAM.PURGE.EVENTS",
      "$JS.API.CONSUMER.CREATE.EVENTS",
      "$SYS.REQ.USER.INFO",
    ];
    assert.deepEqual(await refusedPublishes(reader, publishes), [...publishes].sort());
    const subjects = [
      ">",
      "davit.v1.>",
      "davit.v1.down.*.>",
      "davit.v1.up.*.>",
      "davit.v1.replay",
      "$JS.>",
      "_INBOX.>",
    ];
    assert.deepEqual(await refusedSubscriptions(reader, subjects), [...subjects].sort());
    const seen: string[] = [];
    reader.subscribe("davit.v1.event.>", { callback: (_error, message) => void seen.push(text.decode(message.data)) });
    await reader.flush();
    control.publish("davit.v1.event.default.default.Task.g.a", "three");
    await eventually("the event comes", () => seen.includes("three"));
  }).timeout(15_000);

  it("of a reader open the door without a key, and an agent's do not", async () => {
    const { connect } = await import("node:net");
    const { jwtOf } = await import("../../bus/credentials.js");
    const hello = (credentials: string) =>
      new Promise<string>((resolve) => {
        const url = new URL(bus.nats.url);
        const socket = connect(Number(url.port), url.hostname);
        let heard = "";
        socket.on("data", (data) => {
          heard += data;
          if (/PONG|-ERR/.test(heard)) {
            socket.destroy();
            resolve(/PONG/.test(heard) ? "in" : "refused");
          }
        });
        socket.on("error", () => resolve("refused"));
        socket.write(
          `CONNECT ${JSON.stringify({ jwt: jwtOf(credentials), verbose: false, pedantic: false })}\r\nPING\r\n`,
        );
      });
    assert.equal(await hello(await bus.nats.authority.reader()), "in");
    assert.equal(await hello(await bus.nats.authority.agent(one)), "refused");
  });

  describe("of an agent gain nothing from reply subjects", () => {
    for (const [what, reply] of [
      ["purge the event stream", "$JS.API.STREAM.PURGE.EVENTS"],
      ["delete the event stream", "$JS.API.STREAM.DELETE.EVENTS"],
      ["forge an event", "davit.v1.event.default.default.Task.g.a"],
      ["speak to another agent", `_INBOX_${two}.x.1`],
      ["assign to another agent", `davit.v1.down.${two}.assign`],
    ] as const)
      it(`can't ${what} by asking for an answer there`, async () => {
        const agent = await clientOf(await bus.nats.authority.agent(one), one);
        const before = await eventsState();
        const heard: string[] = [];
        const listening = control.subscribe(reply, {
          callback: (_error, message) => void heard.push(text.decode(message.data)),
        });
        await control.flush();
        for (const verb of ["sync", "report", "heartbeat", "goodbye", "r.x", "log.x"])
          agent.publish(`davit.v1.up.${one}.${verb}`, JSON.stringify(syncRequest(one)), { reply, headers: headers() });
        await agent.flush();
        // The server has all of it now; a proper request after it is answered after them.
        const answer = await agent.request(`davit.v1.up.${one}.sync`, JSON.stringify(syncRequest(one)), {
          timeout: 5000,
        });
        assert.equal(JSON.parse(text.decode(answer.data)).type, "davit.v1.SyncAnswer");
        await control.flush();
        assert.deepEqual(await eventsState(), before);
        // The agent's own message never goes to its reply subject; only an answer would.
        assert.deepEqual(heard, []);
        listening.unsubscribe();
      });

    it("because no stream captures what an agent may publish", async () => {
      const manager = await control.jetstreamManager();
      for await (const { config } of manager.streams.list())
        for (const subject of config.subjects) assert.match(subject, /^davit\.v1\.event\./);
    });
  });
});
