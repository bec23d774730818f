import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { TaskState } from "../../api/types.gen.js";
import { observeContainer } from "../../state-machines/container.js";
import { advanceContainerInstance } from "../../state-machines/container-instance.js";
import { advanceDeployment, ecsDeploymentStatus } from "../../state-machines/deployment.js";
import { advanceService } from "../../state-machines/service.js";
import {
  advanceTask,
  hasReached,
  initialTaskState,
  observe,
  type ReportedTaskState,
  type SurroundingWork,
  type TaskEvent,
} from "../../state-machines/task.js";

/** null: the event does not apply. Grouped by who makes the move. */
const MOVES: Readonly<Record<string, readonly [from: TaskState, event: TaskEvent, to: TaskState | null][]>> = {
  "the scheduler": [
    ["PROVISIONING", "BOUND", "PENDING"],
    ["PENDING", "BOUND", null],
    ["STOPPED", "BOUND", null],
  ],
  "a report that it started": [
    ["PROVISIONING", "STARTED", null],
    ["PENDING", "LAUNCHED", "ACTIVATING"],
    ["PENDING", "STARTED", "RUNNING"],
    ["ACTIVATING", "STARTED", "RUNNING"],
    ["RUNNING", "LAUNCHED", null],
    ["STOPPING", "STARTED", null],
    ["STOPPED", "STARTED", null],
  ],
  "a stop": [
    ["RUNNING", "DEACTIVATE", "DEACTIVATING"],
    ["PENDING", "DEACTIVATE", null],
    ["DEACTIVATING", "STOP", "STOPPING"],
    ["RUNNING", "STOP", "STOPPING"],
    ["PENDING", "STOP", "STOPPING"],
    ["PROVISIONING", "STOP", null],
    ["DEPROVISIONING", "STOP", null],
  ],
  "the end": [
    ["PROVISIONING", "START_FAILED", "STOPPED"],
    ["PENDING", "START_FAILED", "STOPPED"],
    ["RUNNING", "START_FAILED", null],
    ["STOPPING", "CLEAN_UP", "DEPROVISIONING"],
    ["DEPROVISIONING", "STOPPED", "STOPPED"],
    ["RUNNING", "STOPPED", "STOPPED"],
    ["STOPPED", "STOPPED", null],
  ],
};

describe("task machine", () => {
  for (const [who, moves] of Object.entries(MOVES))
    for (const [from, event, to] of moves)
      it(`${who}: ${from} + ${event} -> ${to ?? "ignored"}`, () => {
        const result = advanceTask(from, event);
        assert.equal(result.moved ? result.state : null, to);
      });

  const REPORTS: readonly [current: TaskState, reported: ReportedTaskState, work: SurroundingWork, to: TaskState][] = [
    ["PENDING", "PENDING", {}, "PENDING"],
    ["PENDING", "RUNNING", {}, "RUNNING"],
    ["PENDING", "RUNNING", { afterLaunch: true }, "ACTIVATING"],
    ["ACTIVATING", "RUNNING", { afterLaunch: true }, "ACTIVATING"],
    ["ACTIVATING", "RUNNING", {}, "RUNNING"],
    ["PENDING", "STOPPED", {}, "STOPPED"],
    ["RUNNING", "STOPPED", {}, "STOPPED"],
    ["RUNNING", "STOPPED", { afterStop: true }, "DEPROVISIONING"],
    ["DEPROVISIONING", "STOPPED", {}, "STOPPED"],
    ["RUNNING", "STOPPING", {}, "STOPPING"],
    ["DEACTIVATING", "STOPPING", {}, "STOPPING"],
    ["STOPPING", "RUNNING", {}, "STOPPING"],
    ["STOPPED", "RUNNING", {}, "STOPPED"],
    ["RUNNING", "PENDING", {}, "RUNNING"],
    ["PROVISIONING", "PENDING", {}, "PENDING"],
    ["PROVISIONING", "RUNNING", {}, "RUNNING"],
  ];
  for (const [current, reported, work, to] of REPORTS)
    it(`${current}, reported ${reported} ${JSON.stringify(work)} -> ${to}`, () => {
      assert.equal(observe(current, reported, work), to);
    });

  it("is created PENDING when it has its machine, else PROVISIONING (decision A8)", () => {
    assert.deepEqual([initialTaskState(true), initialTaskState(false)], ["PENDING", "PROVISIONING"]);
  });

  it("knows which state is later", () => {
    assert.deepEqual([hasReached("RUNNING", "RUNNING"), hasReached("PENDING", "RUNNING")], [true, false]);
  });

  it("what the controllers import does not load xstate", () => {
    const seen = new Set<string>();
    const visit = (file: URL): void => {
      if (seen.has(file.href)) return;
      seen.add(file.href);
      for (const [, from = ""] of readFileSync(file, "utf8").matchAll(/(?:from|import) "([^"]+)"/g)) {
        assert.notEqual(from, "xstate", file.pathname);
        if (from.startsWith(".")) visit(new URL(from, file));
      }
    };
    for (const name of ["task", "container", "container-instance", "service", "deployment", "rolling"])
      visit(new URL(`../../state-machines/${name}.js`, import.meta.url));
    assert.ok(seen.size >= 8);
  });
});

