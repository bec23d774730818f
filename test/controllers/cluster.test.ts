// Clusters: counters, names, defaults that are acted on, and their end.
import assert from "node:assert/strict";
import { createArns } from "../../api/arn.js";
import { getCondition } from "../../api/conditions.js";
import type { Cluster, ContainerInstance, ContainerInstanceStatus } from "../../api/types.gen.js";
import { clusterCounts } from "../../controllers/cluster/counts.js";
import { planDeletion, releasedFinalizers } from "../../controllers/cluster/deletion.js";
import { clusterStatus } from "../../controllers/cluster/status.js";
import { createTaskTally } from "../../controllers/cluster/tally.js";
import { FINALIZER } from "../../controllers/labels.js";
import { eventually } from "../support/wait.js";
import { type House, openHouse } from "./support/house.js";
import { iso, pending, running, serviceOf, stopped, T0, taskOf } from "./support/objects.js";

const clusterOf = (name = "default", parts: Partial<Cluster> = {}): Cluster => ({
  apiVersion: "davit.dev/v1",
  kind: "Cluster",
  metadata: { ...taskOf({}).metadata, name },
  spec: {},
  ...parts,
});
const doomed = (finalizers: string[], status: Cluster["status"] = {}): Cluster => {
  const cluster = clusterOf("default", { status });
  return { ...cluster, metadata: { ...cluster.metadata, deletionTimestamp: iso(T0), finalizers } };
};
const machine = (
  status: ContainerInstanceStatus["status"],
  spec: Partial<ContainerInstance["spec"]> = {},
): ContainerInstance => ({
  apiVersion: "davit.dev/v1",
  kind: "ContainerInstance",
  metadata: { ...taskOf({}).metadata, name: "i1" },
  spec: { cluster: "default", status: "ACTIVE", ...spec },
  ...(status && { status: { status } }),
});
const NONE = { services: [], instances: [], tasks: new Map() };

describe("a cluster's counters", () => {
  it("are kept by what changes", () => {
    const changed: string[] = [];
    const tally = createTaskTally((key) => changed.push(key));
    const [first, second] = [pending(), running()];
    tally.changed(undefined, first);
    tally.changed(first, second);
    assert.deepEqual([...tally.of("default/default")], [["EC2", { running: 1, pending: 0 }]]);
    tally.changed(second, { ...second });
    tally.changed(second, stopped());
    assert.deepEqual([...tally.of("default/default")], [["EC2", { running: 0, pending: 0 }]]);
    assert.equal(changed.length, 3);
  });

  it("[01-26] tasks and services are counted apart by launch type", () => {
    const tally = createTaskTally(() => undefined);
    tally.changed(undefined, running());
    tally.changed(undefined, running({ spec: { launchType: "FARGATE" } }));
    tally.changed(undefined, running({ spec: { launchType: "FARGATE" } }));
    tally.changed(undefined, pending({ spec: { launchType: "EXTERNAL" } }));
    const services = [serviceOf({ launchType: "FARGATE" }), serviceOf(), serviceOf({}, { deleting: true })];
    const { statistics, ...counts } = clusterCounts({ services, instances: [], tasks: tally.of("default/default") });
    assert.deepEqual(counts, {
      registeredContainerInstancesCount: 0,
      runningTasksCount: 3,
      pendingTasksCount: 1,
      activeServicesCount: 2,
    });
    const said = Object.fromEntries(statistics.map(({ name, value }) => [name, value]));
    assert.equal(said.runningEC2TasksCount, "1");
    assert.equal(said.runningFargateTasksCount, "2");
    assert.equal(said.pendingExternalTasksCount, "1");
    assert.equal(said.pendingEC2TasksCount, "0");
    assert.equal(said.activeFargateServiceCount, "1");
    assert.equal(said.activeEC2ServiceCount, "1");
    assert.equal(said.drainingEC2ServiceCount, "1");
  });

  it("[07-53] a machine neither ACTIVE nor DRAINING does not count", () => {
    const states = ["REGISTERING", "REGISTRATION_FAILED", "ACTIVE", "DRAINING", "DEREGISTERING", "INACTIVE"] as const;
    const counts = clusterCounts({
      ...NONE,
      instances: [machine(undefined), ...states.map((state) => machine(state))],
    });
    assert.equal(counts.registeredContainerInstancesCount, 2);
  });

  it("make no write where nothing is new", () => {
    const facts = { counts: clusterCounts(NONE), arns: createArns(), nowMs: T0 };
    const status = clusterStatus(clusterOf(), facts);
    assert.equal(status?.clusterArn, "arn:aws:ecs:local:000000000000:cluster/default");
    const again = { counts: clusterCounts(NONE), arns: createArns(), nowMs: T0 + 5 };
    assert.equal(clusterStatus(clusterOf("default", { status: status ?? {} }), again), undefined);
  });

  it("a cluster that nothing can find says so", () => {
    const facts = { counts: clusterCounts(NONE), arns: createArns(), nowMs: T0 };
    const status = clusterStatus(clusterOf("other", { spec: { clusterName: "My_Prod" } }), facts);
    const ready = getCondition(status?.conditions, "Ready");
    assert.deepEqual([ready?.status, ready?.reason], ["False", "NameMismatch"]);
    assert.match(ready?.message ?? "", /name the object my-prod-[0-9a-f]{8}/);
  });
});

