import assert from "node:assert/strict";
import type { Probe } from "../../../cli/api/probes.js";
import { examine, isProblem } from "../../../cli/doctor/checks.js";
import type { Facts } from "../../../cli/doctor/facts.js";
import { page } from "../../../cli/doctor/page.js";
import { examinePrerequisites } from "../../../cli/doctor/prerequisites.js";
import { execute } from "../../support/davit.js";
import { ago, answer, diagnosis, GIB, healthy, instance, local, NOW, task, token } from "./facts.js";

const DAVIT = new URL("../../../cli/davit.js", import.meta.url).pathname;
const DAY = 86_400_000;
const probes = (m1: Probe): Facts["probes"] =>
  new Map([
    ["default/m1", m1],
    ["default/m2", answer()],
  ]);
const silent = (seconds: number, parts: Parameters<typeof instance>[1] = {}) =>
  instance("m1", { agentConnected: false, disconnectedAt: ago(seconds), ...parts });
const condition = (type: string, status: "True" | "False", message = "") => ({
  type,
  status,
  reason: "Because",
  message,
  lastTransitionTime: ago(100),
});

/** What is spoilt, and the one problem (or note) that comes of it: its sentence, and its remedy. */
const SPOILT: Record<string, [spoilt: Partial<Facts>, what: RegExp, remedy: RegExp, note?: "note"]> = {
  "no answer from the API, with Davit down": [
    { unreachable: "it is away", instances: [], probes: new Map(), tasks: [], tokens: [], local: local({ up: false }) },
    /^The API is out of reach: it is away\.$/,
    /davit up/,
  ],
  "no answer from the API, seen from elsewhere": [
    {
      unreachable: "it is away",
      instances: [],
      probes: new Map(),
      tasks: [],
      tokens: [],
      local: undefined,
    } as Partial<Facts>,
    /out of reach/,
    /Run `davit doctor` on the machine that runs it/,
  ],
  "a token that is not let in": [
    { refused: "Unauthorized", instances: [], probes: new Map(), tasks: [], tokens: [] },
    /does not let you look: Unauthorized/,
    /--kubeconfig/,
  ],
  "an expired certificate": [
    { certificate: { validToMs: NOW - 1 } },
    /certificate has expired/,
    /davit down && davit up/,
  ],
  "a certificate with days left": [
    { certificate: { validToMs: NOW + 3 * DAY } },
    /expires in 3 days/,
    /davit down && davit up/,
  ],
  "a certificate that the next start renews": [
    { certificate: { validToMs: NOW + 20 * DAY } },
    /expires in 20 days/,
    /davit down/,
    "note",
  ],
  "a CA near its end": [
    { certificate: { validToMs: NOW + 300 * DAY, caValidToMs: NOW + 80 * DAY } },
    /The CA's certificate expires in 80 days/,
    /every machine must join anew/,
  ],
  "a server ahead in time": [
    {
      diagnosis: diagnosis({ nowMs: NOW - 50 + 9_000 }),
      probes: new Map([
        ["default/m1", answer({ nowMs: NOW + 8_950 })],
        ["default/m2", answer({ nowMs: NOW + 8_950 })],
      ]),
    },
    /The server's clock is 9 s ahead of this machine's/,
    /NTP/,
  ],
  "a machine behind in time": [
    { probes: probes(answer({ nowMs: NOW - 50 - 300_000 })) },
    /host-m1 \(m1\)'s clock is 5 min behind the server's/,
    /NTP/,
  ],
  "another version of this program": [
    { version: "1.3.9" },
    /This program is Davit 1\.3\.9, the server is 1\.4\.2/,
    /Use Davit 1\.4\.2/,
    "note",
  ],
  "an agent too old": [
    { probes: probes(answer({ agentVersion: "1.2.7" })) },
    /host-m1 \(m1\): .*this one is 1\.2\.7: update the agent/,
    /server first/,
  ],
  "a server without its bus": [
    { diagnosis: diagnosis({ bus: { connected: false, eventsOpen: false } }) },
    /not connected to the bus/,
    /nats\.log/,
  ],
  "an event stream that is shut": [
    { diagnosis: diagnosis({ bus: { connected: true, eventsOpen: false } }) },
    /do not get into the event stream/,
    /server\.log/,
  ],
  "a log that is held": [
    {
      diagnosis: diagnosis({
        store: {
          objects: 10,
          revision: 3_000,
          log: { changes: 3_000, bytes: 1 },
          limit: { changes: 1_000, bytes: 1_000_000 },
          hardLimit: { changes: 4_000, bytes: 4_000_000 },
        },
      }),
    },
    /keeps 3000 changes for the event stream, 75 % of what it may/,
    /Bring the bus back/,
  ],
  "a server's memory full": [
    { diagnosis: diagnosis({ heap: { usedBytes: 900, limitBytes: 1000 } }) },
    /fill 90 % of its memory/,
    /max-old-space-size/,
  ],
  "the data folder's disk full": [
    { diagnosis: diagnosis({ disk: { path: "/d", totalBytes: 100 * GIB, freeBytes: 9 * GIB } }) },
    /data folder has 9\.0 GiB of 100\.0 GiB free \(9 %\)/,
    /\/d/,
  ],
  "a machine's disk below 10 %": [
    { probes: probes(answer({ disk: { path: "/var/lib/docker", totalBytes: 100 * GIB, freeBytes: 9 * GIB } })) },
    /host-m1 \(m1\): \/var\/lib\/docker has 9\.0 GiB of 100\.0 GiB free/,
    /docker image prune/,
  ],
  "a machine's disk below 1 GiB": [
    { probes: probes(answer({ disk: { path: "/d", totalBytes: 4 * GIB, freeBytes: GIB - 1 } })) },
    /has 1\.0 GiB of 4\.0 GiB free \(24 %\)/,
    /docker/,
  ],
  "what an agent says of itself": [
    { probes: probes(answer({ problems: ["Docker has not answered for 30 s"] })) },
    /host-m1 \(m1\): Docker has not answered for 30 s/,
    /log/,
  ],
  "a connected agent that says nothing": [
    { probes: probes({ silence: "no answer within 5000 ms", sentMs: NOW, receivedMs: NOW }) },
    /host-m1 \(m1\) is connected but does not say how it is: no answer within 5000 ms/,
    /restart the agent/,
  ],
  "a silent machine, counted down": [
    { instances: [silent(40), instance("m2")], probes: probes({ silence: "away", sentMs: NOW, receivedMs: NOW }) },
    /host-m1 \(m1\) has been silent for 40 s; its 2 tasks will be replaced at 5 min, in 4 min\./,
    /davit deregister m1 --force/,
  ],
  "a silent machine whose cluster keeps its tasks": [
    {
      instances: [silent(4_000, { runningTasksCount: 1 }), instance("m2")],
      clusters: [
        {
          apiVersion: "davit.dev/v1",
          kind: "Cluster",
          metadata: instance("default").metadata,
          spec: { lostInstances: { action: "KEEP" } },
        },
      ],
    },
    /silent for 66 min; its 1 task stays as it is/,
    /deregister/,
  ],
  "a machine that is not heard, nobody knows since when": [
    { instances: [instance("m1", { agentConnected: false }), instance("m2")] },
    /host-m1 \(m1\) is not heard\./,
    /deregister/,
  ],
  "a machine that joined and never came": [
    { instances: [{ ...instance("m1", { status: "REGISTERING", agentConnected: false }) }, instance("m2")] },
    /host-m1 \(m1\) joined 60 min ago and has never been heard/,
    /bus's port/,
  ],
  "a machine that could not register": [
    { instances: [instance("m1", { status: "REGISTRATION_FAILED", statusReason: "ports overlap" }), instance("m2")] },
    /could not register: ports overlap\./,
    /davit deregister m1 --force/,
  ],
  "a credential that is not renewed": [
    { instances: [instance("m1", { credentialExpiresAt: ago(60) }), instance("m2")] },
    /credential expired at 2026-06-01T11:59:00\.000Z/,
    /HTTPS/,
  ],
  "two of one machine id": [
    { instances: [instance("m1"), instance("m2", { machineId: "machine-m1", hostname: "other" })] },
    /2 machines have the machine id machine-m1: m1 \(connected\), m2 \(connected\)/,
    /--machine-id/,
  ],
  "no machine at all": [
    { instances: [], probes: new Map() },
    /There is no machine: nothing can run/,
    /davit token create/,
  ],
  "a task that waits for room": [
    {
      tasks: [
        task("t9", {
          lastStatus: "PROVISIONING",
          createdAt: ago(300),
          conditions: [condition("Placed", "False", "no machine has 8192 MiB")],
        }),
      ],
    },
    /Task t9 has been PROVISIONING for 5 min: no machine has 8192 MiB/,
    /davit describe task t9/,
  ],
  "a task that waits for its image": [
    {
      tasks: [
        task("t9", {
          lastStatus: "PENDING",
          createdAt: ago(300),
          containers: [
            {
              name: "main",
              image: "x",
              lastStatus: "PENDING",
              networkBindings: [],
              reason: "CannotPullContainerError: slow",
            },
          ],
        }),
      ],
    },
    /Task t9 has been PENDING for 5 min: CannotPullContainerError: slow/,
    /describe/,
  ],
  "a stop that nobody confirmed": [
    { tasks: [task("t9", { lastStatus: "STOPPED", conditions: [condition("ContainersConfirmedGone", "False")] })] },
    /Task t9 counts as stopped, but host-m1 \(m1\) has not confirmed it/,
    /davit deregister m1 --force/,
  ],
  "containers of nobody": [
    {
      probes: probes(
        answer({
          orphans: [
            { id: "1", name: "davit-web-1", task: "t", deliberate: false },
            { id: "2", name: "davit-web-2", task: "t", deliberate: false },
          ],
        }),
      ),
    },
    /host-m1 \(m1\) has 2 containers of Davit's that belong to no task of it: davit-web-1, davit-web-2/,
    /`docker rm -f davit-web-1 davit-web-2`/,
  ],
  "containers let go on purpose": [
    { probes: probes(answer({ orphans: [{ id: "1", name: "davit-orphaned-web", task: "t", deliberate: true }] })) },
    /has 1 container let go by `davit deregister --orphan`/,
    /`docker rm -f davit-orphaned-web`/,
    "note",
  ],
  "an expired token": [
    { tokens: [token("old", { expiresAt: ago(10) })] },
    /Token old \(of role viewer\) has expired/,
    /davit delete accesstoken old/,
    "note",
  ],
  "a token near its end": [
    { tokens: [token("soon", { expiresAt: ago(-86_400) })] },
    /Token soon \(of role viewer\) expires in 24 h/,
    /davit token create --role viewer/,
    "note",
  ],
  "tokens in a file": [
    { local: local({ fileTokens: 2 }) },
    /tokens\.csv holds 2 tokens that never expire\./,
    /davit token create/,
    "note",
  ],
  "rights that are too wide": [
    {
      local: local({
        modes: [
          { path: "/d/pki", mode: 0o755, folder: true, ownedByMe: true },
          { path: "/d/pki/ca.key", mode: 0o640, folder: false, ownedByMe: true },
          { path: "/d/kubeconfig", mode: 0o600, folder: false, ownedByMe: true },
        ],
      }),
    },
    /Others may look into what is secret: \/d\/pki \(0755\), \/d\/pki\/ca\.key \(0640\)\./,
    /^`chmod 700 \/d\/pki` and `chmod 600 \/d\/pki\/ca\.key`$/,
  ],
  "somebody else's file": [
    { local: local({ modes: [{ path: "/d/pki/ca.key", mode: 0o600, folder: false, ownedByMe: false }] }) },
    /not of the user that runs Davit: \/d\/pki\/ca\.key/,
    /chown/,
  ],
  "Docker out of reach": [
    { local: local({ docker: "no Docker Engine answers at /var/run/docker.sock" }) },
    /no Docker Engine answers/,
    /start and stop nothing/,
  ],
  "a process that is down": [{ local: local({ down: ["nats"] }) }, /Of this Davit nats is down/, /logs/],
};

