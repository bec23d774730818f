import type { ContainerState } from "../api/types.gen.js";
import { type Advance, advance } from "./advance.js";
import { CONTAINER } from "./tables.gen.js";

export type ContainerEvent = "PULLED" | "CREATED" | "STARTED" | "STOPPED";

const advanceContainer = (state: ContainerState, event: ContainerEvent): Advance<ContainerState> =>
  advance(CONTAINER, state, event);

const EVENT_OF: Readonly<Record<ContainerState, ContainerEvent | undefined>> = {
  PENDING: undefined,
  PULLED: "PULLED",
  CREATED: "CREATED",
  RUNNING: "STARTED",
  STOPPED: "STOPPED",
};

/** Folds an observed state into the one held: forward only, jumps allowed. */
export function observeContainer(current: ContainerState, seen: ContainerState): ContainerState {
  const event = EVENT_OF[seen];
  return event === undefined ? current : advanceContainer(current, event).state;
}
