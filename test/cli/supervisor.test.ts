// The supervisor and its children, as a user starts them; simulated machines, so that no Docker is needed.
import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { commandLineOf } from "../../cli/supervisor/child.js";
import { boundLog, tail } from "../../cli/supervisor/log-file.js";
import { end, identify, isAlive } from "../../cli/supervisor/process.js";
import { readKubeconfig } from "../../client/kubeconfig.js";
import { Davit, execute } from "../support/davit.js";
import { temporaryFolder } from "../support/folder.js";
import { eventually } from "../support/wait.js";

const DAVIT = new URL("../../cli/davit.js", import.meta.url).pathname;
const SIMULATED = ["--runtime", "simulated"];
const CHILDREN = ["nats", "server", "agent"] as const;

describe("davit up", function () {
  this.timeout(60_000);
  let davit: Davit;
  beforeEach(async () => {
    davit = await Davit.start("supervisor", SIMULATED);
  });
  afterEach(() => davit.purge());

  const pids = () => CHILDREN.map((name) => davit.pid(name));
  const answers = async () =>
    (await davit.cli("get", "clusters", "-o", "name")).stdout.trim() === "cluster.davit.dev/default";

  it("a child that dies is started again, alone", async () => {
    const before = new Map(CHILDREN.map((name) => [name, davit.pid(name)]));
    await davit.kill("server");
    await eventually(
      "another server",
      () => davit.pid("server") !== before.get("server") && identify(davit.pid("server")),
    );
    await eventually("the API answers", answers);
    for (const name of ["nats", "agent"] as const) assert.equal(davit.pid(name), before.get(name));
  });

  it("a new supervisor adopts what the killed one left", async () => {
    const before = pids();
    await davit.kill("supervisor");
    await davit.up();
    assert.deepEqual(pids(), before);
    await davit.kill("agent");
    await eventually("an adopted child is started again too", () => davit.pid("agent") !== before[2]);
  });

  it("what runs otherwise than it would be started now is ended", async () => {
    const [nats, server, agent] = pids();
    await davit.kill("supervisor");
    const other = await execute(process.execPath, [
      DAVIT,
      ...["up", "--detach", "--data-dir", davit.folder, "--api-port", "0", "--nats-port", "0"],
      ...["--runtime", "simulated", "--instances", "3"],
    ]);
    assert.equal(other.code, 0, other.stderr);
    assert.deepEqual([davit.pid("nats"), davit.pid("server")], [nats, server]);
    assert.notEqual(davit.pid("agent"), agent);
    assert.equal(identify(agent ?? 0), undefined);
  });

  it("a second one on the same folder is refused, and says which process has it", async () => {
    const { code, stderr } = await execute(process.execPath, [DAVIT, "up", "--data-dir", davit.folder, ...SIMULATED]);
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`already up on .*process ${davit.pid("supervisor")}.*davit down`));
    assert.ok(await answers());
  });

  it("down ends all of it, also when the supervisor is gone; the data stays", async () => {
    const before = pids();
    await davit.kill("supervisor");
    const { code, stdout } = await davit.cli("down");
    assert.equal(code, 0);
    assert.match(stdout, /^Davit is down\.[\s\S]*The data stays in/);
    for (const pid of before) assert.equal(identify(pid), undefined);
    assert.equal(davit.state(), undefined);
    assert.match((await davit.cli("down")).stdout, /was not running/);
    await davit.up();
    assert.ok(await answers());
  });

  it("SIGTERM stops the children and says that containers stay", async () => {
    const before = pids();
    process.kill(davit.pid("supervisor"), "SIGTERM");
    await eventually("all are gone", () => before.every((pid) => identify(pid) === undefined));
    await eventually("the state is gone", () => davit.state() === undefined);
  });

  it("the kubeconfig that is named keeps its other entries", async () => {
    await davit.down();
    const path = join(davit.folder, "mine.yaml");
    const mine = {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "work", cluster: { server: "https://work" } }],
      contexts: [{ name: "work", context: { cluster: "work", user: "me" } }],
      users: [{ name: "me", user: {} }],
      "current-context": "work",
    };
    writeFileSync(path, JSON.stringify(mine));
    const { code, stderr } = await davit.cli(
      "up",
      "--detach",
      ...SIMULATED,
      "--api-port",
      "0",
      "--nats-port",
      "0",
      "--kubeconfig",
      path,
    );
    assert.equal(code, 0, stderr);
    assert.equal((await readKubeconfig({ path })).connection.server, "https://work");
    assert.match((await readKubeconfig({ path, context: "davit" })).connection.server, /^https:\/\/127\.0\.0\.1:\d+$/);
    assert.equal(
      (
        await execute("kubectl", ["--context", "davit", "get", "clusters.davit.dev", "-o", "name"], {
          KUBECONFIG: path,
          HOME: davit.folder,
        })
      ).stdout.trim(),
      "cluster.davit.dev/default",
    );
  });

  it("down --purge leaves nothing, and no folder that is not Davit's is removed", async () => {
    const { code, stdout } = await davit.cli("down", "--purge");
    assert.equal(code, 0);
    assert.match(stdout, /0 containers and .* are removed/);
    assert.equal(existsSync(davit.folder), false);
    const foreign = temporaryFolder("foreign");
    writeFileSync(join(foreign.path, "precious"), "");
    assert.equal((await davit.cli("down", "--purge", "--data-dir", foreign.path)).code, 1);
    assert.ok(existsSync(join(foreign.path, "precious")));
    foreign.remove();
  });
});

describe("supervisor: parts", () => {
  const folder = temporaryFolder("supervisor-parts");
  after(() => folder.remove());

  it("another process under the same pid is not touched", async () => {
    const me = identify(process.pid);
    assert.ok(me && isAlive(me));
    const other = { ...me, startTicks: "1" };
    assert.equal(isAlive(other), false);
    await end(other, 0);
  });

  it("a log is cut when it is full, and the full one kept beside it", () => {
    const path = join(folder.path, "x.log");
    writeFileSync(path, `${"x".repeat(100)}\n`);
    boundLog(path, 1000);
    assert.equal(readFileSync(path, "utf8").length, 101);
    boundLog(path, 100);
    assert.equal(readFileSync(path, "utf8"), "");
    assert.equal(readFileSync(`${path}.1`, "utf8").length, 101);
    writeFileSync(path, "one\ntwo\n");
    assert.equal(tail(path, 4), "two\n");
    rmSync(`${path}.1`);
  });

  it("a child of another environment is another one; what is in it is not told", () => {
    const spec = { name: "x", command: "c", args: ["a", "b"], logFile: "", graceMs: 0 };
    const plain = commandLineOf(spec);
    const secret = commandLineOf({ ...spec, env: { TOKEN: "hidden" } });
    assert.match(plain, /^c a b #/);
    assert.notEqual(secret, plain);
    assert.doesNotMatch(secret, /hidden/);
  });
});
