// What drain, uncordon and the page of a machine make of what they read.
import assert from "node:assert/strict";
import type { Condition } from "../../api/meta.js";
import type { Cluster, ContainerInstance, ContainerInstanceStatus, Service, Task } from "../../api/types.gen.js";
import { momentMs, timeoutMs } from "../../cli/arguments.js";
import { progressOf } from "../../cli/drain.js";
import { machineContents, shortTime } from "../../cli/output/machine-page.js";
import { page } from "../../cli/output/page.js";
import { iso, pending, running, serviceOf, T0, taskOf } from "../controllers/support/objects.js";

const machine = (
  spec: Partial<ContainerInstance["spec"]> = {},
  status: ContainerInstanceStatus = {},
  generation = 1,
): ContainerInstance => ({
  apiVersion: "davit.dev/v1",
  kind: "ContainerInstance",
  metadata: {
    name: "m1",
    namespace: "default",
    uid: "u",
    resourceVersion: "1",
    generation,
    creationTimestamp: iso(T0),
  },
  spec: { cluster: "default", ...spec },
  status: { status: "ACTIVE", hostname: "db-3", epoch: 1, agentConnected: true, ...status },
});
const drained = (status: "True" | "False", reason: string, message: string, observedGeneration = 1): Condition => ({
  type: "Drained",
  status,
  reason,
  message,
  observedGeneration,
  lastTransitionTime: iso(T0),
});

describe("durations and moments on the command line", () => {
  for (const [typed, ms] of [
    ["90", 90_000],
    ["90s", 90_000],
    ["10m", 600_000],
    ["2h", 7_200_000],
    ["1h30m", 5_400_000],
    ["1d", 86_400_000],
  ] as const)
    it(`${typed} is ${ms} ms`, () => assert.equal(timeoutMs(typed), ms));
  for (const typed of ["", "x", "10x", "-5s", "1h 30m", "1h30", "s"])
    it(`${JSON.stringify(typed)} is refused`, () => assert.throws(() => timeoutMs(typed), /must be/));
  it("a moment is from now on, or a time with its zone", () => {
    assert.equal(momentMs("+30m")(T0), T0 + 1_800_000);
    assert.equal(momentMs("2026-03-01T13:00:00+01:00")(0), T0);
    for (const typed of ["tomorrow", "2026-03-01", "2026-03-01T12:00:00", "2026-13-01T12:00:00Z", "+x"])
      assert.throws(() => momentMs(typed), /must be/, typed);
  });
});

describe("what davit drain --wait waits for", () => {
  const wish = machine({ status: "DRAINING" }, {}, 2);
  const now = (conditions: Condition[], spec: Partial<ContainerInstance["spec"]> = { status: "DRAINING" }) =>
    progressOf(wish, machine(spec, { status: "DRAINING", conditions }, 2));
  it("says the condition's reason and message", () =>
    assert.deepEqual(now([drained("False", "Blocked", "floor 4, ceiling 4.", 2)]), {
      over: false,
      text: "Blocked: floor 4, ceiling 4.",
    }));
  it("is over when nothing is left, and when the machine has gone", () => {
    assert.equal(now([drained("True", "Empty", "", 2)]).over, true);
    assert.equal(progressOf(wish, undefined).over, true);
    assert.equal(progressOf(wish, machine({}, { status: "INACTIVE" })).over, true);
  });
  it("does not take the condition of an earlier drain for its own", () =>
    assert.equal(now([drained("True", "Empty", "", 1)]).over, false));
  it("ends when somebody has taken the drain back", () =>
    assert.throws(() => progressOf(wish, machine({ status: "ACTIVE" }, {}, 3)), /taken the drain back/));
  it("waits for drainAt", () => {
    const drainAt = "2999-01-01T00:00:00Z";
    assert.deepEqual(progressOf(machine({ drainAt }), machine({ drainAt })), {
      over: false,
      text: `drains at ${drainAt}`,
    });
  });
});

