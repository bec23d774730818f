// One agent's credential against every subject that docs/bus.md names, one by one, and against JetStream's API: it
// reaches its own work and nothing else. The list is read from the page, so that a new subject cannot be forgotten.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { AckPolicy, connect, DeliverPolicy, jwtAuthenticator, type NatsConnection } from "nats";
import { createUser } from "../../bus/nkeys.js";
import { EVENTS, inboxPrefix } from "../../bus/subjects.js";
import { id, startTestBus, type TestBus } from "./support.js";

const ROOT = new URL("../../../", import.meta.url).pathname;
const own = id(1);
const other = id(2);

/** Every subject on the page, with and without its placeholders filled in for this agent and for another one. */
function subjectsOfThePage(): string[] {
  const page = readFileSync(join(ROOT, "docs/bus.md"), "utf8");
  const named = [...page.matchAll(/(?:davit\.v1\.|_INBOX_|\$JS\.|\$SYS\.)[^\s`"'\\,;|)]*/g)].map(([subject]) =>
    subject.replace(/\.$/, ".x"),
  );
  const asyncapi = readFileSync(join(ROOT, "docs/asyncapi.yaml"), "utf8");
  const addresses = [...asyncapi.matchAll(/^ {4}address: (davit\S+)$/gm)].map(([, address = ""]) => address);
  const filled = [...named, ...addresses].flatMap((subject) =>
    [own, other].map((instance) =>
      subject
        .replace(/<id>|\{instance\}/g, instance)
        .replace(/<\w+>|\{\w+\}/g, "x")
        .replace(/[<>{}](?!$)/g, ""),
    ),
  );
  // What the page writes with a wildcard is also tried without.
  return [...new Set([...filled, ...filled.map((subject) => subject.replace(/[*>]/g, "x"))])].sort();
}

const isConcrete = (subject: string): boolean => !/[*>]/.test(subject);
const mayPublish = (subject: string): boolean => subject.startsWith(`davit.v1.up.${own}.`);
const mayHear = (subject: string): boolean =>
  subject.startsWith(`davit.v1.down.${own}.`) || subject.startsWith(`${inboxPrefix(own)}.`);

const JETSTREAM = [
  "INFO",
  "STREAM.NAMES",
  "STREAM.LIST",
  "STREAM.CREATE.MINE",
  `STREAM.INFO.${EVENTS}`,
  `STREAM.UPDATE.${EVENTS}`,
  `STREAM.PURGE.${EVENTS}`,
  `STREAM.DELETE.${EVENTS}`,
  `STREAM.MSG.GET.${EVENTS}`,
  `STREAM.MSG.DELETE.${EVENTS}`,
  `STREAM.SNAPSHOT.${EVENTS}`,
  `DIRECT.GET.${EVENTS}`,
  `CONSUMER.CREATE.${EVENTS}`,
  `CONSUMER.CREATE.${EVENTS}.c`,
  `CONSUMER.CREATE.${EVENTS}.c.davit.v1.event.x`,
  `CONSUMER.DURABLE.CREATE.${EVENTS}.c`,
  `CONSUMER.MSG.NEXT.${EVENTS}.c`,
  `CONSUMER.NAMES.${EVENTS}`,
  `CONSUMER.LIST.${EVENTS}`,
  `CONSUMER.INFO.${EVENTS}.c`,
  `CONSUMER.DELETE.${EVENTS}.c`,
].map((call) => `$JS.API.${call}`);

describe("an agent's credential", function () {
  this.timeout(60_000);
  let bus: TestBus;
  let control: NatsConnection;
  let agent: NatsConnection;
  const refusedPublishes = new Set<string>();

  before(async () => {
    bus = await startTestBus("agent-credential");
    control = await bus.connect(await bus.nats.authority.control(), "control").whenConnected(5000);
    await (await control.jetstreamManager()).streams.add({ name: EVENTS, subjects: ["davit.v1.event.>"] });
    await control.jetstream().publish("davit.v1.event.default.default.Task.g.a", "one");
    const key = createUser();
    const jwt = await bus.nats.authority.agentJwt(own, key.getPublicKey(), Date.now() + 3_600_000);
    agent = await connect({
      servers: bus.nats.url,
      authenticator: jwtAuthenticator(jwt, key.getSeed()),
      inboxPrefix: inboxPrefix(own),
    });
    void (async () => {
      for await (const { permissionContext } of agent.status())
        if (permissionContext?.operation === "publish") refusedPublishes.add(permissionContext.subject);
    })();
  });
  after(async () => {
    await agent.close();
    await bus.close();
  });

  /** What the server said of it has been heard when this resolves. */
  async function heard(): Promise<void> {
    await agent.flush();
    await new Promise((resolve) => setImmediate(resolve));
  }
  async function canPublish(subject: string): Promise<boolean> {
    agent.publish(subject, "{}");
    await heard();
    return !refusedPublishes.has(subject);
  }
  async function canHear(subject: string): Promise<boolean> {
    let refused = false;
    const subscription = agent.subscribe(subject, {
      callback: (error) => {
        refused ||= error !== null;
      },
    });
    await heard();
    if (!refused) subscription.unsubscribe();
    return !refused;
  }
  const eventsState = async () => {
    const { state } = await (await control.jetstreamManager()).streams.info(EVENTS);
    return { messages: state.messages, last: state.last_seq, consumers: state.consumer_count };
  };

  it("is tried on a page that names the subjects there are", () => {
    const subjects = subjectsOfThePage();
    for (const verb of ["sync", "report", "heartbeat", "goodbye"])
      for (const instance of [own, other]) assert.ok(subjects.includes(`davit.v1.up.${instance}.${verb}`), verb);
    for (const verb of ["assign", "superseded", "logs", "probe", "stream"])
      for (const instance of [own, other]) assert.ok(subjects.includes(`davit.v1.down.${instance}.${verb}`), verb);
    assert.ok(subjects.length > 40, `${subjects.length} subjects`);
  });

  it("publishes to its own `up` and nowhere else", async () => {
    const before = await eventsState();
    const concrete = [...subjectsOfThePage().filter(isConcrete), ...JETSTREAM, "$SYS.REQ.CLAIMS.UPDATE", "x"];
    for (const subject of concrete) assert.equal(await canPublish(subject), mayPublish(subject), subject);
    assert.deepEqual(await eventsState(), before);
  });

  it("hears its own `down` and inbox and nothing else", async () => {
    const subjects = [...subjectsOfThePage(), ...JETSTREAM, ">", "*", "davit.v1.*.*.*", "$JS.>", "$SYS.>", "_INBOX.>"];
    for (const subject of subjects) assert.equal(await canHear(subject), mayHear(subject), subject);
  });

  it("gets no consumer of a stream, by whichever way of JetStream's client", async () => {
    const before = await eventsState();
    const manager = await agent.jetstreamManager({ checkAPI: false, timeout: 300 });
    const deliver_subject = `davit.v1.down.${own}.events`;
    const shapes = [
      { name: "pull", ack_policy: AckPolicy.Explicit },
      { durable_name: "durable", ack_policy: AckPolicy.Explicit },
      { name: "push", deliver_subject, ack_policy: AckPolicy.None, deliver_policy: DeliverPolicy.All },
      { name: "one", filter_subject: "davit.v1.event.default.default.Task.g.a", ack_policy: AckPolicy.None },
      { deliver_subject, ack_policy: AckPolicy.None, flow_control: true, idle_heartbeat: 1_000_000_000 },
    ];
    for (const shape of shapes) await assert.rejects(manager.consumers.add(EVENTS, shape), JSON.stringify(shape));
    const stream = agent.jetstream({ checkAPI: false, timeout: 300 } as { timeout: number });
    await assert.rejects(stream.consumers.get(EVENTS, "pull"));
    await assert.rejects(manager.streams.getMessage(EVENTS, { seq: 1 }));
    await assert.rejects(manager.streams.purge(EVENTS));
    await assert.rejects(stream.publish("davit.v1.event.default.default.Task.g.a", "forged"));
    assert.deepEqual(await eventsState(), before);
  });
});
