// People and programs with a token of their own: what each role may do, and when it is over.
import assert from "node:assert/strict";
import { formatToken, hashOfSecret } from "../../api/access-token.js";
import type { PathHandler } from "../../apiserver/index.js";
import { eventually } from "../support/wait.js";
import { definition, service } from "./support/objects.js";
import { startServer, type TestServer } from "./support/server.js";

const BASE = "/apis/davit.dev/v1/namespaces/default";
const secret = "s".repeat(43);

describe("access tokens of people", () => {
  let server: TestServer;
  let nowMs = Date.now();
  let count = 0;
  before(async () => {
    const endless: PathHandler = async ({ response, authenticate }) => {
      authenticate();
      response.writeHead(200).write("and so on");
    };
    server = await startServer("access-tokens", { now: () => nowMs, paths: { "/davit/v1/endless": endless } });
  });
  after(() => server.close());
  afterEach(() => assert.deepEqual(server.errors, []));

  async function make(role: string | undefined, ttlMs = 3_600_000): Promise<{ name: string; token: string }> {
    const name = `token-${++count}`;
    const spec = {
      ...(role === undefined ? { use: "Join" } : { use: "User", role }),
      ...{ hash: hashOfSecret(secret), expiresAt: new Date(nowMs + ttlMs).toISOString() },
    };
    const body = { apiVersion: "davit.dev/v1", kind: "AccessToken", metadata: { name }, spec };
    assert.equal((await server.call("POST", `${BASE}/accesstokens`, body)).code, 201);
    return { name, token: formatToken({ name, secret }) };
  }
  const as = async (token: string, method: string, path: string, body?: unknown, type = "application/json") =>
    (await server.call(method, path, body, { Authorization: `Bearer ${token}`, "Content-Type": type })).code;

  const DEPLOYS = ["taskdefinitions", "services", "tasksets", "tasks"];
  const OTHERS = ["clusters", "containerinstances", "accesstokens", "taskdefinitionrevisions"];
  const COLLECTIONS = [...DEPLOYS, ...OTHERS].map((plural) => `${BASE}/${plural}`);

  for (const [role, writes] of [
    ["viewer", []],
    ["deployer", DEPLOYS],
    ["admin", [...DEPLOYS, ...OTHERS]],
  ] as const)
    it(`a ${role} reads everything and writes ${writes.length === 0 ? "nothing" : writes.join(", ")}`, async () => {
      const { token } = await make(role);
      for (const path of [...COLLECTIONS, "/api/v1/namespaces", "/apis", "/openapi/v3"])
        assert.equal(await as(token, "GET", path), 200, path);
      for (const plural of [...DEPLOYS, ...OTHERS]) {
        const may = writes.some((one) => one === plural);
        const path = `${BASE}/${plural}/x`;
        // What is let through is answered with what is wrong with it: it is no object, or there is none.
        const refused = (code: number): boolean => code === 403;
        assert.equal(refused(await as(token, "POST", `${BASE}/${plural}`, "{}")), !may, `create ${plural}`);
        assert.equal(refused(await as(token, "PUT", path, "{}")), !may, `update ${plural}`);
        assert.equal(
          refused(await as(token, "PATCH", path, "{}", "application/merge-patch+json")),
          !may,
          `patch ${plural}`,
        );
        assert.equal(refused(await as(token, "DELETE", path)), !may, `delete ${plural}`);
        const status = await as(token, "PATCH", `${path}/status`, "{}", "application/merge-patch+json");
        assert.equal(refused(status), role !== "admin", `status of ${plural}`);
      }
      assert.equal((await as(token, "POST", "/api/v1/namespaces", "{}")) === 403, role !== "admin");
      assert.equal((await as(token, "DELETE", "/api/v1/namespaces/none")) === 403, role !== "admin");
    });

  it("a deployer deploys and scales a service", async () => {
    const { token } = await make("deployer");
    assert.equal(await as(token, "POST", `${BASE}/taskdefinitions`, definition("app")), 201);
    assert.equal(await as(token, "POST", `${BASE}/services`, service("app", { desiredCount: 1 })), 201);
    const scale = { spec: { replicas: 3 } };
    assert.equal(await as(token, "PATCH", `${BASE}/services/app/scale`, scale, "application/merge-patch+json"), 200);
    assert.equal(await as(token, "DELETE", `${BASE}/services/app`), 200);
  });

  const said = async (token: string): Promise<[number, string | undefined]> => {
    const { code, body } = await server.call("GET", `${BASE}/tasks`, undefined, { Authorization: `Bearer ${token}` });
    return [code, body.message];
  };

  /** An answer that goes on. */
  async function follow(token: string, path: string): Promise<{ ended: Promise<void> }> {
    const answer = await server.open(path, { Authorization: `Bearer ${token}` });
    assert.equal(answer.statusCode, 200);
    const ended = new Promise<void>((resolve) => {
      answer
        .on("close", resolve)
        .on("error", () => undefined)
        .resume();
    });
    return { ended };
  }
  const WATCH = `${BASE}/tasks?watch=true`;

  it("a token that is deleted is refused at once, and all that is open with it ends", async () => {
    const { name, token } = await make("viewer");
    const warnings: Error[] = [];
    const warned = (warning: Error): void => void warnings.push(warning);
    process.on("warning", warned);
    const open = await Promise.all([...Array(15).fill(WATCH), "/davit/v1/endless"].map((path) => follow(token, path)));
    assert.equal((await server.call("DELETE", `${BASE}/accesstokens/${name}`)).code, 200);
    await eventually("it is refused", async () => (await said(token))[0] === 401, 1_000);
    assert.match((await said(token))[1] ?? "", /is not known here: it was taken back.*ask for a new one/);
    await Promise.all(open.map(({ ended }) => ended));
    process.off("warning", warned);
    assert.deepEqual(warnings, []);
  });

  it("a token that has expired is refused, and its open watches end", async () => {
    const { token } = await make("viewer", 60_000);
    assert.equal((await said(token))[0], 200);
    const { ended } = await follow(token, WATCH);
    nowMs += 61_000;
    const [code, message] = await said(token);
    assert.equal(code, 401);
    assert.match(message ?? "", /^the token token-\d+ expired at .*Z: ask for a new one$/);
    await ended;
  }).timeout(10_000);

  it("another secret, a token to join with, and what is no token are refused", async () => {
    const { name } = await make("admin");
    const forged = formatToken({ name, secret: "x".repeat(43) });
    assert.match((await said(forged))[1] ?? "", /not known here/);
    assert.match((await said((await make(undefined)).token))[1] ?? "", /lets a machine join, and nobody in/);
    assert.deepEqual(await said("davit.x.y"), [401, "Unauthorized"]);
  });

  it("an administrator who asks to act as somebody with fewer rights does not act with his own", async () => {
    const { name } = await make("viewer");
    const path = `${BASE}/accesstokens/${name}`;
    for (const header of ["Impersonate-User", "Impersonate-Group", "Impersonate-Uid", "Impersonate-Extra-x"]) {
      const { code, body } = await server.call("DELETE", path, undefined, { [header]: "vera" });
      assert.equal(code, 403);
      assert.match(body.message ?? "", /kubectl --as\) is not served: .*davit token create --role/);
    }
    assert.equal((await server.call("GET", path)).code, 200);
  });

  it("nobody gives a token another role: it cannot be changed", async () => {
    const { name } = await make("viewer");
    const { code, body } = await server.call("PATCH", `${BASE}/accesstokens/${name}`, '{"spec":{"role":"admin"}}', {
      "Content-Type": "application/merge-patch+json",
    });
    assert.equal(code, 422);
    assert.match(body.message ?? "", /a token cannot be changed/);
  });
});
