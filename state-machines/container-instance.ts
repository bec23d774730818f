import type { ContainerInstanceStatus } from "../api/types.gen.js";
import { type Advance, advance } from "./advance.js";
import { CONTAINER_INSTANCE } from "./tables.gen.js";

export type ContainerInstanceState = NonNullable<ContainerInstanceStatus["status"]>;

/**
 * - `REGISTERED`: what it needs is there. `REGISTRATION_FAILED`: it is not, see `statusReason`. `RETRIED`: it tries again.
 * - `DRAIN`, `ACTIVATE`: what the operator wants of it.
 * - `JOINED`: a machine that had left is here again.
 * - `DEREGISTER`: it leaves, and clean-up comes first. `DEREGISTERED`: it has left; at once where nothing is to clean up.
 */
export type ContainerInstanceEvent =
  | "REGISTERED"
  | "REGISTRATION_FAILED"
  | "RETRIED"
  | "JOINED"
  | "DRAIN"
  | "ACTIVATE"
  | "DEREGISTER"
  | "DEREGISTERED";

export const advanceContainerInstance = (
  state: ContainerInstanceState,
  event: ContainerInstanceEvent,
): Advance<ContainerInstanceState> => advance(CONTAINER_INSTANCE, state, event);
