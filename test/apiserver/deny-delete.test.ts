// What keeps an object from being deleted: other objects, by the annotation of its kind's CRD.
import assert from "node:assert/strict";
import { objectName } from "../../api/names.js";
import { deletionStages } from "../../apiserver/namespace-emptier.js";
import { denyDeleteRules } from "../../apiserver/resources/deny-delete.js";
import { loadResources } from "../../apiserver/resources/load.js";
import { DELETION_DENIED } from "../../client/object-client.js";
import { type Kubectl, kubectls } from "../support/kubectl.js";
import { eventually } from "../support/wait.js";
import { CLUSTERS, cluster, SERVICES, service } from "./support/objects.js";
import { startServer, type TestServer } from "./support/server.js";

const INSTANCES = SERVICES.replace("services", "containerinstances");
const TASKS = SERVICES.replace("services", "tasks");
const NAMESPACES = "/api/v1/namespaces";
const ID = "0123456789abcdef0123456789abcdef";
const MERGE = { "Content-Type": "application/merge-patch+json" };

const object = (kind: string, name: string, spec: object, metadata: object = {}) => ({
  apiVersion: "davit.dev/v1",
  kind,
  metadata: { name, ...metadata },
  spec,
});
const machine = (name: string, clusterName: string) => object("ContainerInstance", name, { cluster: clusterName });
const task = (name: string, containerInstance: string) =>
  object("Task", name, { taskDefinition: "web:1", containerInstance });

