// How a machine leaves, by tables; and who of two with one identity may have it.
import assert from "node:assert/strict";
import type { ContainerInstance, ContainerInstanceStatus, Task } from "../../api/types.gen.js";
import { LEFT, left, planDeparture } from "../../controllers/instance/departure.js";
import { createRivals } from "../../controllers/instance/rivals.js";
import { planLost } from "../../controllers/lost/plan.js";
import { lostPolicy } from "../../controllers/task/lost.js";
import { iso, running, syncOf, T0, taskOf } from "./support/objects.js";

const KEEP_MS = 3_600_000;
const machine = (
  spec: Partial<ContainerInstance["spec"]>,
  status: ContainerInstanceStatus = {},
  deleting = false,
): ContainerInstance => ({
  apiVersion: "davit.dev/v1",
  kind: "ContainerInstance",
  metadata: { ...taskOf({ deleting }).metadata, name: "i1" },
  spec: { cluster: "default", ...spec },
  status: { status: "ACTIVE", agentConnected: true, epoch: 4, version: 1, ...status },
});

describe("how a machine leaves", () => {
  const alive = [running({ name: "a" }), running({ name: "b", spec: { desiredStatus: "STOPPED" } })];
  const rows: [string, ContainerInstance, readonly Task[], string][] = [
    ["it stays where nobody wishes otherwise", machine({}), alive, "stays"],
    ["IfEmpty, empty: at once", machine({ deregister: "IfEmpty" }), [], "leaves"],
    [
      "Force, empty: at once, from any state",
      machine({ deregister: "Force" }, { status: "REGISTERING" }),
      [],
      "leaves",
    ],
    ["with tasks it begins by taking no more", machine({ deregister: "Force" }), alive, "begins"],
    ["IfEmpty waits for them", machine({ deregister: "IfEmpty" }, { status: "DEREGISTERING" }), alive, "waits"],
    ["so does the deletion of its object", machine({}, { status: "DEREGISTERING" }, true), alive, "waits"],
    ["Force asks for stops", machine({ deregister: "Force" }, { status: "DEREGISTERING" }), alive, "asksStops"],
    [
      "Force, out of reach: they count as stopped",
      machine({ deregister: "Force" }, { status: "DEREGISTERING", agentConnected: false }),
      alive,
      "strands",
    ],
    [
      "Orphan: likewise, in reach or not",
      machine({ deregister: "Orphan" }, { status: "DEREGISTERING" }),
      alive,
      "strands",
    ],
    [
      "one that said it leaves is asked to stop its tasks",
      machine({}, { status: "DEREGISTERING", statusReason: LEFT }),
      alive,
      "asksStops",
    ],
    [
      "a wish that was taken back stops nothing",
      machine({}, { status: "DEREGISTERING", statusReason: "x" }),
      alive,
      "stays",
    ],
    [
      "what was placed at the very moment counts as stopped",
      machine({ deregister: "IfEmpty" }, { status: "INACTIVE" }),
      alive,
      "strands",
    ],
    [
      "an hour later it goes",
      machine({ deregister: "Force" }, { status: "INACTIVE", deregisteredAt: iso(T0 - KEEP_MS) }),
      [],
      "goes",
    ],
    [
      "before that it rests",
      machine({ deregister: "Force" }, { status: "INACTIVE", deregisteredAt: iso(T0 - KEEP_MS + 1) }),
      [],
      "rests",
    ],
    ["one that is deleted goes when it has left", machine({}, { status: "INACTIVE" }, true), [], "goes"],
  ];
  for (const [what, instance, tasks, kind] of rows)
    it(what, () => assert.equal(planDeparture(instance, tasks, KEEP_MS, T0).kind, kind));

  it("only those are asked to stop that were not before", () => {
    const plan = planDeparture(machine({ deregister: "Force" }, { status: "DEREGISTERING" }), alive, KEEP_MS, T0);
    assert.deepEqual(plan.kind === "asksStops" && plan.tasks.map(({ metadata }) => metadata.name), ["a"]);
  });
  it("when it has left its session is over: the epoch rises", () => {
    const status = left(machine({ deregister: "Force" }), T0);
    assert.deepEqual(
      [status?.status, status?.agentConnected, status?.epoch, status?.deregisteredAt, status?.version],
      ["INACTIVE", false, 5, iso(T0), 2],
    );
    assert.equal(left({ ...machine({}), status: status ?? {} }, T0), undefined);
  });
});

