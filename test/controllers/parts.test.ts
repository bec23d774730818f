// The smaller parts: the ledger's feeding, sessions, retention, machines' status, writes by compare-and-set.
import assert from "node:assert/strict";
import { createArns, ecsId } from "../../api/arn.js";
import type { ContainerInstance, Task } from "../../api/types.gen.js";
import { apiError, type ObjectClient } from "../../client/object-client.js";
import type { Deps } from "../../controllers/deps.js";
import { registered } from "../../controllers/instance/registration.js";
import { Session } from "../../controllers/instance/session.js";
import { asWanted, connected, loaded } from "../../controllers/instance/status.js";
import { queueMetrics } from "../../controllers/metrics.js";
import { createObjects } from "../../controllers/objects.js";
import { createPace } from "../../controllers/pace.js";
import { createScheduler } from "../../controllers/scheduler.js";
import { createRetentionReconciler, isRemovable } from "../../controllers/task/retention.js";
import { surplusStopped } from "../../controllers/taskset/retention.js";
import { tellApart } from "../../controllers/taskset/slots.js";
import { iso, pending, revisionOf, running, stopped, syncOf, T0, taskOf } from "./support/objects.js";

const definition = revisionOf(1).spec;
const machine = (name: string, memory = 64): ContainerInstance => ({
  apiVersion: "davit.dev/v1",
  kind: "ContainerInstance",
  metadata: { ...taskOf({}).metadata, name },
  spec: { cluster: "default", status: "ACTIVE" },
  status: {
    status: "ACTIVE",
    agentConnected: true,
    epoch: 1,
    version: 1,
    registeredResources: [
      { name: "CPU", type: "INTEGER", integerValue: 1024 },
      { name: "MEMORY", type: "INTEGER", integerValue: memory },
      { name: "PORTS", type: "STRINGSET", stringSetValue: [] },
      { name: "PORTS_UDP", type: "STRINGSET", stringSetValue: [] },
    ],
  },
});
const applicant = (name: string) => ({
  namespace: "default",
  name,
  cluster: "default",
  group: "service:web",
  kind: "service" as const,
  definition,
});

describe("the scheduler's ledger", () => {
  const scheduler = () => {
    const rooms: string[] = [];
    const made = createScheduler({ definitionOf: () => definition });
    made.onRoom((cluster) => rooms.push(cluster));
    made.sawInstance(machine("i1"));
    return { made, rooms };
  };
  const bound = (name: string, parts: Partial<Task["status"]> = {}): Task =>
    pending({ name, spec: { containerInstance: "i1" }, status: { taskDefinition: "app:1", ...parts } });

  it("holds what it has assigned before anybody has seen it, and no more than there is", () => {
    const { made } = scheduler();
    assert.deepEqual(made.assign(applicant("a")), { instance: "i1" });
    assert.deepEqual(made.assign(applicant("b")), { instance: "i1" });
    assert.ok("unplaced" in made.assign(applicant("c")));
  });
  it("gives back what was not made after all", () => {
    const { made } = scheduler();
    made.assign(applicant("a"));
    made.assign(applicant("b"));
    made.release({ namespace: "default", name: "a" }, "default");
    assert.deepEqual(made.assign(applicant("c")), { instance: "i1" });
  });
  it("seeing an assumed task changes nothing; seeing it STOPPED makes room, and says so", () => {
    const { made, rooms } = scheduler();
    made.assign(applicant("a"));
    made.sawTask(bound("a"));
    assert.deepEqual(made.assign(applicant("b")), { instance: "i1" });
    rooms.length = 0;
    made.sawTask(stopped({ name: "a", spec: { containerInstance: "i1" } }));
    assert.deepEqual(rooms, ["default/default"]);
    assert.deepEqual(made.assign(applicant("c")), { instance: "i1" });
  });
  it("is made anew from bound tasks alone, and does not count one that is bound and not let in", () => {
    const { made } = scheduler();
    made.sawTask(bound("a"));
    made.sawTask(bound("b", { lastStatus: "PROVISIONING" }));
    assert.deepEqual(made.assign(applicant("c")), { instance: "i1" });
    assert.ok("unplaced" in made.assign(applicant("d")));
  });
  it("lets a task in on the machine it names, or says what is missing there", () => {
    const { made } = scheduler();
    assert.deepEqual(made.assignTo("i1", applicant("a")), { ok: true });
    assert.deepEqual(made.assignTo("i1", applicant("a")), { ok: true });
    assert.deepEqual(made.assignTo("i1", applicant("b")), { ok: true });
    assert.deepEqual(made.assignTo("i1", applicant("c")), { ok: false, message: "RESOURCE:MEMORY" });
    assert.equal(made.assignTo("i9", applicant("c")).ok, false);
  });
  it("a machine's own counts are no news to it", () => {
    const { made, rooms } = scheduler();
    rooms.length = 0;
    const seen = machine("i1");
    made.sawInstance({ ...seen, status: { ...seen.status, runningTasksCount: 5, version: 9 } });
    assert.deepEqual(rooms, []);
  });
});

