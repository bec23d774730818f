// The bus beyond loopback: only a server with a certificate from the CA that the client knows will do.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { ensurePki } from "../../apiserver/index.js";
import { connectBus } from "../../bus/connect.js";
import { freePort, natsCommand } from "../../bus/server.js";
import { inboxPrefix } from "../../bus/subjects.js";
import { temporaryFolder } from "../support/folder.js";
import { recordingLog } from "./support.js";

describe("the bus over TLS", () => {
  const folder = temporaryFolder("bus-tls");
  const ends: (() => Promise<unknown>)[] = [];
  after(async () => {
    for (const end of ends.splice(0).toReversed()) await end();
    folder.remove();
  });

  /** A nats-server that demands TLS, with a certificate from a CA of this name. */
  async function startServer(name: string, tls: boolean) {
    const pki = join(folder.path, `${name}-pki`);
    const { ca } = await ensurePki({ folder: pki, now: Date.now });
    const port = await freePort();
    const nats = await natsCommand({ folder: join(folder.path, name), port });
    if (tls)
      appendFileSync(
        nats.args[1] ?? "",
        `\ntls { cert_file: "${join(pki, "tls.crt")}", key_file: "${join(pki, "tls.key")}" }\n`,
      );
    const child = spawn(nats.command, nats.args, { stdio: "ignore" });
    const exited = once(child, "exit");
    ends.push(async () => {
      child.kill();
      await exited;
    });
    await nats.ready(AbortSignal.timeout(10_000));
    return { ca, port, control: await nats.authority.control() };
  }

  function client(servers: string | string[] | (() => string[]), ca: string, text: string) {
    const log = recordingLog();
    const connection = connectBus({
      servers,
      tls: { ca },
      credentials: { text },
      name: "test",
      inboxPrefix: inboxPrefix("test"),
      log,
    });
    ends.push(() => connection.close());
    return { connection, log };
  }

  it("connects to a server of its CA, by address and by name", async () => {
    const server = await startServer("ours", true);
    for (const host of ["127.0.0.1", "localhost"])
      await client(`tls://${host}:${server.port}`, server.ca, server.control).connection.whenConnected(10_000);
  });

  it("shows its credentials to no server of another CA, and to none that speaks in the clear", async () => {
    const { ca, control } = await startServer("right", true);
    const other = await startServer("wrong", true);
    const refused = client(`tls://127.0.0.1:${other.port}`, ca, control);
    await assert.rejects(refused.connection.whenConnected(1_000), /no connection/);
    assert.match(JSON.stringify(refused.log.lines), /certificate/i);

    let heard = "";
    const sockets = new Set<Socket>();
    const fake = createServer((socket) => {
      sockets.add(socket);
      socket
        .on("error", () => {})
        .on("data", (data) => {
          heard += data.toString("latin1");
        });
      socket.write('INFO {"server_id":"x","version":"2.9.10","proto":1,"max_payload":1048576,"nonce":"abc"}\r\n');
    });
    fake.listen(0, "127.0.0.1");
    await once(fake, "listening");
    ends.push(async () => {
      for (const socket of sockets) socket.destroy();
      fake.close();
    });
    const address = fake.address();
    const stripped = client(
      `tls://127.0.0.1:${address && typeof address === "object" ? address.port : 0}`,
      ca,
      control,
    );
    await assert.rejects(stripped.connection.whenConnected(1_000), /no connection/);
    assert.equal(heard, "");
  });

  it("goes to another server when told that the address is a new one, with what was subscribed", async () => {
    const [first, second] = [await startServer("first", true), await startServer("second", true)];
    let port = first.port;
    const { connection } = client(() => [`tls://127.0.0.1:${port}`], `${first.ca}${second.ca}`, first.control);
    await connection.whenConnected(10_000);
    port = second.port;
    // The second server knows other keys: it refuses, which shows that it was asked.
    connection.reconnect();
    const gone = new Promise<void>((resolve) => {
      connection.onConnection((connected) => connected || resolve());
    });
    await gone;
    port = first.port;
    const heard = new Promise<string>((resolve) => {
      connection.subscribe("davit.v1.x", ({ data }) => resolve(Buffer.from(data).toString()));
    });
    await connection.whenConnected(10_000);
    connection.publish("davit.v1.x", Buffer.from("hello"));
    assert.equal(await heard, "hello");
  });
});
