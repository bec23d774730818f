import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import jwtLibrary from "@nats-io/jwt";
import { createAccount } from "@nats-io/nkeys";
import { createAgentBus } from "../../bus/agent.js";
import { connectBus } from "../../bus/connect.js";
import { createControlBus } from "../../bus/control.js";
import { externalSigner, jwtOf, openAuthority } from "../../bus/credentials.js";
import { findNatsServer, freePort, natsCommand, parseVersion } from "../../bus/server.js";
import { inboxPrefix } from "../../bus/subjects.js";
import { temporaryFolder } from "../support/folder.js";
import { startNatsServer } from "../support/nats-server.js";
import { eventually } from "../support/wait.js";
import { id, recordingLog, startTestBus, syncRequest } from "./support.js";

describe("the connection to the bus", () => {
  it("is made when nats-server comes up later, and again after it was killed, with what was subscribed", async () => {
    const folder = temporaryFolder("later");
    const port = await freePort();
    const { authority, url } = await natsCommand({ folder: folder.path, port });
    const log = recordingLog();
    const connection = (text: string, owner: string) =>
      connectBus({ servers: url, credentials: { text }, name: owner, inboxPrefix: inboxPrefix(owner), log });
    const ends = [connection(await authority.control(), "control"), connection(await authority.agent(id(1)), id(1))];
    const [controlEnd, agentEnd] = ends;
    assert.ok(controlEnd && agentEnd);
    const control = createControlBus({ connection: controlEnd, log });
    let syncs = 0;
    control.serve({
      sync: async () => ({
        type: "davit.v1.SyncAnswer",
        epoch: ++syncs,
        seq: 0,
        assignments: [],
        revisions: {},
        heartbeatMs: 1,
      }),
      report: async () => ({ type: "davit.v1.ReportAnswer", ok: true }),
      heartbeat: () => {},
      goodbye: () => {},
    });
    const agent = createAgentBus({ connection: agentEnd, instance: id(1), log });
    assert.equal(control.connected(), false);
    assert.equal(controlEnd.publish("davit.v1.x", new Uint8Array()), false);
    await assert.rejects(agent.sync(syncRequest(id(1)), 100), /no connection to the bus within/);
    const seen: boolean[] = [];
    control.onConnection((connected) => void seen.push(connected));

    let nats = await startNatsServer({ folder: folder.path, port });
    assert.equal((await agent.sync(syncRequest(id(1)), 10_000)).epoch, 1);
    await nats.stop("kill");
    await eventually("both see it", () => !control.connected() && !agent.connected());
    nats = await startNatsServer({ folder: folder.path, port });
    assert.equal((await agent.sync(syncRequest(id(1)), 10_000)).epoch, 2);
    assert.deepEqual(seen, [true, false, true]);

    await Promise.all(ends.map((end) => end.close()));
    assert.equal(control.connected(), false);
    await nats.stop();
    folder.remove();
  });

  it("sees within seconds that a server hangs", async () => {
    const bus = await startTestBus("hang");
    const connection = bus.connect(await bus.nats.authority.control());
    await connection.whenConnected(5000);
    process.kill(bus.nats.pid, "SIGSTOP");
    try {
      await eventually("it is taken for dead", () => !connection.connected(), 9000);
    } finally {
      process.kill(bus.nats.pid, "SIGCONT");
    }
    await eventually("it is back", () => connection.connected());
    await bus.close();
  });

  it("outlives the expiry of its JWT and takes up a renewed file", async () => {
    const bus = await startTestBus("expiry");
    const { authority } = bus.nats;
    const file = join(bus.folder, "agent.creds");
    writeFileSync(file, await authority.agent(id(1), Date.now() + 2000));
    const connection = connectBus({
      servers: bus.nats.url,
      credentials: { file },
      name: "expiring",
      inboxPrefix: inboxPrefix(id(1)),
      log: bus.log,
    });
    await connection.whenConnected(5000);
    await eventually("the server cuts it off", () => !connection.connected());
    // More than the two refusals after which nats.js gives up by default.
    const refusals = () => bus.log.lines.filter(({ message }) => message === "bus: can't connect").length;
    await eventually("it is refused", () => refusals() > 0);
    // Long enough for several more: the client logs its trouble, not each refusal, so there is no condition to wait for.
    await new Promise((resolve) => setTimeout(resolve, 4000));
    assert.equal(connection.connected(), false);
    writeFileSync(file, await authority.agent(id(1), Date.now() + 60_000));
    await eventually("it is let in again", () => connection.connected());
    await connection.close();
    await bus.close();
  });
});

