// The machine's side of joining, against a control plane that answers what the test says.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fromPublic } from "@nats-io/nkeys";
import { execute } from "../../support/davit.js";
import { temporaryFolder } from "../../support/folder.js";
import { eventually } from "../../support/wait.js";
import { type ControlPlane, INSTANCE, isSignedByItsKey, startControlPlane } from "./control-plane.js";

const DAVIT = new URL("../../../cli/davit.js", import.meta.url).pathname;

describe("joining, the machine's side", function () {
  this.timeout(60_000);
  let plane: ControlPlane;
  const folder = temporaryFolder("join");
  const processes: ChildProcess[] = [];
  let folders = 0;
  const dataDir = () => join(folder.path, `machine-${++folders}`);

  before(async () => {
    plane = await startControlPlane("join-plane");
  });
  beforeEach(() => {
    plane.refuse = undefined;
    plane.ttlMs = 3_600_000;
    for (const heard of Object.values(plane.heard)) heard.length = 0;
  });
  afterEach(async () => {
    for (const child of processes.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  });
  after(async () => {
    await plane.close();
    folder.remove();
  });

  function start(dir: string, ...args: string[]) {
    const child = spawn(process.execPath, [DAVIT, "join", "--data-dir", dir, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    processes.push(child);
    const said = { out: "", err: "" };
    child.stdout.on("data", (data) => {
      said.out += String(data);
    });
    child.stderr.on("data", (data) => {
      said.err += String(data);
    });
    const exited = once(child, "exit").then(([code]) => code as number | null);
    return { child, said, exited };
  }
  const joinLine = () => [plane.url, "--token", plane.token, "--runtime", "simulated"];

  it("joins, keeps who it is for its owner only, and runs; told to end it says goodbye; without a word it goes on", async () => {
    const dir = dataDir();
    const first = start(
      dir,
      ...joinLine(),
      "--machine-id",
      "m-1",
      "--zone",
      "rack-1",
      "--attribute",
      "disk=ssd",
      "--cpu",
      "512",
    );
    await eventually("it syncs", () => plane.heard.syncs.length === 1);
    const [join1] = plane.heard.joins;
    assert.equal(join1?.request.machineId, "m-1");
    assert.match(join1?.request.publicKey ?? "", /^U[A-Z2-7]{55}$/);
    assert.equal(join1?.authorization, `Bearer t-1.${"s".repeat(43)}`);
    const sync = plane.heard.syncs[0];
    assert.equal(sync?.instance, INSTANCE);
    assert.deepEqual(
      sync?.attributes.filter(({ name }) => name === "disk" || name === "ecs.availability-zone"),
      [
        { name: "disk", value: "ssd" },
        { name: "ecs.availability-zone", value: "rack-1" },
      ],
    );
    assert.equal(sync?.resources.find(({ name }) => name === "CPU")?.integerValue, 512);
    assert.equal(sync?.address, "127.0.0.1");
    assert.equal(statSync(dir).mode & 0o777, 0o700);
    for (const name of readdirSync(dir).filter((one) => statSync(`${dir}/${one}`).isFile()))
      assert.equal(statSync(`${dir}/${name}`).mode & 0o777, 0o600, name);
    assert.ok(!readFileSync(`${dir}/identity.json`, "utf8").includes("s".repeat(43)), "the token's secret is not kept");
    first.child.kill("SIGTERM");
    assert.equal(await first.exited, 0, first.said.err);
    await eventually("goodbye", () => plane.heard.goodbyes[0]?.kind === "restart");

    const second = start(dir);
    await eventually("it syncs again", () => plane.heard.syncs.length === 2);
    assert.equal(plane.heard.joins.length, 1);
    assert.deepEqual(plane.heard.syncs[1]?.attributes, sync?.attributes);
    second.child.kill("SIGKILL");
    await second.exited;
    // The same line typed again, by a script at each boot perhaps, joins no second time.
    start(dir, ...joinLine(), "--machine-id", "m-1");
    await eventually("it syncs once more", () => plane.heard.syncs.length === 3);
    assert.equal(plane.heard.joins.length, 1);
  });
});
void existsSync;
void execute;
void fromPublic;
void isSignedByItsKey;
