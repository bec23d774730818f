// Where Davit listens, and what it tells others of it.
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { networkInterfaces } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { bindingOf } from "../../cli/supervisor/binding.js";
import { readKubeconfig } from "../../client/kubeconfig.js";
import { Davit, execute } from "../support/davit.js";
import { temporaryFolder } from "../support/folder.js";
import { call } from "../support/joining.js";
import { eventually } from "../support/wait.js";

const DAVIT = new URL("../../cli/davit.js", import.meta.url).pathname;

describe("--bind, --advertise and --tls-san", () => {
  const address = (text: string, internal = false) => ({
    ...{ address: text, netmask: "", mac: "", internal, cidr: null },
    ...(text.includes(":") ? { family: "IPv6" as const, scopeid: 0 } : { family: "IPv4" as const }),
  });
  const interfaces =
    (...addresses: ReturnType<typeof address>[]) =>
    (): ReturnType<typeof networkInterfaces> => ({
      lo: [address("127.0.0.1", true), address("::1", true)],
      eth0: addresses,
    });
  const machine = interfaces(address("fe80::1"), address("2001:db8::7"), address("10.0.0.7"), address("10.0.0.8"));

  for (const [what, options, wanted] of [
    [
      "loopback alone is told to nobody",
      { bind: "127.0.0.1" },
      { host: "127.0.0.1", local: "127.0.0.1", names: ["127.0.0.1"] },
    ],
    [
      "localhost is loopback",
      { bind: "localhost", tlsSan: ["box"] },
      { host: "127.0.0.1", local: "127.0.0.1", names: ["127.0.0.1", "box"] },
    ],
    [
      "one address is what others use, and this machine too",
      { bind: "10.0.0.8" },
      { host: "10.0.0.8", local: "10.0.0.8", advertised: "10.0.0.8", names: ["10.0.0.8"] },
    ],
    [
      "of all addresses others use the first, and this machine loopback",
      { bind: "0.0.0.0" },
      { host: "0.0.0.0", local: "127.0.0.1", advertised: "10.0.0.7", names: ["10.0.0.7"] },
    ],
    ["the same with IPv6", { bind: "::" }, { host: "::", local: "::1", advertised: "10.0.0.7", names: ["10.0.0.7"] }],
    [
      "a name may be advertised",
      { bind: "0.0.0.0", advertise: "davit.example", tlsSan: ["10.9.9.9"] },
      { host: "0.0.0.0", local: "127.0.0.1", advertised: "davit.example", names: ["davit.example", "10.9.9.9"] },
    ],
    [
      "brackets are allowed",
      { bind: "[2001:db8::7]" },
      { host: "2001:db8::7", local: "2001:db8::7", advertised: "2001:db8::7", names: ["2001:db8::7"] },
    ],
  ] as const)
    it(what, () => assert.deepEqual(bindingOf(options, machine), wanted));

  for (const [what, options, found, message] of [
    ["a name to bind to", { bind: "box" }, machine, /--bind box is no address/],
    [
      "an address to advertise that is a URL",
      { bind: "0.0.0.0", advertise: "https://x" },
      machine,
      /is no host name and no address/,
    ],
    [
      "something advertised that nobody can reach",
      { bind: "127.0.0.1", advertise: "box" },
      machine,
      /of no use while Davit listens on 127\.0\.0\.1 only: add --bind/,
    ],
    [
      "a machine without any address",
      { bind: "0.0.0.0" },
      interfaces(address("169.254.1.1")),
      /name one with --advertise/,
    ],
  ] as const)
    it(`refused: ${what}`, () => assert.throws(() => bindingOf(options, found), message));
});

