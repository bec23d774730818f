import assert from "node:assert/strict";
import { createArns } from "../../api/arn.js";
import type { TaskDefinitionRevision } from "../../api/types.gen.js";
import { addEvents, KEPT_EVENTS, QUIET_MS, startedMessages, steadyMessage } from "../../controllers/service/events.js";
import { planService, type ServiceInput, type SetView, type Step } from "../../controllers/service/plan.js";
import { nameOfRevision, resolveRevision } from "../../controllers/service/resolve.js";
import { type ServiceFacts, serviceStatus } from "../../controllers/service/status.js";
import { deploymentId, taskSetName, templateOf } from "../../controllers/service/template.js";
import type { Counts } from "../../controllers/task/view.js";
import { iso, revisionOf, serviceOf, T0, taskSetOf } from "./support/objects.js";

const none: Counts = { running: 0, pending: 0, healthy: 0, alive: 0, wanted: 0, setAside: 0 };
const healthy = (count: number): Counts => ({
  running: count,
  pending: 0,
  healthy: count,
  alive: count,
  wanted: count,
  setAside: 0,
});
const nameFor = (revision: number, service = serviceOf()): string =>
  taskSetName(service, templateOf(service, "default", `app:${revision}`));
const view = (revision: number, counts: Counts, role: "PRIMARY" | "ACTIVE" = "PRIMARY", desiredCount = 3): SetView => ({
  set: taskSetOf(nameFor(revision), { taskDefinition: `app:${revision}`, role, desiredCount }),
  counts,
});

const tell = (step: Step): string => {
  switch (step.kind) {
    case "createTaskSet":
      return `create ${step.template.taskDefinition} × ${step.desiredCount}`;
    case "setTaskSet":
      return `${step.set.spec.taskDefinition} → ${step.role} × ${step.desiredCount}`;
    case "deleteTaskSet":
      return `delete ${step.set.spec.taskDefinition}`;
    case "release":
      return "release";
  }
};

const plan = (parts: Partial<ServiceInput> & { revision?: TaskDefinitionRevision } = {}) => {
  const { revision = revisionOf(1), ...rest } = parts;
  const { steps, primary, problem, recheckAtMs } = planService({
    service: serviceOf(),
    cluster: "default",
    sets: [],
    resolution: { ok: true, revision },
    definitionPending: false,
    nowMs: T0,
    ...rest,
  });
  return { steps: steps.map(tell), primary, problem: problem?.reason, recheckAtMs };
};