describe("the other machines", () => {
  it("container: forward only, with jumps", () => {
    assert.equal(observeContainer("PENDING", "RUNNING"), "RUNNING");
    assert.equal(observeContainer("CREATED", "PULLED"), "CREATED");
    assert.equal(observeContainer("STOPPED", "RUNNING"), "STOPPED");
    assert.equal(observeContainer("PULLED", "PENDING"), "PULLED");
  });

  it("container instance: drains and comes back; one that left may only join again (spec/04 §2.2)", () => {
    assert.equal(advanceContainerInstance("REGISTERING", "REGISTERED").state, "ACTIVE");
    assert.equal(advanceContainerInstance("ACTIVE", "DRAIN").state, "DRAINING");
    assert.equal(advanceContainerInstance("DRAINING", "ACTIVATE").state, "ACTIVE");
    assert.equal(advanceContainerInstance("DRAINING", "DEREGISTERED").state, "INACTIVE");
    assert.equal(advanceContainerInstance("INACTIVE", "REGISTERED").moved, false);
    assert.equal(advanceContainerInstance("INACTIVE", "JOINED").state, "REGISTERING");
  });

  it("service: DRAINING while tasks are left, INACTIVE at once without (spec/06 §9.1)", () => {
    assert.equal(advanceService("ACTIVE", "DELETED").state, "DRAINING");
    assert.equal(advanceService("DRAINING", "DRAINED").state, "INACTIVE");
    assert.equal(advanceService("ACTIVE", "DRAINED").state, "INACTIVE");
    assert.equal(advanceService("INACTIVE", "DELETED").moved, false);
  });

  it("deployment: completes or fails once, and a superseded one can be wanted again", () => {
    assert.equal(advanceDeployment("IN_PROGRESS", "STEADY").state, "COMPLETED");
    assert.equal(advanceDeployment("COMPLETED", "BREAKER_TRIPPED").moved, false);
    assert.equal(advanceDeployment("IN_PROGRESS", "BREAKER_TRIPPED").state, "FAILED");
    assert.equal(advanceDeployment("FAILED", "STEADY").moved, false);
    assert.equal(advanceDeployment("SUPERSEDED", "REINSTATED").state, "IN_PROGRESS");
    assert.equal(advanceDeployment("INACTIVE", "REINSTATED").moved, false);
    assert.deepEqual(ecsDeploymentStatus("FAILED", "IN_PROGRESS"), { status: "PRIMARY", rolloutState: "FAILED" });
    assert.deepEqual(ecsDeploymentStatus("SUPERSEDED", "FAILED"), { status: "ACTIVE", rolloutState: "FAILED" });
  });
});
