import assert from "node:assert/strict";
import type { TaskStatus } from "../../api/types.gen.js";
import { whyStopped } from "../../api/why-stopped.js";

const container = (name: string, rest: object) => ({
  name,
  image: "any",
  lastStatus: "STOPPED" as const,
  networkBindings: [],
  ...rest,
});

describe("why a task stopped", () => {
  const pull = "CannotPullContainerError: API error (404): not found";
  const rows: [status: TaskStatus, why: string][] = [
    [{}, ""],
    [{ stopCode: "UserInitiated" }, "UserInitiated"],
    [{ stoppedReason: "Task stopped by user", containers: [container("a", {})] }, "Task stopped by user"],
    [
      { stoppedReason: "Task failed to start", containers: [container("a", { reason: pull }), container("b", {})] },
      `Task failed to start (a: ${pull})`,
    ],
    [
      {
        stoppedReason: "Essential container in task exited",
        containers: [
          container("a", { exitCode: 137, reason: "OutOfMemoryError: killed" }),
          container("b", { exitCode: 0 }),
        ],
      },
      "Essential container in task exited (a: exit code 137, OutOfMemoryError: killed; b: exit code 0)",
    ],
  ];
  for (const [status, why] of rows) it(why || "nothing is known", () => assert.equal(whyStopped(status), why));
});
