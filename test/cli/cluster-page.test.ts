// A cluster's page.
import assert from "node:assert/strict";
import type { Cluster, ContainerInstance, Service } from "../../api/types.gen.js";
import { clusterContents } from "../../cli/output/cluster-page.js";
import { page } from "../../cli/output/page.js";

const T0 = Date.parse("2026-03-01T12:00:00.000Z");
const metadata = (name: string, deleted = false) => ({
  name,
  namespace: "default",
  uid: "u",
  resourceVersion: "1",
  generation: 1,
  creationTimestamp: new Date(T0).toISOString(),
  ...(deleted && { deletionTimestamp: new Date(T0).toISOString() }),
});
const cluster: Cluster = {
  apiVersion: "davit.dev/v1",
  kind: "Cluster",
  metadata: metadata("prod"),
  spec: { lostInstances: { afterSeconds: 60 }, stoppedTaskRetention: { perCluster: 20 }, logRetentionInDays: 7 },
  status: {
    status: "ACTIVE",
    registeredContainerInstancesCount: 2,
    runningTasksCount: 5,
    pendingTasksCount: 1,
    activeServicesCount: 1,
    statistics: [
      { name: "runningEC2TasksCount", value: "3" },
      { name: "runningFargateTasksCount", value: "2" },
      { name: "drainingEC2ServiceCount", value: "0" },
    ],
  },
};
const service = (name: string, clusterName: string, deleted = false): Service => ({
  apiVersion: "davit.dev/v1",
  kind: "Service",
  metadata: metadata(name, deleted),
  spec: { taskDefinition: "web", cluster: clusterName },
});
const machine = (name: string, status: "ACTIVE" | "INACTIVE"): ContainerInstance => ({
  apiVersion: "davit.dev/v1",
  kind: "ContainerInstance",
  metadata: metadata(name),
  spec: { cluster: "prod", status: "ACTIVE" },
  status: { status, hostname: `host-${name}` },
});

describe("davit describe cluster", () => {
  it("counters apart by launch type, defaults that hold, and what is in the way of its deletion", () => {
    const contents = clusterContents(
      cluster,
      [service("web", "prod"), service("going", "prod", true), service("other", "default")],
      [machine("a", "ACTIVE"), machine("b", "INACTIVE")],
    );
    const text = page(cluster, T0, { cluster: contents });
    assert.match(text, /^Tasks: +5 running, 1 pending$/m);
    assert.match(text, /^Deletion: +refused while it holds 1 service \(web\) and 1 machine \(host-a\)$/m);
    assert.match(text, /Tasks of a lost machine +replaced after 60 s; who wins on return: REPLACEMENT/);
    assert.match(text, /Stopped tasks kept +5 per task set, 20 in the cluster/);
    assert.match(text, /Logs kept +7 days \(not acted on yet\)/);
    assert.match(text, /runningFargateTasksCount +2/);
    assert.doesNotMatch(text, /drainingEC2ServiceCount/);
  });
  it("an empty one may go", () => {
    assert.match(
      page(cluster, T0, { cluster: clusterContents(cluster, [], []) }),
      /^Deletion: +possible: it holds nothing$/m,
    );
  });
});
