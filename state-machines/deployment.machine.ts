import { setup } from "xstate";
import type { DeploymentEvent } from "./deployment.js";

/**
 * The life of one deployment of a service, of whatever strategy. Stages of blue/green and canary deployments
 * will stand inside IN_PROGRESS; a rollback is FAILED here and REINSTATED (or a new deployment) on the older one.
 */
export const deploymentMachine = setup({ types: {} as { events: { type: DeploymentEvent } } }).createMachine({
  id: "deployment",
  initial: "IN_PROGRESS",
  states: {
    IN_PROGRESS: { on: { STEADY: "COMPLETED", BREAKER_TRIPPED: "FAILED", SUPERSEDED: "SUPERSEDED" } },
    COMPLETED: { on: { SUPERSEDED: "SUPERSEDED" } },
    FAILED: { on: { RETRIED: "IN_PROGRESS", SUPERSEDED: "SUPERSEDED" } },
    SUPERSEDED: { on: { REINSTATED: "IN_PROGRESS", DRAINED: "INACTIVE" } },
    INACTIVE: { type: "final" },
  },
});