describe("davit up --bind", function () {
  this.timeout(60_000);
  const BEYOND = ["--bind", "0.0.0.0", "--advertise", "localhost", "--tls-san", "davit.example"];
  let davit: Davit;
  before(async () => {
    davit = await Davit.start("bind", ["--runtime", "simulated"]);
  });
  after(() => davit.purge());
  const kubeconfig = async () => (await readKubeconfig({ path: join(davit.folder, "kubeconfig") })).connection;

  it("is loopback if left out: the bus has no TLS, and a token says that it is for this machine", async () => {
    assert.match(davit.state()?.natsUrl ?? "", /^nats:\/\/127\.0\.0\.1:/);
    const { stdout, stderr } = await davit.cli("token", "create");
    assert.match(
      stdout,
      /^davit join https:\/\/127\.0\.0\.1:\d+ --token davit\.join-[0-9a-f]{8}\.[\w-]{43}\.[\w-]{43}\n$/,
    );
    assert.match(stderr, /listens on its own machine only.*davit up --bind 0\.0\.0\.0/);
    const { server } = await kubeconfig();
    assert.match((await davit.cli("kubeconfig")).stdout, new RegExp(`"server": "${server}"`));
  });

  it("takes over what ran on loopback, and serves others with TLS and a certificate of the same CA", async () => {
    const before = { nats: davit.pid("nats"), server: davit.pid("server"), ca: (await kubeconfig()).ca };
    await davit.kill("supervisor");
    const { apiPort = 0, natsUrl = "" } = davit.state() ?? {};
    const ports = ["--api-port", String(apiPort), "--nats-port", new URL(natsUrl).port];
    const up = await davit.cli("up", "--detach", "--runtime", "simulated", ...ports, ...BEYOND);
    assert.equal(up.code, 0, up.stderr);
    assert.match(up.stdout, new RegExp(`for others  https://localhost:${apiPort} `));
    assert.notEqual(davit.pid("nats"), before.nats);
    assert.notEqual(davit.pid("server"), before.server);
    assert.match(davit.state()?.natsUrl ?? "", /^tls:\/\/127\.0\.0\.1:/);

    const { server, ca = "", token = "" } = await kubeconfig();
    assert.equal(ca, before.ca);
    assert.equal(server, `https://127.0.0.1:${apiPort}`);
    const printed = await davit.cli("kubeconfig");
    assert.match(printed.stdout, new RegExp(`"server": "https://localhost:${apiPort}"`));
    const path = "/apis/davit.dev/v1/namespaces/default/tasks";
    assert.equal((await call({ server: `https://localhost:${apiPort}`, ca }, "GET", path, { token })).code, 200);

    const certificate = await new Promise<X509Certificate>((resolve, reject) => {
      const socket = connect({ port: apiPort, host: "127.0.0.1", servername: "davit.example", ca }, () => {
        const shown = socket.getPeerX509Certificate();
        socket.destroy();
        shown ? resolve(shown) : reject(new Error("no certificate"));
      }).on("error", reject);
    });
    assert.ok(certificate.checkHost("davit.example"));
  });

  it("its own agent, its events and its kubectl work as before", async () => {
    await eventually("the machine is heard", async () =>
      (await davit.list("ContainerInstance")).every(({ status }) => status?.agentConnected === true),
    );
    const events = await davit.cli("events", "--kind", "machine");
    assert.match(events.stdout, /ContainerInstance/, events.stderr);
    assert.match((await davit.cli("bus", "info")).stdout, /^URL +tls:\/\/.*\nCA +\S+ca\.crt$/m);
  });

  it("the line that it prints names the advertised address and this CA", async () => {
    const { stdout, stderr } = await davit.cli("token", "create", "--cluster", "nowhere");
    const [, fingerprint = ""] =
      /^davit join https:\/\/localhost:\d+ --token davit\.[^.]+\.[^.]+\.(\S+)$/m.exec(stdout) ?? [];
    const { raw } = new X509Certificate((await kubeconfig()).ca ?? "");
    const { createHash } = await import("node:crypto");
    assert.equal(fingerprint, createHash("sha256").update(raw).digest("base64url"));
    assert.match(stderr, /no cluster nowhere yet/);
    assert.doesNotMatch(stderr, /this machine only/);
  });

  it("a person's token comes as text or as a kubeconfig, and may do what its role may", async () => {
    const text = (await davit.cli("token", "create", "--role", "viewer", "--ttl", "1h")).stdout.trim();
    assert.match(text, /^davit\.viewer-[0-9a-f]{8}\.[\w-]{43}$/);
    const file = join(davit.folder, "deployer.yaml");
    const made = await davit.cli("token", "create", "--role", "deployer", "--write-kubeconfig", file);
    assert.equal(made.code, 0, made.stderr);
    assert.doesNotMatch(made.stdout + made.stderr, /davit\.deployer-[0-9a-f]{8}\./);
    const as = (...args: string[]) => execute("kubectl", args, { KUBECONFIG: file, HOME: davit.folder });
    assert.equal(
      (await as("get", "machines.davit.dev,clusters.davit.dev".replace("machines", "containerinstances"))).code,
      0,
    );
    assert.match((await as("delete", "clusters.davit.dev", "default")).stderr, /forbidden/i);
    const list = (await davit.cli("token", "list")).stdout;
    assert.match(list, /^deployer-[0-9a-f]{8} +deployer +good until/m);
    const name = /^(deployer-[0-9a-f]{8})/m.exec(list)?.[1] ?? "";
    assert.equal((await davit.cli("token", "delete", name)).code, 0);
    assert.match((await as("get", "tasks.davit.dev")).stderr, /taken back|logged in|Unauthorized/i);
    assert.equal((await davit.cli("token", "create", "--role", "viewer", "--write-kubeconfig", file)).code, 1);
  });

  it("what cannot be meant is refused in one sentence, and nothing is started", async () => {
    const folder = temporaryFolder("bind-refused");
    const up = (...args: string[]) =>
      execute(process.execPath, [
        DAVIT,
        "up",
        "--data-dir",
        folder.path,
        "--runtime",
        "simulated",
        "--api-port",
        "0",
        "--nats-port",
        "0",
        ...args,
      ]);
    for (const [args, message] of [
      [["--bind", "198.51.100.7"], /^davit: --bind 198\.51\.100\.7 is no address of this machine/],
      [["--bind", "nowhere"], /^davit: --bind nowhere is no address/],
      [["--advertise", "x"], /^davit: --advertise x is of no use/],
    ] as const) {
      const { code, stderr } = await up(...args);
      assert.notEqual(code, 0);
      assert.match(stderr, message);
    }
    for (const args of [
      ["token", "create", "--role", "viewer", "--cluster", "x"],
      ["token", "create", "--write-kubeconfig", "x"],
      ["token", "create", "--ttl", "soon"],
    ])
      assert.equal((await davit.cli(...args)).code, 2);
    folder.remove();
  });

  it("the machine of `davit up` itself is not revoked: its credential is made anew at each start", async () => {
    const [own] = await davit.list("ContainerInstance");
    const { code, stderr } = await davit.cli("instance", "revoke", own?.metadata.name ?? "");
    assert.equal(code, 1);
    assert.match(stderr, /has not joined with a token.*davit down/);
  });

  it("certificate and keys stay for their owner only", async () => {
    const { statSync } = await import("node:fs");
    for (const file of [
      "pki/tls.key",
      "pki/ca.key",
      "nats/keys/account.nk",
      "nats/keys/account.jwt",
      "nats/nats-server.conf",
    ])
      assert.equal(statSync(join(davit.folder, file)).mode & 0o077, 0, file);
    assert.match(readFileSync(join(davit.folder, "nats/nats-server.conf"), "utf8"), /^tls \{$/m);
  });
});