describe("an agent's session", () => {
  const assigned = (name: string, uid: number, parts: Partial<Task["spec"]> = {}): Task => {
    const task = pending({
      name,
      spec: { containerInstance: "i1", ...parts },
      status: { taskDefinition: "app:1", taskArn: "arn" },
    });
    return { ...task, metadata: { ...task.metadata, uid: `3f2b8c1e-0000-4000-8000-00000000000${uid}` } };
  };
  const open = (...tasks: Task[]) => {
    const facts = { definitionOf: () => definition, stopWhenLostAfterMs: () => undefined };
    const session = new Session(syncOf("i1"), 4, facts, T0);
    return { session, answer: session.open(tasks, [], T0) };
  };
  it("begins with everything that is bound there, and each definition once", () => {
    const { answer } = open(assigned("a", 1), assigned("b", 2), stopped({ name: "c" }), taskOf({ name: "d" }));
    assert.deepEqual(
      answer.assignments.map(({ name }) => name),
      ["a", "b"],
    );
    assert.deepEqual(Object.keys(answer.revisions), ["default/app:1"]);
  });
  it("pushes what changes, numbered from 1, without what was told already", () => {
    const { session } = open(assigned("a", 1));
    assert.equal(session.saw(assigned("a", 1)), false);
    assert.equal(session.push(T0), undefined);
    session.saw(assigned("b", 2));
    session.saw(assigned("a", 1, { desiredStatus: "STOPPED" }));
    const push = session.push(T0);
    assert.deepEqual([push?.epoch, push?.seq, push?.revisions], [4, 1, {}]);
    assert.deepEqual(
      push?.assignments.map(({ name, desiredStatus }) => [name, desiredStatus]),
      [
        ["b", "RUNNING"],
        ["a", "STOPPED"],
      ],
    );
    session.saw(stopped({ name: "a", spec: { containerInstance: "i1" } }));
    assert.equal(session.push(T0)?.seq, 2);
  });
  it("says once that a STOPPED task may be forgotten", () => {
    const task = assigned("a", 1);
    const { session } = open(task);
    const gone = { ...task, status: { ...task.status, lastStatus: "STOPPED" as const } };
    assert.equal(session.saw(gone), true);
    assert.deepEqual(session.push(T0)?.forget, [ecsId(task.metadata.uid)]);
    assert.equal(session.saw(gone), false);
  });
  it("tells again what the agent has not confirmed, and takes no old report", () => {
    const task = assigned("a", 1);
    const id = ecsId(task.metadata.uid);
    const { session } = open(task);
    assert.equal(
      session.remind(() => task, T0 - 1),
      false,
    );
    assert.equal(
      session.remind(() => task, T0),
      true,
    );
    assert.equal(session.push(T0)?.assignments.length, 1);
    session.reported(id, 3, "PENDING");
    assert.equal(
      session.remind(() => task, T0),
      false,
    );
    assert.deepEqual([session.isOld(id, 3), session.isOld(id, 4)], [true, false]);
  });
  it("a stop is confirmed by STOPPING or STOPPED only", () => {
    const task = assigned("a", 1, { desiredStatus: "STOPPED" });
    const { session } = open(task);
    session.reported(ecsId(task.metadata.uid), 1, "RUNNING");
    assert.equal(
      session.remind(() => task, T0),
      true,
    );
    session.reported(ecsId(task.metadata.uid), 2, "STOPPING");
    session.push(T0);
    session.reported(ecsId(task.metadata.uid), 3, "STOPPING");
    assert.equal(
      session.remind(() => task, T0),
      false,
    );
  });
});

