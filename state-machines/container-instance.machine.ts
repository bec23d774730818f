import { setup } from "xstate";
import type { ContainerInstanceEvent } from "./container-instance.js";

/** The life of a machine in a cluster (spec/04 §2). A lost connection is no state: `agentConnected` tells it. A machine
 *  that left may come again: its id is the same, and so is its object while that is there. */
export const containerInstanceMachine = setup({
  types: {} as { events: { type: ContainerInstanceEvent } },
}).createMachine({
  id: "containerInstance",
  initial: "REGISTERING",
  states: {
    REGISTERING: {
      on: {
        REGISTERED: "ACTIVE",
        REGISTRATION_FAILED: "REGISTRATION_FAILED",
        DEREGISTER: "DEREGISTERING",
        DEREGISTERED: "INACTIVE",
      },
    },
    REGISTRATION_FAILED: { on: { RETRIED: "REGISTERING", DEREGISTER: "DEREGISTERING", DEREGISTERED: "INACTIVE" } },
    ACTIVE: { on: { DRAIN: "DRAINING", DEREGISTER: "DEREGISTERING", DEREGISTERED: "INACTIVE" } },
    DRAINING: { on: { ACTIVATE: "ACTIVE", DEREGISTER: "DEREGISTERING", DEREGISTERED: "INACTIVE" } },
    DEREGISTERING: { on: { DEREGISTERED: "INACTIVE" } },
    INACTIVE: { on: { JOINED: "REGISTERING" } },
  },
});
