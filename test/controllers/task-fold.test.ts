import assert from "node:assert/strict";
import { createArns } from "../../api/arn.js";
import type { ContainerDefinition, HealthStatus, Task, TaskContainer } from "../../api/types.gen.js";
import { type FoldFacts, foldReport } from "../../controllers/task/fold.js";
import { taskHealth } from "../../controllers/task/health.js";
import { portsColumn } from "../../controllers/task/ports.js";
import { stopAskedStatus } from "../../controllers/task/status.js";
import {
  containerOf,
  containerReport,
  iso,
  pending,
  reportOf,
  running,
  stopped,
  T0,
  taskOf,
} from "./support/objects.js";

const app: TaskContainer = { name: "app", image: "busybox", lastStatus: "PENDING", networkBindings: [] };
const facts = (definitions: ContainerDefinition[] = [containerOf()]): FoldFacts => ({
  nowMs: T0 + 5_000,
  definitions,
  minHealthySeconds: 40,
  address: "10.0.0.7",
  arns: createArns(),
});
const fresh = (): Task => pending({ status: { containers: [app] } });

describe("a report folded into a task's status", () => {
  it("RUNNING: state, time, version one on, and healthy 40 s later where nothing checks", () => {
    const status = foldReport(fresh(), reportOf(), facts());
    assert.equal(status?.lastStatus, "RUNNING");
    assert.equal(status?.version, 2);
    assert.equal(status?.startedAt, iso(T0 + 5_000));
    assert.equal(status?.healthyAt, iso(T0 + 45_000));
    assert.equal(status?.conditions?.find(({ type }) => type === "Ready")?.status, "True");
  });
  it("the same report again changes nothing", () => {
    const status = foldReport(fresh(), reportOf(), facts());
    assert.equal(foldReport(taskOf({ status: status ?? {} }), reportOf({ seq: 2 }), facts()), undefined);
  });
  it("with a check: healthy while it says so", () => {
    const checked = facts([containerOf({ healthCheck: { command: ["CMD", "true"] } })]);
    const health = (value: HealthStatus) =>
      reportOf({ containers: [containerReport({ health: value, startedAtMs: T0 })] });
    const unknown = foldReport(fresh(), health("UNKNOWN"), checked);
    assert.equal(unknown?.healthyAt, undefined);
    const healthy = foldReport(taskOf({ status: unknown ?? {} }), health("HEALTHY"), checked);
    assert.deepEqual([healthy?.healthStatus, healthy?.healthyAt], ["HEALTHY", iso(T0 + 5_000)]);
    const sick = foldReport(taskOf({ status: healthy ?? {} }), health("UNHEALTHY"), checked);
    assert.deepEqual([sick?.healthStatus, sick?.healthyAt, sick?.version], ["UNHEALTHY", undefined, 4]);
  });
  it("never goes back: a late PENDING after RUNNING, anything after STOPPED", () => {
    const late = foldReport(
      running({ status: { containers: [{ ...app, lastStatus: "RUNNING" }] } }),
      reportOf({ state: "PENDING" }),
      facts(),
    );
    assert.notEqual(late?.lastStatus, "PENDING");
    assert.equal(foldReport(stopped(), reportOf(), facts()), undefined);
  });
  it("STOPPED: exit code, reason and words of the agent; the containers end with it", () => {
    const report = reportOf({
      state: "STOPPED",
      stopCode: "EssentialContainerExited",
      stoppedReason: "Essential container in task exited",
      containers: [containerReport({ lastStatus: "STOPPED", exitCode: 3, startedAtMs: T0, finishedAtMs: T0 + 1_000 })],
    });
    const status = foldReport(
      running({ status: { containers: [{ ...app, lastStatus: "RUNNING" }] } }),
      report,
      facts(),
    );
    assert.deepEqual(
      [
        status?.lastStatus,
        status?.desiredStatus,
        status?.stopCode,
        status?.stoppedReason,
        status?.containers?.[0]?.exitCode,
      ],
      ["STOPPED", "STOPPED", "EssentialContainerExited", "Essential container in task exited", 3],
    );
    assert.deepEqual([status?.stoppedAt, status?.executionStoppedAt], [iso(T0 + 5_000), iso(T0 + 1_000)]);
  });
  it("a start that failed leaves no startedAt; a run too short to be seen leaves one", () => {
    const failed = reportOf({ state: "STOPPED", stopCode: "TaskFailedToStart", containers: [] });
    assert.equal(foldReport(fresh(), failed, facts())?.startedAt, undefined);
    const short = reportOf({
      state: "STOPPED",
      stopCode: "EssentialContainerExited",
      containers: [containerReport({ lastStatus: "STOPPED", exitCode: 1, startedAtMs: T0, finishedAtMs: T0 })],
    });
    assert.equal(foldReport(fresh(), short, facts())?.startedAt, iso(T0 + 5_000));
  });
  it("who asked for the stop says why, whatever the agent says", () => {
    const asked = running({
      status: { desiredStatus: "STOPPED", stopCode: "UserInitiated", stoppedReason: "because" },
    });
    const status = foldReport(asked, reportOf({ state: "STOPPED", stopCode: "EssentialContainerExited" }), facts());
    assert.deepEqual([status?.stopCode, status?.stoppedReason], ["UserInitiated", "because"]);
  });
  it("[09-20] a running container without ports has networkBindings []", () =>
    assert.deepEqual(foldReport(fresh(), reportOf(), facts())?.containers?.[0]?.networkBindings, []));
  it("ports appear in the column", () => {
    const networkBindings = [{ bindIP: "0.0.0.0", hostPort: 32768, containerPort: 80, protocol: "tcp" as const }];
    const status = foldReport(fresh(), reportOf({ containers: [containerReport({ networkBindings })] }), facts());
    assert.equal(status?.ports, "10.0.0.7:32768→80/tcp");
  });
});