describe("which stopped tasks are kept", () => {
  const old = (slot: number, atMs: number, parts: { attempt?: number; ran?: boolean } = {}): Task =>
    stopped({
      name: `t${slot}-${atMs}`,
      slot,
      attempt: parts.attempt ?? 0,
      status: { stoppedAt: iso(T0 + atMs), ...(parts.ran !== false && { startedAt: iso(T0) }) },
    });
  const gone = (tasks: Task[]) => surplusStopped(tellApart(tasks)).map(({ metadata }) => metadata.name);
  it("the newest five of a task set", () => {
    const tasks = Array.from({ length: 8 }, (_, at) => old(at, at));
    assert.deepEqual(gone(tasks).sort(), ["t0-0", "t1-1", "t2-2"]);
    assert.deepEqual(gone(tasks.slice(0, 5)), []);
  });
  it("and those that tell a free slot how long to wait", () => {
    const failed = Array.from({ length: 8 }, (_, slot) => old(slot, slot, { ran: false }));
    assert.deepEqual(gone(failed), []);
    assert.deepEqual(gone([...failed, running({ name: "again", slot: 0 })]), ["t0-0"]);
  });
  it("of a cluster, the newest thousand or so", async () => {
    const removed: string[] = [];
    const tasks = Array.from({ length: 24 }, (_, at) => old(at, at));
    const reconcile = createRetentionReconciler(
      { world: { removableTasks: () => tasks, cluster: () => undefined } } as unknown as Deps,
      20,
    );
    const client = { delete: async (_: string, { name }: { name: string }) => void removed.push(name) };
    await reconcile("default/default", client as unknown as ObjectClient);
    assert.deepEqual(removed.sort(), ["t0-0", "t1-1", "t2-2", "t3-3"]);
  });
  it("only those that a task set or `davit run` has made", () => {
    assert.equal(isRemovable(stopped()), false);
    const byRun = stopped();
    byRun.metadata.labels = { "davit.dev/run": "abc" };
    assert.equal(isRemovable(byRun), true);
    const owned = stopped();
    owned.metadata.ownerReferences = [
      { apiVersion: "davit.dev/v1", kind: "TaskSet", name: "w", uid: "u", controller: true },
    ];
    assert.equal(isRemovable(owned), true);
    assert.equal(isRemovable(running()), false);
  });
});

describe("a machine's status", () => {
  const arns = createArns();
  const request = syncOf("i1");
  it("each sync is the next epoch and the next version; when it was first registered stays", () => {
    const fresh: ContainerInstance = { ...machine("i1"), status: {} };
    const first = registered(fresh, request, arns, T0);
    assert.deepEqual([first.status, first.epoch, first.version, first.registeredAt], ["ACTIVE", 1, 1, iso(T0)]);
    const second = registered({ ...fresh, status: first }, request, arns, T0 + 5);
    assert.deepEqual([second.epoch, second.version, second.registeredAt], [2, 2, iso(T0)]);
  });
  it("draining outlives a sync", () => {
    const draining = machine("i1");
    draining.spec = { ...draining.spec, status: "DRAINING" };
    assert.equal(asWanted(draining, T0)?.status, "DRAINING");
    assert.equal(registered({ ...draining, status: {} }, request, arns, T0).status, "DRAINING");
  });
  it("is written on change only", () => {
    assert.equal(connected(machine("i1"), { agentConnected: true }, T0), undefined);
    const away = connected(machine("i1"), { agentConnected: false, atMs: T0 - 5 }, T0);
    assert.deepEqual([away?.agentConnected, away?.disconnectedAt, away?.version], [false, iso(T0 - 5), 2]);
    const back = connected({ ...machine("i1"), status: away ?? {} }, { agentConnected: true }, T0);
    assert.deepEqual([back?.agentConnected, back?.disconnectedAt], [true, undefined]);
    assert.equal(asWanted(machine("i1"), T0), undefined);
    const load = { remaining: machine("i1").status?.registeredResources, running: 1, pending: 0 };
    const written = loaded(machine("i1"), load, T0);
    assert.equal(written?.version, 2);
    assert.equal(loaded({ ...machine("i1"), status: written ?? {} }, load, T0), undefined);
  });
});

