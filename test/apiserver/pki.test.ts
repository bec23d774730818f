import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { ensurePki, ensureTokens } from "../../apiserver/index.js";
import { temporaryFolder } from "../support/folder.js";
import { startServer } from "./support/server.js";

const DAY_MS = 86_400_000;

describe("TLS files", () => {
  let folder: { path: string; remove(): void };
  beforeEach(() => {
    folder = temporaryFolder("pki");
  });
  afterEach(() => folder.remove());
  const ensure = (now = Date.now(), extraNames: string[] = []) =>
    ensurePki({ folder: folder.path, now: () => now, extraNames });

  it("are made once, for their owner only, and cover this machine", async () => {
    const made = await ensure();
    assert.deepEqual(readdirSync(folder.path).sort(), ["ca.crt", "ca.key", "tls.crt", "tls.key"]);
    for (const name of readdirSync(folder.path))
      assert.equal(statSync(join(folder.path, name)).mode & 0o777, 0o600, name);
    const certificate = new X509Certificate(made.cert);
    for (const name of ["localhost", hostname()]) assert(certificate.checkHost(name), name);
    for (const address of ["127.0.0.1", "::1"]) assert(certificate.checkIP(address), address);
    assert.deepEqual(await ensure(), made);
  });

  it("the server's is renewed near its end, by the same CA", async () => {
    const made = await ensure();
    assert.equal((await ensure(Date.now() + 330 * DAY_MS)).cert, made.cert);
    const renewed = await ensure(Date.now() + 340 * DAY_MS);
    assert.notEqual(renewed.cert, made.cert);
    assert.equal(renewed.ca, made.ca);
    assert(new X509Certificate(renewed.cert).verify(new X509Certificate(made.ca).publicKey));
  });

  it("other names, also fewer of them: another certificate; the same names: the same one", async () => {
    const plain = await ensure();
    const names = ["davit.example", "10.0.0.7", "2001:db8::7"];
    const named = await ensure(Date.now(), names);
    const certificate = new X509Certificate(named.cert);
    assert(
      certificate.checkHost("davit.example") && certificate.checkIP("10.0.0.7") && certificate.checkIP("2001:db8::7"),
    );
    assert.equal((await ensure(Date.now(), [...names, "localhost"])).cert, named.cert);
    const fewer = await ensure(Date.now(), ["10.0.0.7"]);
    assert.equal(new X509Certificate(fewer.cert).checkHost("davit.example"), undefined);
    assert.equal(fewer.ca, plain.ca);
  });

  it("a new name, a damaged file, or a key without its certificate: made anew", async () => {
    const made = await ensure();
    const named = await ensure(Date.now(), ["davit.example"]);
    assert(new X509Certificate(named.cert).checkHost("davit.example"));
    writeFileSync(join(folder.path, "tls.crt"), "damaged");
    assert(new X509Certificate((await ensure()).cert).checkHost("localhost"));
    writeFileSync(join(folder.path, "tls.key"), made.key); // as after a kill between the two writes
    const whole = await ensure();
    assert.notEqual(whole.key, made.key);
    assert.equal(readFileSync(join(folder.path, "tls.key"), "utf8"), whole.key);
  });

  it("a client that trusts only the CA gets through by each name", async () => {
    const server = await startServer("tls");
    try {
      for (const servername of ["localhost", hostname()])
        await new Promise<void>((resolve, reject) => {
          const socket = connect({ host: "127.0.0.1", port: server.port, ca: server.ca, servername }, () => {
            socket.destroy();
            resolve();
          });
          socket.on("error", reject);
        });
    } finally {
      await server.close();
    }
  });

  it("a token file is made once, for its owner only", async () => {
    const file = join(folder.path, "auth", "tokens");
    const [token] = await ensureTokens(file);
    assert.deepEqual(
      [token?.user, token?.groups, (token?.token.length ?? 0) >= 43],
      ["admin", ["system:masters"], true],
    );
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(await ensureTokens(file), [token]);
  });
});