describe("which deployments a service has", () => {
  it("a new service: one, with its count", () => assert.deepEqual(plan().steps, ["create app:1 × 3"]));
  it("no count: 1", () => {
    const { desiredCount: _, ...spec } = serviceOf().spec;
    const service = { ...serviceOf(), spec };
    assert.deepEqual(plan({ service }).steps, ["create app:1 × 1"]);
  });
  it("all as it should be: nothing", () => assert.deepEqual(plan({ sets: [view(1, healthy(3))] }).steps, []));
  it("another count: the task set gets it", () =>
    assert.deepEqual(plan({ sets: [view(1, healthy(3), "PRIMARY", 5)] }).steps, ["app:1 → PRIMARY × 3"]));
  it("a newer revision: a new deployment first, and then the old one on its way out", () =>
    assert.deepEqual(plan({ revision: revisionOf(2), sets: [view(1, healthy(3))] }).steps, [
      "create app:2 × 3",
      "app:1 → ACTIVE × 0",
    ]));
  it("a third one while the second is on its way: that one is superseded too", () =>
    assert.deepEqual(plan({ revision: revisionOf(3), sets: [view(1, healthy(3), "ACTIVE", 0), view(2, none)] }).steps, [
      "create app:3 × 3",
      "app:2 → ACTIVE × 0",
    ]));
  it("back to a revision whose task set is still there: it is PRIMARY again", () =>
    assert.deepEqual(plan({ sets: [view(1, healthy(2), "ACTIVE", 0), view(2, none)] }).steps, [
      "app:1 → PRIMARY × 3",
      "app:2 → ACTIVE × 0",
    ]));
  it("an old deployment without tasks: it goes", () =>
    assert.deepEqual(plan({ revision: revisionOf(2), sets: [view(2, healthy(3)), view(1, none, "ACTIVE", 0)] }).steps, [
      "delete app:1",
    ]));
  it("crashed between two steps: the missing one follows", () =>
    assert.deepEqual(plan({ revision: revisionOf(2), sets: [view(1, healthy(3)), view(2, none)] }).steps, [
      "app:1 → ACTIVE × 0",
    ]));

  describe("following the newest revision (decision A2)", () => {
    const young = revisionOf(2, { registeredAtMs: T0 - 400 });
    it("waits until nothing newer came for a second", () => {
      const { steps, recheckAtMs } = plan({ revision: young, sets: [view(1, healthy(3))] });
      assert.deepEqual({ steps, recheckAtMs }, { steps: [], recheckAtMs: T0 + 600 });
    });
    it("does not wait at all for a first deployment", () =>
      assert.deepEqual(plan({ revision: young }).steps, ["create app:2 × 3"]));
    it("does not wait where the apply that made both is over", () => {
      const revision = revisionOf(2, { registeredAtMs: T0, batch: "b7" });
      const service = serviceOf({}, { annotations: { "davit.dev/batch": "b7" } });
      const name = nameFor(2, service);
      assert.equal(plan({ service, revision, sets: [view(1, healthy(3))] }).primary, name);
    });
    it("waits while the changed text has no revision yet", () =>
      assert.deepEqual(plan({ definitionPending: true, sets: [] }).steps, []));
    it("a pinned revision is deployed at once", () => {
      const service = serviceOf({ taskDefinition: "app:2" });
      assert.equal(plan({ service, revision: young, sets: [view(1, healthy(3))] }).steps[0], "create app:2 × 3");
    });
  });

  it("what is wanted cannot be had: nothing new starts, what runs goes on and scales", () => {
    const problem = { reason: "ClusterNotFound", message: "Cluster not found." };
    assert.deepEqual(plan({ problem }).steps, []);
    const scaled = plan({ problem, sets: [view(1, healthy(3), "PRIMARY", 5)] });
    assert.deepEqual([scaled.steps, scaled.problem], [["app:1 → PRIMARY × 3"], "ClusterNotFound"]);
  });

  it("a restart asked for is another deployment of the same revision", () => {
    const restarted = serviceOf({}, { annotations: { "davit.dev/restartedAt": "2026-03-01T12:00:00Z" } });
    assert.notEqual(nameFor(1), nameFor(1, restarted));
    assert.deepEqual(plan({ service: restarted, sets: [view(1, healthy(3))] }).steps, [
      "create app:1 × 3",
      "app:1 → ACTIVE × 0",
    ]);
  });

  it("deleted: down to none, then the task sets go, then the service", () => {
    const service = serviceOf({}, { deleting: true });
    assert.deepEqual(plan({ service, sets: [view(1, healthy(3))] }).steps, ["app:1 → PRIMARY × 0"]);
    assert.deepEqual(plan({ service, sets: [view(1, healthy(1), "PRIMARY", 0)] }).steps, []);
    assert.deepEqual(plan({ service, sets: [view(1, none, "PRIMARY", 0)] }).steps, ["delete app:1"]);
    assert.deepEqual(plan({ service }).steps, ["release"]);
  });
});

describe("a deployment's name and id", () => {
  it("the name is the same for the same template, whatever the order of its keys", () => {
    const a = serviceOf({ placementStrategy: [{ type: "spread", field: "host" }] });
    const b = serviceOf({ placementStrategy: [{ field: "host", type: "spread" }] });
    assert.equal(nameFor(1, a), nameFor(1, b));
    assert.equal(nameFor(1, serviceOf({ desiredCount: 9 })), nameFor(1));
    assert.notEqual(nameFor(1, a), nameFor(1));
  });
  it("the id has ECS's form", () =>
    assert.match(deploymentId("ffffffff-ffff-4fff-8fff-ffffffffffff"), /^ecs-svc\/\d{19}$/));
});

describe("which revision a reference means", () => {
  const all = [revisionOf(1, { active: false }), revisionOf(2), revisionOf(3), revisionOf(4, { active: false })];
  const rows: [string, Parameters<typeof resolveRevision>, string][] = [
    ["[06-51] a family: the newest ACTIVE one", [{ family: "app" }, all], "app:3"],
    ["a family, its newest rejected", [{ family: "app" }, all, { rejected: ["app:3"] }], "app:2"],
    ["a number: that one", [{ family: "app", revision: 2 }, all], "app:2"],
    ["[03-51] an INACTIVE number", [{ family: "app", revision: 1 }, all], "TaskDefinition is inactive"],
    [
      "[03-52] an INACTIVE number that runs already",
      [{ family: "app", revision: 1 }, all, { current: "app:1" }],
      "app:1",
    ],
    ["a number that is not there", [{ family: "app", revision: 9 }, all], "TaskDefinition not found."],
    ["a family that is not there", [{ family: "app" }, []], "TaskDefinition not found."],
    [
      "a family without an ACTIVE one",
      [{ family: "app" }, [revisionOf(1, { active: false })]],
      "TaskDefinition is inactive",
    ],
    [
      "the same, but it runs already",
      [{ family: "app" }, [revisionOf(1, { active: false })], { current: "app:1" }],
      "app:1",
    ],
  ];
  for (const [title, args, expected] of rows)
    it(title, () => {
      const result = resolveRevision(...args);
      assert.equal(result.ok ? nameOfRevision(result.revision) : result.message, expected);
    });
});