describe("how a cluster goes", () => {
  const foreground = [FINALIZER.cluster, "foregroundDeletion"];
  it("at once when it holds nothing; others' finalizers stay", () => {
    assert.equal(planDeletion(doomed([FINALIZER.cluster]), NONE).waitsFor, undefined);
    const left = { services: [serviceOf({}, { deleting: true })], instances: [machine("INACTIVE")] };
    assert.equal(planDeletion(doomed([FINALIZER.cluster]), left).waitsFor, undefined);
    assert.deepEqual(releasedFinalizers(doomed([...foreground, "example.com/x"])), ["example.com/x"]);
  });
  it("without cascade it waits, touches nothing, and says for what", () => {
    const held = { services: [serviceOf(), serviceOf()], instances: [machine("ACTIVE")] };
    const plan = planDeletion(doomed([FINALIZER.cluster]), held);
    assert.deepEqual([plan.services, plan.instances], [[], []]);
    assert.deepEqual(plan.waitsFor, {
      reason: "InUse",
      message: "The cluster is being deleted, and waits until 2 services and 1 container instance are gone.",
    });
  });
  it("with cascade it takes along what it holds, and waits for its end", () => {
    const [web, going] = [serviceOf(), serviceOf({}, { deleting: true })];
    const [active, leaving] = [machine("ACTIVE"), machine("DEREGISTERING", { deregister: "Orphan" })];
    const plan = planDeletion(doomed(foreground), { services: [web, going], instances: [active, leaving] });
    assert.deepEqual(plan.services, [web]);
    assert.deepEqual(plan.instances, [active]);
    assert.equal(plan.waitsFor?.reason, "Cascading");
    assert(planDeletion(doomed(foreground), { services: [going], instances: [] }).waitsFor);
    assert.equal(
      planDeletion(doomed(foreground), { services: [], instances: [machine("INACTIVE")] }).waitsFor,
      undefined,
    );
  });
  it("a cascade is remembered where somebody else takes its finalizer off", () => {
    const facts = { counts: clusterCounts(NONE), arns: createArns(), nowMs: T0 };
    const held = { services: [serviceOf()], instances: [] };
    const { waitsFor } = planDeletion(doomed(foreground), held);
    const status = clusterStatus(doomed(foreground), { ...facts, waitsFor });
    assert.equal(status?.status, "DEPROVISIONING");
    assert.equal(planDeletion(doomed([FINALIZER.cluster], status), held).services.length, 1);
  });
});

