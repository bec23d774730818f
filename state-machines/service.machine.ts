import { setup } from "xstate";
import type { ServiceEvent } from "./service.js";

/** The life of a service (spec/06 §9.1). */
export const serviceMachine = setup({ types: {} as { events: { type: ServiceEvent } } }).createMachine({
  id: "service",
  initial: "ACTIVE",
  states: {
    ACTIVE: { on: { DELETED: "DRAINING", DRAINED: "INACTIVE" } },
    DRAINING: { on: { DRAINED: "INACTIVE" } },
    INACTIVE: { type: "final" },
  },
});