describe("a task's health", () => {
  const check = { command: ["CMD", "true"] };
  const rows: [string, ContainerDefinition[], Record<string, HealthStatus>, HealthStatus][] = [
    ["no check at all", [containerOf()], {}, "UNKNOWN"],
    [
      "[02-29] essentials HEALTHY, a non-essential UNHEALTHY",
      [containerOf({ healthCheck: check }), containerOf({ name: "side", essential: false, healthCheck: check })],
      { app: "HEALTHY", side: "UNHEALTHY" },
      "HEALTHY",
    ],
    [
      "[02-30] an essential UNHEALTHY",
      [containerOf({ healthCheck: check }), containerOf({ name: "b", healthCheck: check })],
      { app: "HEALTHY", b: "UNHEALTHY" },
      "UNHEALTHY",
    ],
    [
      "[02-30] an essential UNKNOWN",
      [containerOf({ healthCheck: check }), containerOf({ name: "b", healthCheck: check })],
      { app: "UNKNOWN", b: "HEALTHY" },
      "UNKNOWN",
    ],
    [
      "UNHEALTHY before UNKNOWN",
      [containerOf({ healthCheck: check }), containerOf({ name: "b", healthCheck: check })],
      { app: "UNKNOWN", b: "UNHEALTHY" },
      "UNHEALTHY",
    ],
  ];
  for (const [title, definitions, health, expected] of rows) {
    it(title, () =>
      assert.equal(
        taskHealth(definitions, (name) => health[name]),
        expected,
      ),
    );
  }
});

describe("a stop that was asked for", () => {
  const asked = { desiredStatus: "STOPPED" as const, stopReason: "enough" };
  it("[06-35] desiredStatus is STOPPED at once, lastStatus has its way to go", () => {
    const status = stopAskedStatus(running({ spec: asked }), T0);
    assert.deepEqual([status?.desiredStatus, status?.lastStatus, status?.version], ["STOPPED", "RUNNING", 3]);
    assert.deepEqual([status?.stopCode, status?.stoppedReason], ["UserInitiated", "enough"]);
  });
  it("is said once", () =>
    assert.equal(stopAskedStatus(running({ spec: asked, status: { desiredStatus: "STOPPED" } }), T0), undefined));
  it("a task that never had a machine is STOPPED with it", () => {
    const status = stopAskedStatus(taskOf({ spec: asked, status: { lastStatus: "PROVISIONING", version: 1 } }), T0);
    assert.deepEqual([status?.lastStatus, status?.version, status?.stoppedAt], ["STOPPED", 2, iso(T0)]);
  });
});

describe("the ports column", () => {
  it("one entry per port, the machine's address where it is every address", () => {
    const binding = (bindIP: string, hostPort: number) => ({
      bindIP,
      hostPort,
      containerPort: 80,
      protocol: "tcp" as const,
    });
    const containers = [
      { ...app, networkBindings: [binding("0.0.0.0", 8080), binding("::", 8080), binding("127.0.0.1", 81)] },
    ];
    assert.equal(portsColumn(containers, "10.0.0.7"), "10.0.0.7:8080→80/tcp,127.0.0.1:81→80/tcp");
  });
});
