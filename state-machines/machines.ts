// Every machine, for the generator and the tests. Imports xstate: not for the hot path.
import type { AnyStateMachine } from "xstate";
import { containerMachine } from "./container.machine.js";
import { containerInstanceMachine } from "./container-instance.machine.js";
import { deploymentMachine } from "./deployment.machine.js";
import { serviceMachine } from "./service.machine.js";
import { taskMachine } from "./task.machine.js";

export const MACHINES = [
  { constant: "TASK", kind: "Task", machine: taskMachine },
  { constant: "CONTAINER", kind: "Container", machine: containerMachine },
  { constant: "CONTAINER_INSTANCE", kind: "ContainerInstance", machine: containerInstanceMachine },
  { constant: "SERVICE", kind: "Service", machine: serviceMachine },
  { constant: "DEPLOYMENT", kind: "Deployment", machine: deploymentMachine },
] as const satisfies readonly { constant: string; kind: string; machine: AnyStateMachine }[];