describe("writes by compare-and-set", () => {
  const conflict = apiError(409, "Conflict", "conflict");
  const at = (resourceVersion: string, version: number): Task => {
    const task = pending({ status: { version } });
    return { ...task, metadata: { ...task.metadata, resourceVersion } };
  };
  it("a lost race is run again on what has won", async () => {
    const written: Task[] = [];
    const client = {
      get: async () => at("7", 4),
      updateStatus: async (_kind: string, object: Task) => {
        if (object.metadata.resourceVersion !== "7") throw conflict;
        written.push(object);
        return { ...object, metadata: { ...object.metadata, resourceVersion: "8" } };
      },
    } as unknown as ObjectClient;
    const objects = createObjects({ client, shown: { get: () => at("5", 1) as never } });
    const ref = { namespace: "default", name: "web-0-a" };
    const next = await objects.changeStatus("Task", ref, ({ status }) => ({
      ...status,
      version: (status?.version ?? 0) + 1,
    }));
    assert.equal(next?.status?.version, 5);
    assert.equal(written.length, 1);
    // What was written is known before an informer shows it, and forgotten after.
    assert.equal(objects.newest("Task", ref)?.metadata.resourceVersion, "8");
    objects.saw("Task", at("8", 5));
    assert.equal(objects.newest("Task", ref)?.metadata.resourceVersion, "5");
  });
  it("an object that is gone is no error", async () => {
    const client = { get: async () => undefined } as unknown as ObjectClient;
    const objects = createObjects({ client, shown: { get: () => undefined } });
    assert.equal(await objects.changeStatus("Task", { namespace: "default", name: "x" }, () => ({})), undefined);
  });
});

describe("a pace", () => {
  it("lets each key rest for as long as was said, others meanwhile", () => {
    let nowMs = 1_000;
    const pace = createPace(() => nowMs);
    pace.did("big", 100);
    pace.did("small", 10);
    assert.deepEqual([pace.wait("big"), pace.wait("small"), pace.wait("other")], [100, 10, 0]);
    nowMs += 40;
    pace.did("other", 50);
    assert.deepEqual([pace.wait("big"), pace.wait("small"), pace.wait("other")], [60, 0, 50]);
    nowMs += 60;
    pace.did("small", 10);
    assert.deepEqual([pace.wait("big"), pace.wait("small"), pace.wait("other")], [0, 10, 0]);
  });
});

describe("metrics", () => {
  it("of a queue exist, at zero, from the start", () => {
    const values = new Map<string, number>();
    const key = (name: string, labels: Record<string, string>) => `${name} ${JSON.stringify(labels)}`;
    const meter = {
      gauge: (name: string, _: string, labels: Record<string, string>) => ({
        set: (value: number) => void values.set(key(name, labels), value),
      }),
      counter: (name: string, _: string, labels: Record<string, string>) => ({
        inc: (by = 1) => void values.set(key(name, labels), (values.get(key(name, labels)) ?? 0) + by),
      }),
      histogram: () => ({ observe: () => undefined }),
    };
    const metrics = queueMetrics(meter, "task");
    assert.deepEqual([...values.values()], [0, 0, 0, 0]);
    metrics.worked(5, "failed");
    assert.equal(values.get('davit_reconciles_total {"controller":"task","result":"failed"}'), 1);
  });
});
