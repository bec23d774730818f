// Credentials that are taken back, on a real nats-server.
import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect, jwtAuthenticator, type NatsConnection } from "nats";
import { createUser } from "../../bus/nkeys.js";
import { createRevoker, type Revoker } from "../../bus/revocations.js";
import { eventually } from "../support/wait.js";
import { id, startTestBus, type TestBus } from "./support.js";

describe("revoking a credential", function () {
  this.timeout(30_000);
  let bus: TestBus;
  let revoker: Revoker;
  let skewMs = 0;
  const nowMs = (): number => Date.now() + skewMs;
  const file = () => join(bus.folder, "revocations.json");
  const open = async () =>
    createRevoker({
      authority: bus.nats.authority,
      file: file(),
      servers: bus.nats.url,
      now: nowMs,
      log: bus.log,
    });
  before(async () => {
    bus = await startTestBus("revocations");
    revoker = await open();
  });
  after(async () => {
    await revoker.close();
    await bus.close();
  });

  async function agent(number: number, key = createUser()) {
    const publicKey = key.getPublicKey();
    const jwt = await bus.nats.authority.agentJwt(id(number), publicKey, Date.now() + 3_600_000);
    const enter = (): Promise<NatsConnection> =>
      connect({
        servers: bus.nats.url,
        authenticator: jwtAuthenticator(jwt, key.getSeed()),
        reconnect: false,
        inboxPrefix: `_INBOX_${id(number)}`,
      });
    const isOut = (): Promise<boolean> =>
      enter().then(
        async (client) => {
          await client.close();
          return false;
        },
        (error: Error) => /Authorization/i.test(error.message),
      );
    return { publicKey, enter, isOut };
  }
  const inAnHour = (): number => nowMs() + 3_600_000;

  it("cuts its live connection at once, and nobody else's", async () => {
    const [one, two] = [await agent(1), await agent(2)];
    const [first, second] = [await one.enter(), await two.enter()];
    const from = performance.now();
    revoker.revoke(one.publicKey, inAnHour());
    await first.closed();
    assert.ok(performance.now() - from < 5_000);
    await second.flush();
    await second.close();
    assert.ok(await one.isOut());
    assert.ok(!(await two.isOut()));
  });

  it("also takes back what was signed since for the same key", async () => {
    const key = createUser();
    revoker.revoke(key.getPublicKey(), inAnHour());
    await new Promise((resolve) => setTimeout(resolve, 1_001)); // A credential tells its second, no less.
    const one = await agent(10, key);
    await eventually("it is in", async () => !(await one.isOut()));
    revoker.revoke(key.getPublicKey(), inAnHour() + 1_000);
    await eventually("it is out", one.isOut);
  });

  it("outlives the server, and a server that has lost its accounts", async () => {
    const one = await agent(3);
    revoker.revoke(one.publicKey, inAnHour());
    await eventually("it is out", one.isOut);
    await bus.restart(() => undefined, "kill");
    await eventually("still", one.isOut);
    await bus.restart(() => rmSync(join(bus.folder, "accounts"), { recursive: true }));
    await eventually("and still", one.isOut);
  });

  it("asked for while the server is away, it is in force when that is back", async () => {
    const one = await agent(4);
    await bus.restart(() => revoker.revoke(one.publicKey, inAnHour()));
    await eventually("it is out", one.isOut);
  });

  it("is forgotten when the credential would have expired anyway, and not before", async () => {
    const one = await agent(5);
    revoker.revoke(one.publicKey, inAnHour());
    skewMs += 3_600_000 + 60_000;
    const two = await agent(6);
    revoker.revoke(two.publicKey, inAnHour());
    assert.match(readFileSync(file(), "utf8"), new RegExp(one.publicKey));
    skewMs += 300_000;
    const three = await agent(7);
    revoker.revoke(three.publicKey, inAnHour());
    const kept = readFileSync(file(), "utf8");
    assert.deepEqual(
      [one, two, three].map(({ publicKey }) => kept.includes(publicKey)),
      [false, true, true],
    );
    const expired = await agent(8);
    revoker.revoke(expired.publicKey, nowMs() - 300_001);
    assert.ok(!readFileSync(file(), "utf8").includes(expired.publicKey));
  });

  it("is told to the server again by a new process; a list that can't be read is no empty list", async () => {
    const one = await agent(9);
    await bus.restart(() => revoker.revoke(one.publicKey, inAnHour()));
    await revoker.close();
    revoker = await open();
    await eventually("it is out", one.isOut);
    const kept = readFileSync(file(), "utf8");
    writeFileSync(file(), "{");
    await assert.rejects(open(), /can't be read/);
    writeFileSync(file(), kept);
  });

  it("the one who does it may do nothing else", async () => {
    const { credsAuthenticator } = await import("nats");
    const text = await bus.nats.authority.system();
    const client = await connect({
      servers: bus.nats.url,
      authenticator: credsAuthenticator(Buffer.from(text)),
      reconnect: false,
      inboxPrefix: "_INBOX_system",
    });
    const refused = new Set<string>();
    void (async () => {
      for await (const { permissionContext } of client.status())
        if (permissionContext) refused.add(permissionContext.subject);
    })();
    const subjects = [
      "$SYS.REQ.SERVER.PING",
      "$SYS.REQ.CLAIMS.LIST",
      "$SYS.REQ.CLAIMS.DELETE",
      "davit.v1.event.x",
      "x",
    ];
    for (const subject of subjects) client.publish(subject);
    client.subscribe("$SYS.>", { callback: () => undefined });
    await client.flush();
    await eventually("all are refused", () => [...subjects, "$SYS.>"].every((subject) => refused.has(subject)));
    await client.close();
  });
});
