// Generated from the machines by `npm run generate`. Do not edit.
import type { ContainerState, TaskState } from "../api/types.gen.js";
import type { MachineTable } from "./advance.js";
import type { TaskEvent } from "./task.js";
import type { ContainerEvent } from "./container.js";
import type { ContainerInstanceEvent, ContainerInstanceState } from "./container-instance.js";
import type { ServiceEvent, ServiceState } from "./service.js";
import type { DeploymentEvent, DeploymentState } from "./deployment.js";

export const TASK: MachineTable<TaskState, TaskEvent> = {
  "initial": "PROVISIONING",
  "states": [
    "PROVISIONING",
    "PENDING",
    "ACTIVATING",
    "RUNNING",
    "DEACTIVATING",
    "STOPPING",
    "DEPROVISIONING",
    "STOPPED"
  ],
  "events": [
    "BOUND",
    "CLEAN_UP",
    "START_FAILED",
    "STOPPED",
    "LAUNCHED",
    "STARTED",
    "STOP",
    "DEACTIVATE"
  ],
  "transitions": {
    "PROVISIONING": {
      "BOUND": "PENDING",
      "CLEAN_UP": "DEPROVISIONING",
      "START_FAILED": "STOPPED",
      "STOPPED": "STOPPED"
    },
    "PENDING": {
      "LAUNCHED": "ACTIVATING",
      "STARTED": "RUNNING",
      "STOP": "STOPPING",
      "CLEAN_UP": "DEPROVISIONING",
      "START_FAILED": "STOPPED",
      "STOPPED": "STOPPED"
    },
    "ACTIVATING": {
      "STARTED": "RUNNING",
      "DEACTIVATE": "DEACTIVATING",
      "STOP": "STOPPING",
      "CLEAN_UP": "DEPROVISIONING",
      "STOPPED": "STOPPED"
    },
    "RUNNING": {
      "DEACTIVATE": "DEACTIVATING",
      "STOP": "STOPPING",
      "CLEAN_UP": "DEPROVISIONING",
      "STOPPED": "STOPPED"
    },
    "DEACTIVATING": {
      "STOP": "STOPPING",
      "CLEAN_UP": "DEPROVISIONING",
      "STOPPED": "STOPPED"
    },
    "STOPPING": {
      "CLEAN_UP": "DEPROVISIONING",
      "STOPPED": "STOPPED"
    },
    "DEPROVISIONING": {
      "STOPPED": "STOPPED"
    },
    "STOPPED": {}
  }
};

export const CONTAINER: MachineTable<ContainerState, ContainerEvent> = {
  "initial": "PENDING",
  "states": [
    "PENDING",
    "PULLED",
    "CREATED",
    "RUNNING",
    "STOPPED"
  ],
  "events": [
    "PULLED",
    "CREATED",
    "STARTED",
    "STOPPED"
  ],
  "transitions": {
    "PENDING": {
      "PULLED": "PULLED",
      "CREATED": "CREATED",
      "STARTED": "RUNNING",
      "STOPPED": "STOPPED"
    },
    "PULLED": {
      "CREATED": "CREATED",
      "STARTED": "RUNNING",
      "STOPPED": "STOPPED"
    },
    "CREATED": {
      "STARTED": "RUNNING",
      "STOPPED": "STOPPED"
    },
    "RUNNING": {
      "STOPPED": "STOPPED"
    },
    "STOPPED": {}
  }
};

export const CONTAINER_INSTANCE: MachineTable<ContainerInstanceState, ContainerInstanceEvent> = {
  "initial": "REGISTERING",
  "states": [
    "REGISTERING",
    "REGISTRATION_FAILED",
    "ACTIVE",
    "DRAINING",
    "DEREGISTERING",
    "INACTIVE"
  ],
  "events": [
    "REGISTERED",
    "REGISTRATION_FAILED",
    "DEREGISTER",
    "DEREGISTERED",
    "RETRIED",
    "DRAIN",
    "ACTIVATE",
    "JOINED"
  ],
  "transitions": {
    "REGISTERING": {
      "REGISTERED": "ACTIVE",
      "REGISTRATION_FAILED": "REGISTRATION_FAILED",
      "DEREGISTER": "DEREGISTERING",
      "DEREGISTERED": "INACTIVE"
    },
    "REGISTRATION_FAILED": {
      "RETRIED": "REGISTERING",
      "DEREGISTER": "DEREGISTERING",
      "DEREGISTERED": "INACTIVE"
    },
    "ACTIVE": {
      "DRAIN": "DRAINING",
      "DEREGISTER": "DEREGISTERING",
      "DEREGISTERED": "INACTIVE"
    },
    "DRAINING": {
      "ACTIVATE": "ACTIVE",
      "DEREGISTER": "DEREGISTERING",
      "DEREGISTERED": "INACTIVE"
    },
    "DEREGISTERING": {
      "DEREGISTERED": "INACTIVE"
    },
    "INACTIVE": {
      "JOINED": "REGISTERING"
    }
  }
};

export const SERVICE: MachineTable<ServiceState, ServiceEvent> = {
  "initial": "ACTIVE",
  "states": [
    "ACTIVE",
    "DRAINING",
    "INACTIVE"
  ],
  "events": [
    "DELETED",
    "DRAINED"
  ],
  "transitions": {
    "ACTIVE": {
      "DELETED": "DRAINING",
      "DRAINED": "INACTIVE"
    },
    "DRAINING": {
      "DRAINED": "INACTIVE"
    },
    "INACTIVE": {}
  }
};

export const DEPLOYMENT: MachineTable<DeploymentState, DeploymentEvent> = {
  "initial": "IN_PROGRESS",
  "states": [
    "IN_PROGRESS",
    "COMPLETED",
    "FAILED",
    "SUPERSEDED",
    "INACTIVE"
  ],
  "events": [
    "STEADY",
    "BREAKER_TRIPPED",
    "SUPERSEDED",
    "RETRIED",
    "REINSTATED",
    "DRAINED"
  ],
  "transitions": {
    "IN_PROGRESS": {
      "STEADY": "COMPLETED",
      "BREAKER_TRIPPED": "FAILED",
      "SUPERSEDED": "SUPERSEDED"
    },
    "COMPLETED": {
      "SUPERSEDED": "SUPERSEDED"
    },
    "FAILED": {
      "RETRIED": "IN_PROGRESS",
      "SUPERSEDED": "SUPERSEDED"
    },
    "SUPERSEDED": {
      "REINSTATED": "IN_PROGRESS",
      "DRAINED": "INACTIVE"
    },
    "INACTIVE": {}
  }
};