describe("davit doctor's checks", () => {
  it("find nothing on a healthy Davit, whose page is one line", () => {
    assert.deepEqual(examine(healthy()), []);
    assert.equal(
      page(healthy(), []),
      "Davit at https://davit:7443: 2 machines, 0 services, 1 running task. Nothing is wrong.",
    );
  });

  for (const [name, [spoilt, what, remedy, note]] of Object.entries(SPOILT))
    it(`find ${name}, and nothing else, with what to do`, () => {
      const findings = examine(healthy(spoilt));
      assert.equal(findings.length, 1, JSON.stringify(findings, null, 1));
      assert.match(findings[0]?.what ?? "", what);
      assert.match(findings[0]?.remedy ?? "", remedy);
      assert.equal(findings[0]?.severity, note ?? "problem");
    });

  it("leave alone what may be so: a young task, a machine just joined, a slow answer, a machine that is gone", () => {
    const young = task("young", { lastStatus: "PENDING", createdAt: ago(59) });
    const stopping = { ...young, spec: { ...young.spec, desiredStatus: "STOPPED" as const } };
    const justJoined = instance("m3", { status: "REGISTERING", agentConnected: false });
    const facts = healthy({
      tasks: [young, stopping],
      instances: [
        instance("m1"),
        { ...justJoined, metadata: { ...justJoined.metadata, creationTimestamp: ago(30) } },
        instance("gone", {
          status: "INACTIVE",
          agentConnected: false,
          disconnectedAt: ago(1000),
          machineId: "machine-m1",
        }),
      ],
      probes: new Map([["default/m1", { ...answer({ nowMs: NOW - 9_000 }), sentMs: NOW - 20_000 }]]),
    });
    assert.deepEqual(examine(facts), []);
  });

  it("say of a host name that a silent and a connected machine share that the silent one may go; of agents of one host, nothing", () => {
    const twins = healthy({
      instances: [silent(1_000, { hostname: "box", runningTasksCount: 0 }), instance("m2", { hostname: "box" })],
    });
    const findings = examine(twins).filter(({ check }) => check === "duplicate");
    assert.match(findings[0]?.what ?? "", /2 machines have the host name box: m1 \(silent\), m2 \(connected\)/);
    assert.match(findings[0]?.remedy ?? "", /`davit deregister m1 --force`/);
    const shares = healthy({ instances: [instance("m1", { hostname: "box" }), instance("m2", { hostname: "box" })] });
    assert.deepEqual(examine(shares), []);
  });

  it("judge a machine's time by the server's clock, not by this one's", () => {
    const here = { sentMs: NOW - 100, receivedMs: NOW };
    const facts = healthy({
      diagnosis: diagnosis({ nowMs: NOW + 60_000 }),
      probes: new Map([
        ["default/m1", { ...answer({ nowMs: NOW + 60_000 }), ...here }],
        ["default/m2", { ...answer(), ...here }],
      ]),
    });
    assert.deepEqual(
      examine(facts).map(({ what }) => what.replace(/\.$/, "")),
      ["The server's clock is 60 s ahead of this machine's", "host-m2 (m2)'s clock is 60 s behind the server's"],
    );
  });

  it("show ten of many alike, and how many more there are; the problems first", () => {
    const waiting = Array.from({ length: 25 }, (_, i) => task(`t${i}`, { lastStatus: "PENDING", createdAt: ago(300) }));
    const findings = examine(healthy({ tasks: waiting, tokens: [token("old", { expiresAt: ago(1) })] }));
    assert.equal(findings.filter(isProblem).length, 11);
    assert.equal(findings[10]?.what, "15 more tasks wait.");
    assert.equal(findings.at(-1)?.severity, "note");
    assert.match(page(healthy(), findings), /11 things are wrong\.\n✗ Task t0 .*\n {4}→ `davit describe/);
  });
});

describe("davit doctor where no Davit is known yet", () => {
  it("says what the machine lacks to run one, or to join one", () => {
    const [first, second] = examinePrerequisites({
      docker: "no Docker Engine answers",
      nats: "nats-server was not found",
    });
    assert.deepEqual([first?.severity, first?.what], ["problem", "no Docker Engine answers."]);
    assert.deepEqual([second?.severity, second?.what], ["note", "nats-server was not found."]);
    assert.deepEqual(examinePrerequisites({}), []);
  });

  it("is asked of the machine itself", async () => {
    const run = (env: NodeJS.ProcessEnv) =>
      execute(process.execPath, [DAVIT, "doctor", "--data-dir", "/nowhere/davit"], env);
    const here = await run({});
    assert.equal(here.code, 0, here.stderr);
    assert.equal(
      here.stdout,
      "No Davit is known here yet (there is no /nowhere/davit/kubeconfig). Nothing is wrong.\n",
    );
    const without = await run({ DOCKER_HOST: "unix:///nowhere/docker.sock" });
    assert.equal(without.code, 1);
    assert.match(without.stdout, /1 thing is wrong\.\n✗ no Docker Engine answers at \/nowhere\/docker\.sock/);
  });
});
