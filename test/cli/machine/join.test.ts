// The machine's side of joining, against a control plane that answers what the test says.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fromPublic } from "@nats-io/nkeys";
import { ensurePki } from "../../../apiserver/index.js";
import { renewalText } from "../../../bus/enrolment.js";
import type { Identity } from "../../../cli/machine/folder.js";
import { isGoingDown } from "../../../cli/machine/goodbye.js";
import { fingerprintOf } from "../../../cli/machine/https.js";
import { untilRenewalMs } from "../../../cli/machine/renewal.js";
import { execute } from "../../support/davit.js";
import { temporaryFolder } from "../../support/folder.js";
import { isAlive } from "../../support/process.js";
import { eventually } from "../../support/wait.js";
import { type ControlPlane, INSTANCE, startControlPlane } from "./control-plane.js";

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
    return startWith({}, dir, ...args);
  }
  function startWith(env: NodeJS.ProcessEnv, dir: string, ...args: string[]) {
    const child = spawn(process.execPath, [DAVIT, "join", "--data-dir", dir, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...env },
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

  it("notices a man in the middle, names him, and sends him nothing", async () => {
    const heard: string[] = [];
    const stranger = await ensurePki({ folder: join(folder.path, "stranger"), now: Date.now });
    // Once with a CA of his own, once with ours shown beside a certificate that it never signed.
    for (const chain of [`${stranger.cert}${stranger.ca}`, `${stranger.cert}${plane.pki.ca}`]) {
      const server = createServer({ key: stranger.key, cert: chain }, (request, response) => {
        heard.push(request.url ?? "");
        response.end("{}");
      });
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const { port } = server.address() as AddressInfo;
      const dir = dataDir();
      const { said, exited } = start(dir, `https://127.0.0.1:${port}`, ...joinLine().slice(1));
      assert.equal(await exited, 1);
      assert.match(said.err, /^davit: .*somebody stands in between\. .*(not sent|Nothing was sent)\.\n$/);
      assert.equal(existsSync(join(dir, "identity.json")), false);
      server.close();
    }
    assert.deepEqual(heard, []);
  });

  it("says so when its clock, or the control plane's, is far off", async () => {
    for (const [days, expected] of [
      [
        3,
        /by this machine's clock \(20\S+Z\) the certificate of .* is not good yet: set the clock .*Nothing was sent\.\n$/,
      ],
      [-4_000, /the certificate of .* has expired: set the clock/],
    ] as const) {
      const now = (): number => Date.now() + days * 86_400_000;
      const { key, cert, ca } = await ensurePki({ folder: join(folder.path, `clock${days}`), now });
      const server = createServer({ key, cert: `${cert}${ca}` }, () => assert.fail("something was sent"));
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const { port } = server.address() as AddressInfo;
      const token = plane.token.replace(/[^.]+$/, fingerprintOf(new X509Certificate(ca).raw));
      const line = [`https://127.0.0.1:${port}`, "--token", token, "--runtime", "simulated"];
      const { said, exited } = start(dataDir(), ...line);
      assert.equal(await exited, 1);
      assert.match(said.err, expected);
      server.close();
    }
  });

  it("says in one sentence what is wrong with the line, before anything is sent or written", async () => {
    const { url, token } = plane;
    const unpinned = token.slice(0, token.lastIndexOf("."));
    const rows: [args: string[], code: number, said: RegExp][] = [
      [[], 78, /has not joined yet.*davit token create/],
      [[url], 2, /needs a token too/],
      [["--token", token], 2, /needs the address too/],
      [["http://127.0.0.1:1", "--token", token], 2, /write https:\/\/HOST:PORT/],
      [[url, "--token", "secret"], 1, /that is no token/],
      [[url, "--token", unpinned], 1, /not for joining/],
      [[url, "--token", token, "--machine-id", "a b"], 2, /the machine id "a b" won't do/],
      [[url, "--token", token, "--attribute", "a b=c"], 2, /--attribute "a b=c": an attribute's name has 1 to 128/],
      [[url, "--token", token, "--attribute", `a=${"v".repeat(129)}`], 2, /a value has 1 to 128/],
      [[url, "--token", token, "--attribute", "a= v"], 2, /a value has/],
      [[url, "--token", token, "--attribute", "a=1", "--attribute", "a=2"], 2, /given twice/],
      [[url, "--token", token, "--attribute", "ecs.availability-zone=z"], 2, /the zone is set with --zone/],
      [[url, "--token", token, ...Array.from({ length: 11 }, (_, i) => `--attribute=a${i}=1`)], 2, /10 attributes/],
      [[url, "--token", token, "--zone", "a;b"], 2, /--zone "a;b"/],
      [[url, "--token", token, "--ports", "9000-8000"], 2, /--ports "9000-8000": it must be FROM-TO/],
      [[url, "--token", token, "--cpu", "0"], 2, /whole number from 1/],
      [
        ["https://127.0.0.1:1", "--token", token, "--runtime", "simulated"],
        1,
        /no Davit answers at https:\/\/127.0.0.1:1/,
      ],
    ];
    for (const [args, code, expected] of rows) {
      const dir = dataDir();
      const {
        stdout,
        stderr,
        code: got,
      } = await execute(process.execPath, [DAVIT, "join", "--data-dir", dir, ...args]);
      assert.match(stdout + stderr, expected, args.join(" "));
      assert.equal(got, code, args.join(" "));
      assert.equal(existsSync(join(dir, "identity.json")), false);
    }
    assert.equal(plane.heard.joins.length, 0);
  });

  it("[04-2] is not let in when the control plane refuses, and says its sentence; asks again as the same machine", async () => {
    const dir = dataDir();
    plane.refuse = { status: 401, message: "this token has been used already by machine m-7; make another one" };
    const refused = start(dir, ...joinLine());
    assert.equal(await refused.exited, 1);
    assert.equal(refused.said.err, "davit: this token has been used already by machine m-7; make another one\n");
    assert.equal(existsSync(join(dir, "agent.creds")), false);
    plane.refuse = undefined;
    start(dir, ...joinLine());
    await eventually("it syncs", () => plane.heard.syncs.length === 1);
    const [one, two] = plane.heard.joins;
    assert.equal(one?.request.publicKey, two?.request.publicKey);
  });

  it("refuses a token of another Davit where it has joined, and joins anew with another one of the same", async () => {
    const dir = dataDir();
    const first = start(dir, ...joinLine());
    await eventually("it syncs", () => plane.heard.syncs.length === 1);
    const second = start(dir, ...joinLine());
    assert.equal(await second.exited, 1);
    assert.match(second.said.err, new RegExp(`the agent of .* runs already \\(process ${first.child.pid}\\)`));
    first.child.kill("SIGTERM");
    await first.exited;

    const foreign = start(dir, plane.url, "--token", `davit.other.${"x".repeat(43)}.${"f".repeat(43)}`);
    assert.equal(await foreign.exited, 1);
    assert.match(foreign.said.err, /belongs to the Davit at https:.*leave that one first with `davit leave`/);

    start(dir, plane.url, "--token", plane.token.replace("t-1", "t-2"), "--runtime", "simulated");
    await eventually("it syncs again", () => plane.heard.syncs.length === 2);
    const [one, two] = plane.heard.joins;
    assert.notEqual(one?.request.publicKey, two?.request.publicKey);
  });

  it("renews at half of the credential's life with its own signature, and outlives the old one", async () => {
    plane.ttlMs = 3_000;
    const dir = dataDir();
    const { child } = start(dir, ...joinLine());
    await eventually("it syncs", () => plane.heard.syncs.length === 1);
    const before = readFileSync(join(dir, "agent.creds"), "utf8");
    const startedAt = Date.now();
    await eventually("it renews", () => plane.heard.renewals.length >= 1);
    assert.ok(Date.now() - startedAt < 2_900, "in time");
    const [renewal] = plane.heard.renewals;
    assert.ok(renewal);
    const { signature, ...unsigned } = renewal;
    const key = fromPublic(unsigned.publicKey);
    assert.ok(key.verify(Buffer.from(renewalText(unsigned)), Buffer.from(signature, "base64")));
    assert.equal(unsigned.publicKey, plane.heard.joins[0]?.request.publicKey);
    await eventually("the file is new", () => readFileSync(join(dir, "agent.creds"), "utf8") !== before);
    // nats-server cuts off who showed the first one; the agent comes back with its successor.
    await eventually("it syncs with a later one", () => plane.heard.syncs.length >= 2, 20_000);
    assert.equal(child.exitCode, null);
  });

  it("comes back after an absence longer than the credential's life: renews first, again and again, then connects", async () => {
    plane.ttlMs = 1_000;
    const dir = dataDir();
    const first = start(dir, ...joinLine());
    await eventually("it syncs", () => plane.heard.syncs.length === 1);
    first.child.kill("SIGKILL");
    await first.exited;
    const { expiresAtMs } = JSON.parse(readFileSync(join(dir, "identity.json"), "utf8")) as { expiresAtMs: number };
    await eventually("it has expired", () => Date.now() > expiresAtMs);
    plane.ttlMs = 3_600_000;
    await plane.setApi(false);
    const second = start(dir);
    await eventually("it tries", () => second.said.out.includes("can't renew the credential, trying again"));
    await plane.setApi(true);
    await eventually("it syncs again", () => plane.heard.syncs.length === 2);
    assert.equal(plane.heard.joins.length, 1);
  });

  it("says why when the renewal is refused, and goes on", async () => {
    plane.ttlMs = 2_000;
    const { said, child } = start(dataDir(), ...joinLine());
    await eventually("it syncs", () => plane.heard.syncs.length === 1);
    plane.refuse = { status: 403, message: "this machine's credential was revoked; join anew with a new token" };
    await eventually("it says so", () =>
      said.out.split("\n").some((line) => line.includes("refuses to renew") && line.includes("was revoked; join anew")),
    );
    assert.equal(child.exitCode, null);
  });

  it("goes by its own clock, however wrong: one that is two hours ahead renews no sooner", async () => {
    const identity = { issuedAtMs: 7_200_000, expiresAtMs: 10_800_000 } as Identity;
    assert.equal(untilRenewalMs(identity, 7_200_000, 0), 1_800_000);
    assert.equal(untilRenewalMs(identity, 7_200_000, 1), 1_440_000);
    assert.equal(untilRenewalMs(identity, 9_500_000, 0), 0);
    // Set back: whether the credential is still good is unknown.
    assert.equal(untilRenewalMs(identity, 7_199_999, 0), 0);
  });

  it("says `stop` when the machine itself goes down, `restart` when a shutdown is only planned", async () => {
    const bin = join(folder.path, "bin");
    mkdirSync(bin);
    const rows = [
      ["stopping", "stop"],
      ["degraded", "restart"],
    ] as const;
    for (const [state, kind] of rows) {
      // It ends with a failure, as systemctl does in both states.
      writeFileSync(join(bin, "systemctl"), `#!/bin/sh\n[ "$1" = is-system-running ] && echo ${state}\nexit 1\n`);
      chmodSync(join(bin, "systemctl"), 0o755);
      const from = plane.heard.syncs.length;
      const { child, exited } = startWith({ PATH: `${bin}:${process.env.PATH}` }, dataDir(), ...joinLine());
      await eventually("it syncs", () => plane.heard.syncs.length > from);
      child.kill("SIGTERM");
      assert.equal(await exited, 0);
      await eventually(state, () => plane.heard.goodbyes.at(-1)?.kind === kind);
    }
    const scheduled = (atMs: number) => ({ system: "running", scheduled: `USEC=${atMs * 1000}\nMODE=reboot\n` });
    assert.equal(isGoingDown(scheduled(3_600_000), 0), false);
    assert.equal(isGoingDown(scheduled(5_000), 0), true);
    assert.equal(isGoingDown({ system: "", scheduled: "" }, 0), false);
  });

  it("leaves when told to by another process, and nothing of it is kept", async () => {
    const dir = dataDir();
    const { said, exited } = start(dir, ...joinLine());
    await eventually("it syncs", () => plane.heard.syncs.length === 1);
    const left = await leave(dir);
    assert.equal(left.code, 0, left.stderr);
    assert.match(left.stdout, /This machine has left https:/);
    assert.equal(plane.heard.goodbyes.at(-1)?.kind, "leave");
    assert.equal(await exited, 0, said.err);
    assert.match(said.err, /This machine has left; nothing of it is kept\./);
    assert.deepEqual(
      readdirSync(dir).filter((name) => !/^(logs|join\.lock\.)/.test(name)),
      [],
    );
    assert.match((await leave(dir)).stderr, /has not joined/);
    assert.equal(await start(dir).exited, 78, "starting again would not help");
  });

  it("leaves without a running agent, too; and says what to do where the control plane is out of reach", async () => {
    const dir = dataDir();
    plane.ttlMs = 1_000;
    const { child, exited } = start(dir, ...joinLine());
    await eventually("it syncs", () => plane.heard.syncs.length === 1);
    child.kill("SIGKILL");
    await exited;
    await plane.setApi(false);
    const { expiresAtMs } = JSON.parse(readFileSync(join(dir, "identity.json"), "utf8")) as { expiresAtMs: number };
    await eventually("it has expired", () => Date.now() > expiresAtMs);
    const late = await leave(dir, "--timeout", "1");
    assert.equal(late.code, 1);
    assert.match(late.stderr, /has not left within 1 s\. If https:.* can't be reached .* --force/);
    assert.equal(existsSync(join(dir, "identity.json")), true);
    await plane.setApi(true);
    assert.equal((await leave(dir)).code, 0);
    assert.equal(plane.heard.goodbyes.at(-1)?.kind, "leave");
    assert.equal(existsSync(join(dir, "identity.json")), false);
  });

  it("an ephemeral machine leaves when its agent is told to end", async () => {
    const dir = dataDir();
    const { child, exited } = start(dir, ...joinLine(), "--ephemeral");
    await eventually("it syncs", () => plane.heard.syncs.length === 1);
    child.kill("SIGTERM");
    assert.equal(await exited, 0);
    assert.deepEqual(
      plane.heard.goodbyes.map(({ kind }) => kind),
      ["leave"],
    );
    assert.equal(existsSync(join(dir, "identity.json")), false);
  });

  it("in the background: returns when it is connected; the token is in no command line that goes on", async () => {
    const dir = dataDir();
    const detached = await execute(process.execPath, [DAVIT, "join", "--data-dir", dir, ...joinLine(), "--detach"]);
    assert.equal(detached.code, 0, detached.stderr);
    const pid = Number(/\(process (\d+)\)/.exec(detached.stdout)?.[1]);
    try {
      assert.equal(plane.heard.syncs.length, 1);
      assert.doesNotMatch(readFileSync(`/proc/${pid}/cmdline`, "latin1"), /davit\.t-1/);
    } finally {
      process.kill(pid, "SIGTERM");
      await eventually("it has ended", () => !isAlive(pid));
    }
    assert.equal(plane.heard.goodbyes.at(-1)?.kind, "restart");
  });

  const leave = (dir: string, ...args: string[]) =>
    execute(process.execPath, [DAVIT, "leave", "--data-dir", dir, ...args]);
});
