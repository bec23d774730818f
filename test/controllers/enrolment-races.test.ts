// Joining and renewing while something else happens to the machine's object: on a real store and API, with real keys.
import assert from "node:assert/strict";
import jwtLibrary from "@nats-io/jwt";
import { formatToken, hashOfSecret, parseToken } from "../../api/access-token.js";
import { openAuthority } from "../../bus/credentials.js";
import { type JoinRequest, renewalText } from "../../bus/enrolment.js";
import { createUser } from "../../bus/nkeys.js";
import { ApiError, type ObjectClient } from "../../client/object-client.js";
import { createEnrolment, type Enrolment } from "../../controllers/enrolment/enrolment.js";
import { instanceIdOf } from "../../controllers/enrolment/identity.js";
import { temporaryFolder } from "../support/folder.js";
import { type House, openHouse } from "./support/house.js";

const SECRET = "s".repeat(43);
const INSTANCE = { namespace: "default", name: instanceIdOf("default", "machine-1") };

describe("joining and renewing", () => {
  const folder = temporaryFolder("enrolment-races");
  const key = createUser();
  let house: House;
  let enrolment: Enrolment;
  /** Called before the next write of the machine's status. */
  let beforeWrite: (() => Promise<unknown>) | undefined;
  let nowMs = Date.now();
  const revoked: string[] = [];

  beforeEach(async () => {
    house = await openHouse();
    const authority = await openAuthority(folder.path);
    beforeWrite = undefined;
    revoked.length = 0;
    const client: ObjectClient = {
      ...house.api.trustedClient,
      async updateStatus(kind, object, options) {
        const before = kind === "ContainerInstance" ? beforeWrite : undefined;
        if (before) {
          beforeWrite = undefined;
          await before();
        }
        return house.api.trustedClient.updateStatus(kind, object, options);
      },
    };
    enrolment = createEnrolment({
      client,
      signer: async () => authority,
      revoke: async (publicKey) => void revoked.push(publicKey),
      bus: { busUrls: ["tls://localhost:1"] },
      credentialMs: 3_600_000,
      serverVersion: "0.1.0",
      now: () => nowMs,
      log: { info() {}, warn() {}, error() {} },
    });
    await house.client.create("AccessToken", {
      apiVersion: "davit.dev/v1",
      kind: "AccessToken",
      metadata: { namespace: "default", name: "t" },
      spec: { use: "Join", hash: hashOfSecret(SECRET), expiresAt: new Date(nowMs + 60_000).toISOString() },
    });
  });
  afterEach(() => house.close());
  after(() => folder.remove());

  const join = (more: Partial<JoinRequest> = {}, name = "t") =>
    enrolment.join(parseToken(formatToken({ name, secret: SECRET })), {
      ...{ machineId: "machine-1", bootId: "b", hostname: "one", agentVersion: "0.1.0" },
      publicKey: key.getPublicKey(),
      ...more,
    });
  const renew = () => {
    const unsigned = {
      ...{ instance: INSTANCE.name, publicKey: key.getPublicKey(), agentVersion: "0.1.0", atMs: nowMs },
    };
    const signature = Buffer.from(key.sign(Buffer.from(renewalText(unsigned)))).toString("base64");
    return enrolment.renew({ ...unsigned, signature });
  };
  const revoke = () => house.client.patch("ContainerInstance", INSTANCE, { spec: { revoked: true } });
  const refusedWith = (reason: string) => (error: unknown) => error instanceof ApiError && error.reason === reason;

  it("a revocation while a lost answer is asked for again is not taken back by it", async () => {
    await join();
    beforeWrite = revoke;
    await assert.rejects(join(), refusedWith("Revoked"));
    assert.equal((await house.client.get("ContainerInstance", INSTANCE))?.spec.revoked, true);
  });

  it("of two machines of one image that start at one instant the second is told so, and its token stays good", async () => {
    await join();
    await house.client.create("AccessToken", {
      apiVersion: "davit.dev/v1",
      kind: "AccessToken",
      metadata: { namespace: "default", name: "t2" },
      spec: { use: "Join", hash: hashOfSecret(SECRET), expiresAt: new Date(nowMs + 600_000).toISOString() },
    });
    const other = { publicKey: createUser().getPublicKey() };
    await assert.rejects(
      join(other, "t2"),
      /^ApiError: Another machine .* has just joined as .*--machine-id.* 30 s\.$/,
    );
    nowMs += 31_000;
    await join(other, "t2");
    nowMs -= 31_000;
    assert.deepEqual(revoked, [key.getPublicKey()]);
  });

  it("a revocation while a credential is renewed counts", async () => {
    await join();
    beforeWrite = revoke;
    await assert.rejects(renew(), refusedWith("Revoked"));
  });

  it("a credential is never younger than the write that tells of it, so that a revocation is always later", async () => {
    await join();
    for (const ask of [() => join(), renew]) {
      let writtenAtMs = 0;
      beforeWrite = async () => {
        // The next whole second, in which a credential that was signed only now would be made.
        await new Promise((resolve) => setTimeout(resolve, 1_001 - (Date.now() % 1_000)));
        writtenAtMs = Date.now();
        nowMs = writtenAtMs;
      };
      const { iat } = jwtLibrary.decode((await ask()).jwt);
      assert.ok(iat * 1_000 < writtenAtMs - (writtenAtMs % 1_000), `${iat} ${writtenAtMs}`);
    }
  });

  for (const [what, more] of [
    ["a host name that would write on a terminal", { hostname: "one\u001b[2J" }],
    ["an endless host name", { hostname: "h".repeat(254) }],
    ["no host name", { hostname: "" }],
    ["a machine id of two lines", { machineId: "a\nb" }],
    ["an endless machine id", { machineId: "m".repeat(129) }],
    ["an endless version", { agentVersion: `0.1.0-${"x".repeat(60)}` }],
    ["a key with more behind it, which is another text for the same key", { publicKey: `${key.getPublicKey()}A` }],
  ] as const)
    it(`${what} is refused, and the token stays good`, async () => {
      await assert.rejects(join(more), refusedWith("InvalidRequest"));
      await join();
    });
});
