import type { ServiceStatus } from "../api/types.gen.js";
import { type Advance, advance } from "./advance.js";
import { SERVICE } from "./tables.gen.js";

export type ServiceState = NonNullable<ServiceStatus["status"]>;

/** `DELETED`: it is to go, and tasks are left. `DRAINED`: it is to go, and every task is STOPPING or STOPPED. */
export type ServiceEvent = "DELETED" | "DRAINED";

export const advanceService = (state: ServiceState, event: ServiceEvent): Advance<ServiceState> =>
  advance(SERVICE, state, event);