describe("a service's events", () => {
  let id = 0;
  const newId = () => `id-${id++}`;
  it("[09-13] starts in ECS's words, ten tasks a message", () => {
    assert.deepEqual(startedMessages("S", ["a", "b"]), ["(service S) has started 2 tasks: (task a) (task b)."]);
    assert.deepEqual(
      startedMessages(
        "S",
        Array.from({ length: 12 }, (_, at) => String(at)),
      ).map((text) => text.slice(0, 33)),
      ["(service S) has started 10 tasks:", "(service S) has started 2 tasks: "],
    );
  });
  it("[09-12] the newest first, each with id, time and message; so many are kept", () => {
    let events = addEvents([], ["one"], T0, newId);
    events = addEvents(events, ["two"], T0 + 1, newId);
    assert.deepEqual(
      events.map(({ createdAt, message }) => [createdAt, message]),
      [
        [iso(T0 + 1), "two"],
        [iso(T0), "one"],
      ],
    );
    assert.ok(events.every((event) => event.id !== ""));
    for (let at = 0; at < 200; at++) events = addEvents(events, [`n${at}`], T0 + at, newId);
    assert.equal(events.length, KEPT_EVENTS);
    assert.equal(events[0]?.message, "n199");
  });
  it("[09-45] an unresolved message is not repeated within six hours, and is after them, or once it was resolved", () => {
    const said = addEvents([], ["no room"], T0, newId);
    assert.equal(addEvents(said, ["no room"], T0 + QUIET_MS - 1, newId), said);
    assert.equal(addEvents(said, ["no room"], T0 + QUIET_MS, newId).length, 2);
    const resolved = addEvents(said, [steadyMessage("S")], T0 + 1, newId);
    assert.equal(addEvents(resolved, ["no room"], T0 + 2, newId).length, 3);
  });
});

describe("a service's status", () => {
  const facts = (sets: SetView[], parts: Partial<ServiceFacts> = {}): ServiceFacts => ({
    cluster: "default",
    serviceName: "web",
    sets,
    primary: nameFor(1),
    lastFailure: () => undefined,
    throttled: false,
    arns: createArns(),
    nowMs: T0,
    ...parts,
  });
  const ready = (given: ServiceFacts, service = serviceOf()) => {
    const condition = serviceStatus(service, given).conditions?.find(({ type }) => type === "Ready");
    return [condition?.status, condition?.reason];
  };
  it("is Ready when all are healthy and no other deployment has tasks", () => {
    assert.deepEqual(ready(facts([view(1, healthy(3))])), ["True", "SteadyState"]);
    assert.deepEqual(ready(facts([view(1, healthy(3)), view(2, healthy(1), "ACTIVE", 0)])), ["False", "Deploying"]);
    assert.deepEqual(ready(facts([view(1, healthy(2))])), ["False", "Deploying"]);
    assert.deepEqual(ready(facts([])), ["False", "Deploying"]);
  });
  it("says what keeps it from that", () => {
    const problem = { reason: "ClusterNotFound", message: "Cluster not found." };
    assert.deepEqual(ready(facts([], { problem })), ["False", "ClusterNotFound"]);
    assert.deepEqual(ready(facts([view(1, none)], { unplaced: "no room" })), ["False", "NoRoom"]);
    assert.deepEqual(ready(facts([view(1, none)], { throttled: true })), ["False", "StartThrottled"]);
    assert.deepEqual(ready(facts([]), serviceOf({}, { deleting: true })), ["False", "Draining"]);
  });
  it("a deployment completes, stays COMPLETED while it scales, and is another one with another task set", () => {
    const first = serviceStatus(serviceOf(), facts([view(1, healthy(2))]));
    assert.deepEqual(
      first.deployments?.map(({ status, rolloutState }) => [status, rolloutState]),
      [["PRIMARY", "IN_PROGRESS"]],
    );
    const done = serviceStatus(serviceOf({}, { status: first }), facts([view(1, healthy(3))]));
    assert.equal(done.deployments?.[0]?.rolloutState, "COMPLETED");
    const scaled = serviceStatus(
      serviceOf({ desiredCount: 5 }, { status: done }),
      facts([view(1, healthy(3), "PRIMARY", 5)]),
    );
    assert.equal(scaled.deployments?.[0]?.rolloutState, "COMPLETED");
    assert.deepEqual(
      ready(facts([view(1, healthy(3), "PRIMARY", 5)]), serviceOf({ desiredCount: 5 }, { status: done })),
      ["False", "Deploying"],
    );
  });
  it("keeps the record of a deployment that has not changed", () => {
    const status = serviceStatus(serviceOf(), facts([view(1, healthy(3))]));
    const again = serviceStatus(serviceOf({}, { status }), facts([view(1, healthy(3))], { nowMs: T0 + 5_000 }));
    assert.equal(again.deployments, status.deployments);
    assert.equal(again.conditions, status.conditions);
  });
});
