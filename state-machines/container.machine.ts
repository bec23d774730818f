import { setup } from "xstate";
import type { ContainerEvent } from "./container.js";

/** The life of one container as a task shows it: steps may be skipped (the image is there already), never reversed. */
export const containerMachine = setup({ types: {} as { events: { type: ContainerEvent } } }).createMachine({
  id: "container",
  initial: "PENDING",
  states: {
    PENDING: { on: { PULLED: "PULLED", CREATED: "CREATED", STARTED: "RUNNING", STOPPED: "STOPPED" } },
    PULLED: { on: { CREATED: "CREATED", STARTED: "RUNNING", STOPPED: "STOPPED" } },
    CREATED: { on: { STARTED: "RUNNING", STOPPED: "STOPPED" } },
    RUNNING: { on: { STOPPED: "STOPPED" } },
    STOPPED: { type: "final" },
  },
});
