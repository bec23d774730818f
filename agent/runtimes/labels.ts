// The labels that tie a container to its task. They are the agent's whole memory: a restarted agent reads nothing else.

export const LABELS = {
  /** The instance whose agent made the container: several agents can share one Engine. */
  agent: "davit.dev/agent",
  task: "davit.dev/task",
  container: "davit.dev/container",
  /** `family:N`. */
  revision: "davit.dev/revision",
  /** Hash of revision and overrides. */
  assignment: "davit.dev/assignment",
  namespace: "davit.dev/namespace",
  /** metadata.name of the Task. */
  taskName: "davit.dev/task-name",
  /** `true` or `false`; with `containers` it tells a task's state before its assignment is known again. */
  essential: "davit.dev/essential",
  /** The definition's `stopTimeout` in seconds, if it has one. */
  stopTimeout: "davit.dev/stop-timeout",
  /** How many containers the task has. */
  containers: "davit.dev/containers",
  /** After so many ms without the control plane the agent stops the task by itself; absent: never. */
  stopWhenLost: "davit.dev/stop-when-lost-ms",
} as const;

/** What ECS's own agent puts on containers: spec/05 §8.2. */
export const ECS_LABELS = {
  cluster: "com.amazonaws.ecs.cluster",
  container: "com.amazonaws.ecs.container-name",
  taskArn: "com.amazonaws.ecs.task-arn",
  family: "com.amazonaws.ecs.task-definition-family",
  version: "com.amazonaws.ecs.task-definition-version",
} as const;

/** What the name of a container begins with that was let go of for good. Docker cannot take a label off a container. */
export const ORPHAN_PREFIX = "davit-orphaned-";
export const isOrphan = (runtimeName: string): boolean => runtimeName.startsWith(ORPHAN_PREFIX);
