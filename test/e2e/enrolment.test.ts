// Joining, renewing and revoking, against a real `davit up` that listens beyond loopback. What `davit join` makes of it
// on the machine has tests of its own.
import assert from "node:assert/strict";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import { connect } from "nats";
import { formatToken, hashOfSecret } from "../../api/access-token.js";
import type { AccessToken, ContainerInstance } from "../../api/types.gen.js";
import { createAgentBus } from "../../bus/agent.js";
import { connectBus } from "../../bus/connect.js";
import { createUser } from "../../bus/nkeys.js";
import { inboxPrefix } from "../../bus/subjects.js";
import { ownVersion } from "../../cli/own-version.js";
import { readKubeconfig } from "../../client/kubeconfig.js";
import { recordingLog, syncRequest } from "../bus/support.js";
import { Davit } from "../support/davit.js";
import { type Api, call, Machine } from "../support/joining.js";
import { eventually } from "../support/wait.js";

const NAMESPACED = "/apis/davit.dev/v1/namespaces";

describe("joining a Davit", function () {
  this.timeout(60_000);
  let davit: Davit;
  let api: Api;
  let admin: string;
  let count = 0;
  const ends: (() => Promise<unknown>)[] = [];

  before(async () => {
    const bind = ["--bind", "0.0.0.0", "--advertise", "localhost"];
    davit = await Davit.start("enrolment", ["--runtime", "simulated", ...bind]);
    const { connection } = await readKubeconfig({ path: join(davit.folder, "kubeconfig") });
    api = { server: connection.server, ca: connection.ca ?? "" };
    admin = connection.token ?? "";
  });
  afterEach(async () => {
    for (const end of ends.splice(0).toReversed()) await end();
  });
  after(() => davit.purge());

  /** As `davit token create` prints it, cut to what a machine sends. */
  async function token(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await davit.cli("token", "create", ...args);
    assert.equal(code, 0, stderr);
    const [, name, secret] =
      /^davit join https:\/\/localhost:\d+ --token davit\.([^.]+)\.([^.]+)\.[^.]+$/m.exec(stdout) ?? [];
    return `${name}.${secret}`;
  }
  const machine = (): Machine => new Machine(api, `machine-${++count}`);
  const instanceOf = async (one: Machine): Promise<ContainerInstance | undefined> =>
    (await davit.list("ContainerInstance")).find(({ metadata }) => metadata.name === one.instance);
  const instances = async (): Promise<number> => (await davit.list("ContainerInstance", "-A")).length;
  async function joined(...args: string[]): Promise<Machine> {
    const one = machine();
    const answer = await one.join(await token(...args));
    assert.equal(answer.code, 200, answer.body.message);
    return one;
  }
  /** An agent's end of the bus, which has synced. */
  async function atWork(one: Machine) {
    const log = recordingLog();
    const { instance, cluster, namespace, busUrls, busCa = "", jwt } = one.credential ?? assert.fail();
    const text = `-----BEGIN NATS USER JWT-----\n${jwt}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${Buffer.from(one.key.getSeed()).toString()}\n------END USER NKEY SEED------\n`;
    const options = { servers: busUrls, tls: { ca: busCa }, credentials: { text }, inboxPrefix: inboxPrefix(instance) };
    const connection = connectBus({ ...options, name: "test agent", log });
    ends.push(() => connection.close());
    await connection.whenConnected(5_000);
    const bus = createAgentBus({ connection, instance, log });
    const request = syncRequest(instance, { cluster, namespace, hostname: one.machineId, agentVersion: ownVersion() });
    const answer = await bus.sync({ ...request, machineId: one.machineId, bootId: "boot" }, 5_000);
    assert.equal(answer.refused, undefined);
    return { connection, bus, epoch: answer.epoch, log };
  }

  it("[04-1] a machine with a good token is REGISTERING, and ACTIVE once its agent has synced", async () => {
    const one = await joined();
    const { status } = (await instanceOf(one)) ?? {};
    assert.equal(status?.status, "REGISTERING");
    assert.equal(status?.publicKey, one.key.getPublicKey());
    assert.equal(Date.parse(status?.credentialExpiresAt ?? ""), one.credential?.expiresAtMs);
    assert.match(one.credential?.busUrls[0] ?? "", /^tls:\/\/localhost:\d+$/);
    await atWork(one);
    const active = (await instanceOf(one))?.status;
    assert.deepEqual(
      [active?.status, active?.agentConnected, active?.publicKey],
      ["ACTIVE", true, one.key.getPublicKey()],
    );
  });

  it("[01-10] [04-2] without a good credential nobody gets to the bus, nor anything over it", async () => {
    const one = await joined();
    const { busUrls = [], busCa = "" } = one.credential ?? {};
    await assert.rejects(connect({ servers: busUrls, tls: { ca: busCa }, reconnect: false }), /Authorization/i);
    const thief = new Machine(api, "thief");
    thief.credential = one.credential; // the JWT without its key
    await assert.rejects(thief.connect(), /Authorization/i);
    const info = await new Promise<string>((resolve, reject) => {
      const socket = connectTcp(Number(new URL(busUrls[0] ?? "").port), "127.0.0.1");
      socket.on("error", reject).once("data", (data) => {
        socket.destroy();
        resolve(data.toString());
      });
    });
    assert.match(info, /"tls_required":true/);
  });

  describe("is refused in one sentence, with nothing made, for", () => {
    const tokens: Record<string, () => Promise<string>> = {
      "an unknown token": async () => `join-none.${"s".repeat(43)}`,
      "a forged token": async () => `${(await token()).split(".")[0]}.${"s".repeat(43)}`,
      "a used token": async () => {
        const text = await token();
        assert.equal((await machine().join(text)).code, 200);
        return text;
      },
      "an expired token": async () => {
        const text = await token("--ttl", "1s");
        await eventually("it has expired", async () =>
          (await davit.list("AccessToken")).some(
            ({ metadata, spec }) => text.startsWith(metadata.name) && Date.parse(spec.expiresAt) < Date.now(),
          ),
        );
        return text;
      },
      "a token that was taken back": async () => {
        const text = await token();
        assert.equal((await davit.cli("token", "delete", text.split(".")[0] ?? "")).code, 0);
        return text;
      },
      "a person's token": async () => {
        const { stdout } = await davit.cli("token", "create", "--role", "admin");
        return stdout.trim().replace(/^davit\./, "");
      },
      "no token at all": async () => "nonsense",
    };
    for (const [what, make] of Object.entries(tokens))
      it(what, async () => {
        const text = await make();
        const before = await instances();
        const { code, body } = await machine().join(text);
        assert.equal(code, 401);
        assert.match(body.message ?? "", /^(The|This) [^\n]*: [^\n]*make another[^\n]*$/);
        assert.equal(await instances(), before);
      });

    it("a request that is none", async () => {
      for (const body of [
        {},
        { machineId: 1 },
        { machineId: "x", bootId: "", hostname: "", agentVersion: "", publicKey: "UAAA" },
      ])
        assert.equal((await call(api, "POST", "/davit/v1/join", { token: await token(), body })).code, 400);
      assert.equal((await call(api, "GET", "/davit/v1/join")).code, 405);
      const large = { machineId: "x".repeat(20_000) };
      assert.equal((await call(api, "POST", "/davit/v1/join", { body: large })).code, 413);
    });
  });

  it("of ten machines that race for one token, one wins", async () => {
    const text = await token();
    const answers = await Promise.all(Array.from({ length: 10 }, () => machine().join(text)));
    assert.deepEqual(answers.map(({ code }) => code).sort(), [200, ...Array(9).fill(401)]);
    const name = text.split(".")[0];
    const [used] = (await davit.list("AccessToken")).filter(({ metadata }) => metadata.name === name);
    assert.equal(used?.status?.usedBy, answers.find(({ code }) => code === 200)?.body.instance);
  });

  it("an answer that was lost is given again to the same key, and to no other", async () => {
    const text = await token();
    const one = machine();
    const first = await one.join(text);
    const second = await one.join(text);
    assert.deepEqual([second.code, second.body.instance], [200, first.body.instance]);
    one.key = createUser();
    assert.equal((await one.join(text)).code, 401);
  });

  it("[01-8] a token that may make its cluster does", async () => {
    const one = await joined("--cluster", "Edge_1", "--create-cluster");
    const cluster = (await davit.list("Cluster")).find(({ spec }) => spec.clusterName === "Edge_1");
    assert.ok(cluster);
    assert.deepEqual([one.credential?.cluster, (await instanceOf(one))?.spec.cluster], ["Edge_1", "Edge_1"]);
  });

  it("[01-9] [05-3] [08-13] no other token does: the machine is refused, and its token stays good", async () => {
    const text = await token("--cluster", "later");
    const one = machine();
    const { code, body } = await one.join(text);
    assert.deepEqual([code, body.reason], [404, "ClusterNotFound"]);
    assert.match(body.message ?? "", /^Cluster not found: .*later.*--create-cluster/);
    assert.ok(!(await davit.list("Cluster")).some(({ metadata }) => metadata.name === "later"));
    assert.equal(await instanceOf(one), undefined);
    const made = { apiVersion: "davit.dev/v1", kind: "Cluster", metadata: { name: "later" }, spec: {} };
    assert.equal((await call(api, "POST", `${NAMESPACED}/default/clusters`, { token: admin, body: made })).code, 201);
    assert.equal((await one.join(text)).code, 200);
  });

  it("[05-2] cluster default is made where there is none", async () => {
    const body = { apiVersion: "v1", kind: "Namespace", metadata: { name: "tenant" } };
    assert.equal((await call(api, "POST", "/api/v1/namespaces", { token: admin, body })).code, 201);
    assert.deepEqual(await davit.list("Cluster", "-n", "tenant"), []);
    const one = machine();
    assert.equal((await one.join(await token("--namespace", "tenant"))).code, 200);
    assert.deepEqual([one.credential?.namespace, one.credential?.cluster], ["tenant", "default"]);
    assert.deepEqual(
      (await davit.list("Cluster", "-n", "tenant")).map(({ metadata }) => metadata.name),
      ["default"],
    );
  });

  it("[01-11] a token for one cluster lets no machine into another", async () => {
    const text = await token("--cluster", "default");
    const one = machine();
    const { code, body } = await one.join(text, { cluster: "prod" });
    assert.deepEqual([code, body.reason], [403, "WrongCluster"]);
    assert.equal(await instanceOf(one), undefined);
    assert.equal((await one.join(text, { cluster: "default" })).code, 200);
  });

  it("[01-11] nor does an agent get into another cluster or namespace by naming it on the bus", async () => {
    await joined("--cluster", "c", "--create-cluster");
    const one = await joined();
    const { bus } = await atWork(one);
    const request = syncRequest(one.instance, { agentVersion: ownVersion() });
    for (const other of [
      { cluster: "c" },
      { namespace: "tenant" },
      { namespace: "tenant", machineId: one.machineId },
    ]) {
      const { refused, epoch } = await bus.sync({ ...request, ...other }, 5_000);
      assert.deepEqual([refused?.reason, epoch], ["InvalidRegistration", 0]);
    }
    const all = await davit.list("ContainerInstance", "-A");
    assert.deepEqual(
      all
        .filter(({ metadata }) => metadata.name === one.instance)
        .map(({ metadata, spec }) => [metadata.namespace, spec.cluster]),
      [["default", "default"]],
    );
  });

  it("a clone of a machine at work is refused; the same machine with a new key is the same instance", async () => {
    const one = await joined();
    const { bus, connection, epoch } = await atWork(one);
    const clone = new Machine(api, one.machineId);
    const refused = await clone.join(await token());
    assert.deepEqual([refused.code, refused.body.reason], [409, "Cloned"]);
    assert.match(refused.body.message ?? "", /is at work.*--machine-id.*lost its data folder/);

    bus.goodbye({ type: "davit.v1.Goodbye", instance: one.instance, epoch, kind: "restart" });
    await eventually("it is away", async () => (await instanceOf(one))?.status?.agentConnected === false);
    const again = new Machine(api, one.machineId);
    const cut = new Promise<number>((resolve) => {
      connection.onConnection((connected) => connected || resolve(performance.now()));
    });
    const answer = await again.join(await token());
    assert.deepEqual([answer.code, answer.body.instance], [200, one.instance]);
    const rejoinedAt = performance.now();
    assert.ok((await cut) - rejoinedAt < 5_000);
    await assert.rejects(one.connect(), /Authorization/i);
    assert.match((await one.renew()).body.message ?? "", /joined again since/);
    await atWork(again);
    assert.equal(
      (await davit.list("ContainerInstance")).filter(({ status }) => status?.machineId === one.machineId).length,
      1,
    );
  });

  it("a data folder that was copied to another machine is refused", async () => {
    const one = await joined();
    const other = machine();
    other.key = one.key;
    const { code, body } = await other.join(await token());
    assert.deepEqual([code, body.reason], [409, "Cloned"]);
    assert.match(body.message ?? "", /data folder is a copy/);
  });

  it("a machine never moves to another cluster while it is registered", async () => {
    const one = await joined("--cluster", "a", "--create-cluster");
    const { code, body } = await one.join(await token("--cluster", "b", "--create-cluster"));
    assert.deepEqual([code, body.reason], [409, "OtherCluster"]);
    assert.equal((await instanceOf(one))?.spec.cluster, "a");
    assert.ok(!(await davit.list("Cluster")).some(({ metadata }) => metadata.name === "b"));
  });

  describe("a credential", () => {
    it("is renewed for whoever has its key, and for nobody else", async () => {
      const one = await joined();
      const before = Date.parse((await instanceOf(one))?.status?.credentialExpiresAt ?? "");
      await eventually("a second has gone by", () => Date.now() > before - 3_600_000 + 1_000);
      const { code, body } = await one.renew();
      assert.equal(code, 200);
      assert.ok(body.expiresAtMs > before);
      assert.equal(Date.parse((await instanceOf(one))?.status?.credentialExpiresAt ?? ""), body.expiresAtMs);
      await (await one.connect(body.jwt)).close();

      assert.equal((await one.renew({}, createUser())).code, 401);
      assert.equal((await one.renew({ signature: "" })).code, 401);
      assert.equal((await one.renew({ atMs: 1 })).code, 401);
      const never = machine();
      assert.equal((await never.renew()).code, 403);
    });

    it("[08-14] opens nothing in the API: an agent makes no service and deletes no cluster", async () => {
      const text = await token();
      const one = machine();
      await one.join(text);
      const service = {
        apiVersion: "davit.dev/v1",
        kind: "Service",
        metadata: { name: "x" },
        spec: { taskDefinition: "x" },
      };
      const jwt = one.credential?.jwt ?? "";
      for (const bearer of [undefined, jwt, text, `davit.${text}`]) {
        const shown = bearer === undefined ? {} : { token: bearer };
        const { code } = await call(api, "POST", `${NAMESPACED}/default/services`, { ...shown, body: service });
        assert.equal(code, 401);
        assert.equal((await call(api, "DELETE", `${NAMESPACED}/default/clusters/default`, shown)).code, 401);
        assert.equal((await call(api, "GET", `${NAMESPACED}/default/tasks`, shown)).code, 401);
      }
      assert.deepEqual(await davit.list("Service"), []);
    });

    it("that is revoked is out within five seconds, and comes back only with another token and another key", async () => {
      const text = await token();
      const one = machine();
      await one.join(text);
      const { connection } = await atWork(one);
      const cut = new Promise<number>((resolve) => {
        connection.onConnection((connected) => connected || resolve(performance.now()));
      });
      const from = performance.now();
      const { code, stdout } = await davit.cli("instance", "revoke", one.machineId);
      assert.equal(code, 0);
      assert.match(stdout, new RegExp(`${one.instance} revoked`));
      const tookMs = (await cut) - from;
      console.log(`      out ${tookMs.toFixed(0)} ms after \`davit instance revoke\` was started`);
      assert.ok(tookMs < 5_000);
      await assert.rejects(one.connect(), /Authorization/i);
      assert.deepEqual([(await one.renew()).code, (await one.join(text)).code], [403, 401]);

      await davit.kill("nats");
      await eventually("the bus is back, and has not forgotten", () =>
        assert.rejects(one.connect(), /Authorization/i).then(() => true),
      );
      const next = await token();
      const withOldKey = await one.join(next);
      assert.deepEqual([withOldKey.code, withOldKey.body.reason], [403, "Revoked"]);
      one.key = createUser();
      assert.equal((await one.join(next)).code, 200);
      assert.equal((await instanceOf(one))?.spec.revoked, undefined);
      await atWork(one);
    });

    it("goes with its machine's object", async () => {
      const one = await joined();
      const client = await one.connect();
      const path = `${NAMESPACED}/default/containerinstances/${one.instance}`;
      assert.equal((await call(api, "DELETE", path, { token: admin })).code, 200);
      await Promise.race([
        client.closed(),
        new Promise((_, reject) => setTimeout(() => reject(new Error("still in")), 5_000)),
      ]);
      assert.equal((await one.renew()).code, 403);
    });
  });

  it("a token in a manifest is a token like any other", async () => {
    const secret = "m".repeat(43);
    const body: Pick<AccessToken, "apiVersion" | "kind" | "spec"> & { metadata: object } = {
      ...{ apiVersion: "davit.dev/v1", kind: "AccessToken", metadata: { name: "from-git" } },
      spec: { use: "Join", hash: hashOfSecret(secret), expiresAt: new Date(Date.now() + 60_000).toISOString() },
    };
    assert.equal((await call(api, "POST", `${NAMESPACED}/default/accesstokens`, { token: admin, body })).code, 201);
    assert.equal((await machine().join(formatToken({ name: "from-git", secret }))).code, 200);
  });
});