describe("a machine's page", () => {
  const on = { spec: { containerInstance: "m1" } };
  const owned = (task: Task, service: string): Task => ({
    ...task,
    metadata: {
      ...task.metadata,
      labels: { "davit.dev/service": service },
      ownerReferences: [
        {
          apiVersion: "davit.dev/v1",
          kind: "TaskSet",
          name: "web-1",
          uid: "s",
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
  });
  const cluster = { spec: { lostInstances: { afterSeconds: 60 } } } as Cluster;
  const web: Service = serviceOf({ lostInstances: { onReturn: "ORIGINAL" } });
  const tasks = [
    owned(running({ name: "a", ...on }), "web"),
    owned(pending({ name: "b", ...on }), "web"),
    owned(running({ name: "c", spec: { ...on.spec, desiredStatus: "STOPPED" } }), "web"),
    owned(running({ name: "elsewhere", spec: { containerInstance: "m2" } }), "web"),
    running({ name: "job", ...on }),
    taskOf({ name: "waits" }),
  ];
  const text = (of: ContainerInstance, nowMs = T0) =>
    page(of, nowMs, { machine: machineContents(of, cluster, [web], tasks) });
  const silent = (disconnectedAtMs: number): ContainerInstance =>
    machine({}, { agentConnected: false, disconnectedAt: iso(disconnectedAtMs) });

  it("counts its tasks by service, with what becomes of each when it stays silent", () => {
    assert.match(
      text(machine()),
      /^ {2}web +1 +1 +1 +replaced at 1 min, until it is back\n {2}\(standalone\) +1 +0 +0 +replaced at 1 min$/m,
    );
    assert.match(text(machine()), /^Agent: +connected$/m);
  });
  it("counts for how long it is silent, and says what comes then: each service's own, where they differ", () => {
    assert.match(text(silent(T0 - 40_000)), /^Agent: +silent 40 s; what becomes of its tasks differs, see below$/m);
    const alone = page(silent(T0 - 40_000), T0, {
      machine: machineContents(silent(T0), undefined, [], tasks.slice(4)),
    });
    assert.match(alone, /^Agent: +silent 40 s; tasks replaced at 5 min$/m);
    const kept = { spec: { lostInstances: { action: "KEEP" } } } as Cluster;
    const contents = machineContents(silent(T0), kept, [], []);
    assert.match(
      page(silent(T0 - 7_500_000), T0, { machine: contents }),
      /silent 2 h 5 min; tasks are kept as they are$/m,
    );
  });
  it("tells how its drain goes, service by service", () => {
    const conditions = [
      drained("False", "Draining", "service api (1 task): stopping; service web (2 tasks): replacements: 2 starting."),
    ];
    assert.match(
      text(machine({ status: "DRAINING" }, { status: "DRAINING", conditions })),
      /^Drain:\n {2}Draining: service api \(1 task\): stopping;\n {2}service web \(2 tasks\): replacements: 2 starting\.$/m,
    );
    assert.match(text(machine({ drainAt: "2999-01-01T00:00:00Z" })), /^Drains: +at 2999-01-01T00:00:00Z$/m);
  });
  it("shows resources, ports and who holds them, attributes, versions and tags", () => {
    const ports = (name: string, list: string[]) => ({ name, type: "STRINGSET" as const, stringSetValue: list });
    const cpu = (integerValue: number) => ({ name: "CPU", type: "INTEGER" as const, integerValue });
    const shown = text(
      machine(
        { tags: [{ key: "rack", value: "r7" }], attributes: [{ name: "disk", value: "ssd" }] },
        {
          registeredResources: [cpu(4096), ports("PORTS", ["22"])],
          remainingResources: [cpu(3072), ports("PORTS", ["22", "8080"])],
          versionInfo: { agentVersion: "0.2.0", dockerVersion: "DockerVersion: 26.1" },
          portRange: "8000-8999",
        },
      ),
    );
    for (const line of [
      /^ {2}CPU +4096 +3072$/m,
      /^ {2}PORTS +8000-8999 +reserved 22; in use 8080$/m,
      /^ {2}disk +ssd$/m,
      /^Versions: +agent 0\.2\.0, Docker 26\.1$/m,
      /^Tags: +rack=r7$/m,
    ])
      assert.match(shown, line);
  });
  it("writes times in their two greatest units", () =>
    assert.deepEqual([0, 40_000, 300_000, 260_000, 11_100_000, 187_200_000].map(shortTime), [
      "0 s",
      "40 s",
      "5 min",
      "4 min 20 s",
      "3 h 5 min",
      "2 d 4 h",
    ]));
});