describe("clusters at work", function () {
  this.timeout(60_000);
  let house: House;
  beforeEach(async () => {
    house = await openHouse();
  });
  afterEach(() => house.close());

  const cluster = (name = "default") => house.client.get("Cluster", { namespace: "default", name });
  const make = (name: string, spec: Cluster["spec"] = {}) =>
    house.client.create("Cluster", {
      apiVersion: "davit.dev/v1",
      kind: "Cluster",
      metadata: { namespace: "default", name },
      spec,
    });

  it("counters follow what runs", async () => {
    await house.machine("a");
    await house.define("app");
    await house.serve("web", { desiredCount: 3 });
    await house.steady("web");
    await eventually("the counters are right", async () => {
      const { status } = (await cluster()) ?? {};
      assert.deepEqual(
        [
          status?.status,
          status?.registeredContainerInstancesCount,
          status?.runningTasksCount,
          status?.pendingTasksCount,
          status?.activeServicesCount,
          status?.statistics?.find(({ name }) => name === "runningEC2TasksCount")?.value,
        ],
        ["ACTIVE", 1, 3, 0, 1, "3"],
      );
      return true;
    });
  });

  it("an empty one goes at once, by its finalizer", async () => {
    await make("brief");
    await eventually("it has its finalizer", async () =>
      (await cluster("brief"))?.metadata.finalizers?.includes(FINALIZER.cluster),
    );
    await house.client.delete("Cluster", { namespace: "default", name: "brief" });
    await eventually("it is gone", async () => (await cluster("brief")) === undefined);
  });

  it("[01-24] with cascade its services and machines go first; without, all stays", async () => {
    await make("fall");
    const machine = await house.machine("b", { cluster: "fall" });
    await house.define("app");
    const { metadata: web } = await house.serve("web", { cluster: "fall", desiredCount: 2 });
    await house.steady("web");
    const ref = { namespace: "default", name: "fall" };
    await assert.rejects(house.client.delete("Cluster", ref), /cannot be deleted while Services are active/);
    assert.equal((await house.running()).length, 2);

    await house.client.delete("Cluster", ref, { propagationPolicy: "Foreground" });
    await eventually("the cluster is gone", async () => (await cluster("fall")) === undefined);
    assert.equal(await house.service(web.name), undefined);
    assert.deepEqual(await house.running(), []);
    const left = await house.client.get("ContainerInstance", { namespace: "default", name: machine.id });
    assert.deepEqual([left?.spec.deregister, left?.status?.status], ["Force", "INACTIVE"]);
  });

  it("where nothing was refused it waits until it is empty, says for what, and deletes nothing", async () => {
    await make("busy");
    const ref = { namespace: "default", name: "busy" };
    await eventually("it has its finalizer", async () => (await cluster("busy"))?.metadata.finalizers !== undefined);
    // As a Kubernetes server has it: marked as deleted while something is in it.
    await house.stopControllers();
    await house.client.delete("Cluster", ref);
    const { metadata: web } = await house.serve("web", { cluster: "busy", desiredCount: 0 });
    await house.startControllers();
    const waiting = await eventually("it waits", async () => {
      const now = await cluster("busy");
      return now?.status?.status === "DEPROVISIONING" && now;
    });
    const ready = getCondition(waiting.status?.conditions, "Ready");
    assert.deepEqual(
      [ready?.reason, ready?.message],
      ["InUse", "The cluster is being deleted, and waits until 1 service is gone."],
    );
    assert.equal((await house.service("web"))?.metadata.deletionTimestamp, undefined);
    await house.client.delete("Service", web);
    await eventually("it is gone", async () => (await cluster("busy")) === undefined);
  });

  it("stoppedTaskRetention bounds what is kept, per cluster and per task set", async () => {
    await house.machine("a");
    await house.define("app");
    const keep = (stoppedTaskRetention: object) =>
      house.client.patch("Cluster", { namespace: "default", name: "default" }, { spec: { stoppedTaskRetention } });
    await keep({ perTaskSet: 1, perCluster: 100 });
    await house.serve("web", { desiredCount: 3 });
    for (const count of [0, 3, 0]) {
      await house.steady("web");
      await house.client.patch("Service", { namespace: "default", name: "web" }, { spec: { desiredCount: count } });
    }
    const stoppedNow = async () =>
      (await house.tasks()).filter(({ status }) => status?.lastStatus === "STOPPED").length;
    await eventually(
      "one of six is kept",
      async () => (await house.running()).length === 0 && (await stoppedNow()) === 1,
    );
    await keep({ perTaskSet: 1, perCluster: 0 });
    await eventually("none is kept", async () => (await stoppedNow()) === 0);
  });
});
