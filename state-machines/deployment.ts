import type { Deployment } from "../api/types.gen.js";
import { type Advance, advance } from "./advance.js";
import { DEPLOYMENT } from "./tables.gen.js";

export type DeploymentState = "IN_PROGRESS" | "COMPLETED" | "FAILED" | "SUPERSEDED" | "INACTIVE";

/**
 * - `STEADY`: all its tasks are healthy, and none of another deployment is left.
 * - `BREAKER_TRIPPED`: too many of its tasks failed. `RETRIED`: somebody wants it tried again.
 * - `SUPERSEDED`: another deployment is wanted now. `REINSTATED`: this one is wanted again (a rollback).
 * - `DRAINED`: it was superseded, and its last task is gone.
 */
export type DeploymentEvent = "STEADY" | "BREAKER_TRIPPED" | "RETRIED" | "SUPERSEDED" | "REINSTATED" | "DRAINED";

export const advanceDeployment = (state: DeploymentState, event: DeploymentEvent): Advance<DeploymentState> =>
  advance(DEPLOYMENT, state, event);

/** ECS's own fields for a state. A superseded deployment keeps the rollout state it had. */
export function ecsDeploymentStatus(
  state: DeploymentState,
  rolloutState: Deployment["rolloutState"],
): Pick<Deployment, "status" | "rolloutState"> {
  switch (state) {
    case "SUPERSEDED":
      return { status: "ACTIVE", rolloutState };
    case "INACTIVE":
      return { status: "INACTIVE", rolloutState };
    default:
      return { status: "PRIMARY", rolloutState: state };
  }
}
