import assert from "node:assert/strict";
import type { Service } from "../../api/types.gen.js";
import { rolloutOf } from "../../cli/output/rollout.js";

const steady = (taskDefinition: string, rejectedRevisions?: string[]): Service => ({
  apiVersion: "davit.dev/v1",
  kind: "Service",
  metadata: {
    name: "web",
    namespace: "default",
    uid: "00000000-0000-4000-8000-000000000000",
    resourceVersion: "1",
    generation: 1,
    creationTimestamp: "2026-03-01T12:00:00Z",
  },
  spec: { taskDefinition: "web", desiredCount: 1 },
  status: {
    observedGeneration: 1,
    taskDefinition,
    ...(rejectedRevisions && { rejectedRevisions }),
    deployments: [
      {
        id: "ecs-svc/1",
        status: "PRIMARY",
        rolloutState: "COMPLETED",
        taskDefinition,
        taskSet: "web-1",
        desiredCount: 1,
        pendingCount: 0,
        runningCount: 1,
        failedTasks: 0,
        createdAt: "2026-03-01T12:00:00Z",
        updatedAt: "2026-03-01T12:00:00Z",
      },
    ],
    conditions: [{ type: "Ready", status: "True", reason: "SteadyState", message: "", lastTransitionTime: "" }],
  },
});

describe("how a rollout stands", () => {
  it("is over when the steady service is of the revision it follows", () => {
    assert.equal(rolloutOf(steady("web:2"), "web:2").state, "over");
    assert.equal(rolloutOf(steady("web:2")).state, "over");
  });

  it("goes on while a steady service has not seen the newest revision", () => {
    assert.deepEqual(rolloutOf(steady("web:1"), "web:2"), {
      state: "going",
      text: "service web: the new revision web:2 is not seen yet",
    });
  });

  it("is over when the newest revision was tried and rejected", () => {
    assert.equal(rolloutOf(steady("web:1", ["web:2"]), "web:2").state, "over");
  });
});