describe("what is done about a lost machine's tasks", () => {
  const owned = (name: string): Task => {
    const task = running({ name });
    const owner = { apiVersion: "davit.dev/v1", kind: "TaskSet", name: "s", uid: "u", controller: true };
    return { ...task, metadata: { ...task.metadata, ownerReferences: [owner] } };
  };
  const lost = (name: string, lostInstances: Parameters<typeof lostPolicy>[0]) => ({
    task: owned(name),
    policy: lostPolicy(lostInstances, undefined),
    wantedBack: true,
    stopTimeoutMs: 2_000,
  });
  it("each by its own policy, and the next look is when the next is due", () => {
    const tasks = [
      lost("now", { afterSeconds: 10 }),
      lost("aside", { afterSeconds: 10, onReturn: "ORIGINAL" }),
      lost("later", { afterSeconds: 60 }),
      lost("soon", { action: "STOP", afterSeconds: 10 }),
      lost("never", { action: "KEEP" }),
    ];
    const hearing = { sinceMs: T0 - 100_000, graceMs: 15_000, selfStopMarginMs: 15_000 };
    const plan = planLost(tasks, T0, hearing, T0 + 10_000);
    const names = (of: readonly Task[]) => of.map(({ metadata }) => metadata.name);
    assert.deepEqual([names(plan.stop), names(plan.setAside), plan.dueMs], [["now"], ["aside"], T0 + 27_000]);
    assert.equal(plan.deaf, false);
    const deaf = planLost(tasks, T0, { ...hearing, sinceMs: undefined }, T0 + 10_000);
    assert.deepEqual([deaf.stop, deaf.setAside, deaf.dueMs, deaf.deaf], [[], [], undefined, true]);
  });
});

describe("two machines with one identity", () => {
  const HEARTBEAT_MS = 5_000;
  const rivals = () => {
    const clock = { ms: T0 };
    const made = createRivals(() => clock.ms, HEARTBEAT_MS);
    const ask = (bootId: string, present?: { bootId?: string; heardMs: number }) =>
      made.meet(syncOf("i1", { bootId }), present)?.reason;
    return { clock, made, ask };
  };

  it("the second waits for two heartbeats of silence", () => {
    const { clock, ask } = rivals();
    assert.equal(ask("b", { bootId: "a", heardMs: T0 - 1 }), "Busy");
    clock.ms += 2 * HEARTBEAT_MS - 1;
    assert.equal(ask("b", { bootId: "a", heardMs: T0 - 1 }), "Busy");
    clock.ms += 1;
    assert.equal(ask("b", { bootId: "a", heardMs: T0 - 1 }), undefined);
  });
  it("what was under way when it asked is no sign of life; what comes later is", () => {
    const { clock, ask } = rivals();
    ask("b", { bootId: "a", heardMs: T0 });
    clock.ms += HEARTBEAT_MS;
    assert.equal(ask("b", { bootId: "a", heardMs: T0 + HEARTBEAT_MS / 10 }), "Busy");
    assert.equal(ask("b", { bootId: "a", heardMs: T0 + HEARTBEAT_MS }), "Cloned");
  });
  it("a known clone stays out over a short absence of the first, not over a long one", () => {
    const { clock, ask } = rivals();
    ask("b", { bootId: "a", heardMs: T0 });
    clock.ms += HEARTBEAT_MS;
    assert.equal(ask("b", { bootId: "a", heardMs: clock.ms }), "Cloned");
    clock.ms += 60_000;
    assert.equal(ask("b"), "Cloned");
    clock.ms += 5 * 60_000;
    assert.equal(ask("b"), undefined);
  });
  it("the first itself, and whoever says no boot, may always", () => {
    const { made, ask } = rivals();
    assert.equal(ask("a", { bootId: "a", heardMs: T0 }), undefined);
    assert.equal(made.meet(syncOf("i1"), { bootId: "a", heardMs: T0 }), undefined);
    assert.equal(ask("b", { heardMs: T0 }), undefined);
  });
  it("one that asks no more is forgotten", () => {
    const { clock, made, ask } = rivals();
    ask("b", { bootId: "a", heardMs: T0 });
    assert.deepEqual([made.settled(), made.size()], [[], 1]);
    clock.ms += 5 * 60_000 + 1;
    assert.deepEqual([made.settled(), made.size()], [["i1"], 0]);
  });
});