describe("deletion that other objects stand in the way of", function () {
  this.timeout(30_000);
  let server: TestServer;
  let kubectl: Kubectl;
  let all: Kubectl[];

  before(async () => {
    server = await startServer("deny-delete");
    all = kubectls(server.kubeconfig);
    const [first] = all;
    assert(first);
    kubectl = first;
  });
  after(async () => {
    for (const each of all) each.remove();
    await server.close();
    assert.deepEqual(server.errors, []);
  });

  const post = async (path: string, body: object) => {
    const answer = await server.call("POST", path, body);
    assert.equal(answer.code, 201, answer.body.message);
    return answer.body;
  };
  const exists = async (path: string) => (await server.call("GET", path)).code === 200;
  const setStatus = async (path: string, status: object) => {
    const { code, body } = await server.call("PATCH", `${path}/status`, { status }, MERGE);
    assert.equal(code, 200, body.message);
  };
  const remove = (path: string, body?: object) => server.call("DELETE", path, body);
  const gone = async (path: string) => assert.equal((await remove(path)).code, 200);

  it("[01-19][01-20][01-21] a cluster stays while it holds services or machines, and goes after them", async () => {
    await post(CLUSTERS, cluster("prod"));
    await post(SERVICES, service("web.prod", { cluster: "prod", serviceName: "web" }));
    await post(SERVICES, service("api.prod", { cluster: "arn:aws:ecs:local:000000000000:cluster/prod" }));
    await post(SERVICES, service("elsewhere"));
    await post(INSTANCES, machine(ID, "prod"));
    await setStatus(`${INSTANCES}/${ID}`, { status: "DRAINING" });

    const refused = await kubectl(["delete", "cluster", "prod"]);
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /\(Conflict\): .*clusters\.davit\.dev "prod": The Cluster cannot be deleted while Services are active\. \(2 services: api\.prod, web\.prod\) The Cluster cannot be deleted while Container Instances are active or draining\. \(1 containerinstance: 0123.*Foreground/s,
    );
    const { code, body } = await remove(`${CLUSTERS}/prod`);
    assert.deepEqual([code, body.reason], [409, "Conflict"]);
    assert.deepEqual(
      body.details.causes?.map(({ reason, field }) => [reason, field]),
      [
        [DELETION_DENIED, "services"],
        [DELETION_DENIED, "containerinstances"],
      ],
    );
    assert.equal((await remove(`${CLUSTERS}/prod?dryRun=All`)).code, 409);
    assert.equal((await server.call("GET", `${CLUSTERS}/prod`)).body.metadata.deletionTimestamp, undefined);

    await gone(`${SERVICES}/web.prod`);
    await gone(`${SERVICES}/api.prod`);
    const machines = await remove(`${CLUSTERS}/prod`);
    assert.deepEqual(
      machines.body.details.causes?.map(({ field }) => field),
      ["containerinstances"],
    );
    await setStatus(`${INSTANCES}/${ID}`, { status: "INACTIVE" });
    const { code: done, stderr } = await kubectl(["delete", "cluster", "prod"]);
    assert.equal(done, 0, stderr);
    assert(!(await exists(`${CLUSTERS}/prod`)));
    await gone(`${INSTANCES}/${ID}`);
    await gone(`${SERVICES}/elsewhere`);
  });

  it("[08-32] a service with desired count 0 keeps its cluster; one that is being deleted does not", async () => {
    await post(CLUSTERS, cluster("idle"));
    await post(SERVICES, service("zero", { cluster: "idle", desiredCount: 0 }, { finalizers: ["davit.dev/test"] }));
    assert.equal((await remove(`${CLUSTERS}/idle`)).code, 409);
    assert(await exists(`${CLUSTERS}/idle`));
    await gone(`${SERVICES}/zero`);
    assert(await exists(`${SERVICES}/zero`), "its finalizer keeps the service");
    await gone(`${CLUSTERS}/idle`);
    await server.call("PATCH", `${SERVICES}/zero`, { metadata: { finalizers: null } }, MERGE);
  });

  it("a name that is no DNS label is found by its derived one, and a field left out means its default", async () => {
    const derived = objectName("My_Prod");
    await post(CLUSTERS, cluster(derived, { clusterName: "My_Prod" }));
    await post(SERVICES, service("a", { cluster: "My_Prod" }));
    assert.equal((await remove(`${CLUSTERS}/${derived}`)).code, 409);
    await gone(`${SERVICES}/a`);
    await gone(`${CLUSTERS}/${derived}`);
    await post(SERVICES, service("b"));
    assert.equal((await remove(`${CLUSTERS}/default`)).code, 409);
    await gone(`${SERVICES}/b`);
  });

  it("a machine stays while tasks run on it, unless it is said what becomes of them", async () => {
    await post(INSTANCES, machine(ID, "default"));
    await post(TASKS, task("t1", ID));
    await post(TASKS, task("t2", ID));
    await setStatus(`${TASKS}/t2`, { lastStatus: "STOPPED" });
    const { code, body } = await remove(`${INSTANCES}/${ID}`);
    assert.equal(code, 409);
    assert.match(body.message ?? "", /Found running tasks on the instance\..*\(1 task: t1\)/);
    await server.call("PATCH", `${INSTANCES}/${ID}`, { spec: { deregister: "Force" } }, MERGE);
    await gone(`${INSTANCES}/${ID}`);
    await gone(`${TASKS}/t1`);
    await gone(`${TASKS}/t2`);
  });

  it("Foreground marks it, and leaves the rest to the kind's controller", async () => {
    await post(CLUSTERS, cluster("fall"));
    await post(SERVICES, service("in", { cluster: "fall" }));
    const { code, stderr } = await kubectl(["delete", "cluster", "fall", "--cascade=foreground", "--wait=false"]);
    assert.equal(code, 0, stderr);
    const { metadata } = (await server.call("GET", `${CLUSTERS}/fall`)).body;
    assert.deepEqual(metadata.finalizers, ["foregroundDeletion"]);
    assert(metadata.deletionTimestamp);
    assert.equal((await remove(`${CLUSTERS}/fall`)).code, 200, "it is being deleted already");
    await server.call("PATCH", `${CLUSTERS}/fall`, { metadata: { finalizers: null } }, MERGE);
    assert(!(await exists(`${CLUSTERS}/fall`)));
    await gone(`${SERVICES}/in`);
  });

  it("Foreground may come after a deletion that waits", async () => {
    await post(CLUSTERS, { ...cluster("late"), metadata: { name: "late", finalizers: ["davit.dev/test"] } });
    await gone(`${CLUSTERS}/late`);
    await remove(`${CLUSTERS}/late`, { propagationPolicy: "Foreground" });
    const { metadata } = (await server.call("GET", `${CLUSTERS}/late`)).body;
    assert.deepEqual(metadata.finalizers, ["davit.dev/test", "foregroundDeletion"]);
    await server.call("PATCH", `${CLUSTERS}/late`, { metadata: { finalizers: null } }, MERGE);
  });

  it("a namespace is emptied all the same: machines after tasks, clusters last", async () => {
    await post(NAMESPACES, { apiVersion: "v1", kind: "Namespace", metadata: { name: "team" } });
    const inTeam = (path: string) => path.replace("/default/", "/team/");
    await post(inTeam(CLUSTERS), cluster("prod"));
    await post(inTeam(SERVICES), service("web", { cluster: "prod" }));
    await post(inTeam(INSTANCES), machine(ID, "prod"));
    await post(
      inTeam(TASKS),
      object("Task", "t", { taskDefinition: "w:1", containerInstance: ID }, { finalizers: ["davit.dev/test"] }),
    );
    assert.equal((await remove(`${NAMESPACES}/team`)).code, 200);
    await eventually("the service is gone", async () => !(await exists(inTeam(`${SERVICES}/web`))));
    await eventually("the task is asked to go", async () => {
      const { body } = await server.call("GET", inTeam(`${TASKS}/t`));
      return body.metadata.deletionTimestamp !== undefined;
    });
    assert(await exists(inTeam(`${INSTANCES}/${ID}`)), "its machine waits for the task");
    await server.call("PATCH", inTeam(`${TASKS}/t`), { metadata: { finalizers: null } }, MERGE);
    await eventually("the namespace is gone", async () => !(await exists(`${NAMESPACES}/team`)));
  });

  it("what has lost its owner, and is held, is collected once it is held no longer", async () => {
    const owner = await post(SERVICES, service("owner"));
    const { name, uid } = owner.metadata;
    const ownerReferences = [{ apiVersion: "davit.dev/v1", kind: "Service", name, uid }];
    await post(CLUSTERS, { ...cluster("owned"), metadata: { name: "owned", ownerReferences } });
    await post(SERVICES, service("in", { cluster: "owned" }));
    await gone(`${SERVICES}/owner`);
    const other = await post(SERVICES, service("other", {}, { ownerReferences }));
    await eventually("the collector has gone on", async () => !(await exists(`${SERVICES}/${other.metadata.name}`)));
    assert(await exists(`${CLUSTERS}/owned`));
    await gone(`${SERVICES}/in`);
    await eventually("it is collected", async () => !(await exists(`${CLUSTERS}/owned`)));
  });

  it("the stages of emptying follow the rules of the shipped kinds", () => {
    const stages = deletionStages(loadResources().all.filter(({ namespaced }) => namespaced));
    assert.deepEqual(
      stages.slice(1).map((stage) => stage.map(({ kind }) => kind)),
      [["ContainerInstance"], ["Cluster"]],
    );
  });

  describe("an annotation that is wrong is an error at the start", () => {
    const annotated = (text: string) => () => denyDeleteRules({ "davit.dev/deny-delete-while": text });
    for (const [what, text, error] of [
      ["no list", "resource: services", /must be a list/],
      ["no field", "- {resource: services, message: m}", /resource, field and message are required/],
      ["an unknown key", "- {resource: s, field: f, message: m, when: x}", /when: must be one of/],
      ["no term", "- {resource: s, field: f, message: m, where: status}", /"status" is no term/],
    ] as const)
      it(what, () => assert.throws(annotated(text), error));
  });
});
