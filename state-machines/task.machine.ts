import { setup } from "xstate";
import type { TaskEvent } from "./task.js";

/**
 * The life of a task (spec/06 §8): states may be skipped, never reversed; STOPPED is final.
 * This is the law; `tables.gen.ts` is made from it for the hot path. What each event means is told in `task.ts`.
 */
export const taskMachine = setup({ types: {} as { events: { type: TaskEvent } } }).createMachine({
  id: "task",
  initial: "PROVISIONING",
  states: {
    PROVISIONING: {
      on: { BOUND: "PENDING", CLEAN_UP: "DEPROVISIONING", START_FAILED: "STOPPED", STOPPED: "STOPPED" },
    },
    PENDING: {
      on: {
        LAUNCHED: "ACTIVATING",
        STARTED: "RUNNING",
        STOP: "STOPPING",
        CLEAN_UP: "DEPROVISIONING",
        START_FAILED: "STOPPED",
        STOPPED: "STOPPED",
      },
    },
    ACTIVATING: {
      on: {
        STARTED: "RUNNING",
        DEACTIVATE: "DEACTIVATING",
        STOP: "STOPPING",
        CLEAN_UP: "DEPROVISIONING",
        STOPPED: "STOPPED",
      },
    },
    RUNNING: {
      on: { DEACTIVATE: "DEACTIVATING", STOP: "STOPPING", CLEAN_UP: "DEPROVISIONING", STOPPED: "STOPPED" },
    },
    DEACTIVATING: { on: { STOP: "STOPPING", CLEAN_UP: "DEPROVISIONING", STOPPED: "STOPPED" } },
    STOPPING: { on: { CLEAN_UP: "DEPROVISIONING", STOPPED: "STOPPED" } },
    DEPROVISIONING: { on: { STOPPED: "STOPPED" } },
    STOPPED: { type: "final" },
  },
});