describe("keys and credentials", () => {
  it("are made once, kept, and for their owner only", async () => {
    const folder = temporaryFolder("keys");
    const first = await openAuthority(folder.path);
    const second = await openAuthority(folder.path);
    assert.equal(second.account.publicKey, first.account.publicKey);
    assert.equal(second.operatorJwt, first.operatorJwt);
    for (const file of ["operator.nk", "system.nk", "account.nk"])
      assert.equal(statSync(join(folder.path, file)).mode & 0o777, 0o600, file);
    folder.remove();
  });

  it("are refused for what is no instance id", async () => {
    const folder = temporaryFolder("ids");
    const authority = await openAuthority(folder.path);
    for (const name of ["*", ">", "web", "", `${id(1)}.>`, id(1).toUpperCase().replace("1", "A")])
      assert.throws(() => authority.agent(name), /no instance id/, name);
    folder.remove();
  });

  it("can be made from a signing key for a server that somebody else runs", async () => {
    const folder = temporaryFolder("external");
    // As an operator of that server would: an account JWT that names a signing key.
    const signing = createAccount();
    await openAuthority(join(folder.path, "keys"));
    const operatorSeed = readFileSync(join(folder.path, "keys", "operator.nk"));
    const accountSeed = readFileSync(join(folder.path, "keys", "account.nk"));
    const limits = { subs: -1, data: -1, payload: -1, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
    const account = await jwtLibrary.encodeAccount(
      "THEIRS",
      accountSeed,
      {
        limits: { ...limits, mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 },
        signing_keys: [signing.getPublicKey()],
      },
      { signer: operatorSeed },
    );
    writeFileSync(join(folder.path, "keys", "account.jwt"), account);
    const nats = await startNatsServer({ folder: folder.path });
    const control = await nats.authority.control();
    const signer = externalSigner(Buffer.from(signing.getSeed()).toString(), control);
    const log = recordingLog();
    const connection = connectBus({
      servers: nats.url,
      credentials: { text: await signer.agent(id(1)) },
      name: "agent",
      inboxPrefix: inboxPrefix(id(1)),
      log,
    });
    await connection.whenConnected(5000);
    const claims = jwtLibrary.decode<{ issuer_account: string }>(jwtOf(await signer.agent(id(1))));
    assert.equal(claims.nats.issuer_account, nats.authority.account.publicKey);
    await connection.close();
    await nats.stop();
    folder.remove();
  });

  it("say what is wrong with a key that signs no users", async () => {
    const { createUser } = await import("@nats-io/nkeys");
    assert.throws(() => externalSigner(Buffer.from(createUser().getSeed()).toString(), ""), /must begin with SA/);
    assert.throws(() => externalSigner(Buffer.from(createAccount().getSeed()).toString(), "x"), /no NATS user JWT/);
  });
});

describe("nats-server", () => {
  it("is found on PATH or where Debian puts it, in a version that will do", async () => {
    assert.match(await findNatsServer(""), /nats-server$/);
    assert.deepEqual(parseVersion("nats-server: v2.9.10\n"), [2, 9]);
    assert.deepEqual(parseVersion("nats-server: v2.10.27"), [2, 10]);
    assert.equal(parseVersion("?"), undefined);
  });

  it("says what to do where the port is another server's", async () => {
    const [one, two] = [temporaryFolder("nats-one"), temporaryFolder("nats-two")];
    const nats = await startNatsServer({ folder: one.path });
    await assert.rejects(
      startNatsServer({ folder: two.path, port: Number(new URL(nats.url).port) }),
      /taken by another NATS server.*choose another port/,
    );
    await nats.stop();
    one.remove();
    two.remove();
  });
});
