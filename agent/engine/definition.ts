// From an assignment and its revision to what is to be created: overrides applied, defaults filled in. Pure.
import { createHash } from "node:crypto";
import type { ContainerDefinition, ContainerOverride, TaskDefinitionRevisionSpec } from "../../api/types.gen.js";
import type { Assignment } from "../../bus/messages.js";
import { ECS_LABELS, LABELS } from "../runtimes/labels.js";
import type { ContainerSpec } from "../runtimes/runtime.js";

export interface ResolvedTask {
  /** `family` and `N` of the revision. */
  family: string;
  number: number;
  networkMode: ContainerSpec["networkMode"];
  containers: ContainerDefinition[];
  /** Hash of what the containers are made from. */
  hash: string;
  /** What the task takes of the machine: spec/02 §4.3. */
  cpuUnits: number;
  memoryMiB: number;
  /** `tcp/80`: the host ports it asks for by number. */
  hostPorts: string[];
}

/** Revisions are shared between many tasks: without overrides each is resolved once. */
const plain = new WeakMap<TaskDefinitionRevisionSpec, ResolvedTask>();

export function resolve(assignment: Assignment, revision: TaskDefinitionRevisionSpec): ResolvedTask {
  if (assignment.overrides) return resolveWith(revision, assignment.overrides);
  const known = plain.get(revision);
  if (known) return known;
  const resolved = resolveWith(revision, undefined);
  plain.set(revision, resolved);
  return resolved;
}

function resolveWith(revision: TaskDefinitionRevisionSpec, overrides: Assignment["overrides"]): ResolvedTask {
  const containers = revision.containerDefinitions.map((definition) =>
    override(
      definition,
      overrides?.containerOverrides?.find(({ name }) => name === definition.name),
    ),
  );
  const networkMode = revision.networkMode ?? "bridge";
  return {
    family: revision.family,
    number: revision.revision,
    networkMode,
    containers,
    hash: createHash("sha256")
      .update(revision.contentHash)
      .update(overrides ? JSON.stringify(overrides) : "")
      .digest("hex")
      .slice(0, 16),
    cpuUnits: Number(overrides?.cpu ?? revision.cpu ?? sum(containers, ({ cpu }) => cpu ?? 0)),
    memoryMiB: Number(
      overrides?.memory ??
        revision.memory ??
        sum(containers, ({ memory, memoryReservation }) => memoryReservation ?? memory ?? 0),
    ),
    hostPorts: containers.flatMap(({ portMappings = [] }) =>
      portMappings.flatMap(({ containerPort, hostPort, protocol = "tcp" }) => {
        const port = networkMode === "host" ? (containerPort ?? hostPort) : hostPort;
        return port && networkMode !== "awsvpc" ? [`${protocol}/${port}`] : [];
      }),
    ),
  };
}

const sum = (containers: ContainerDefinition[], of: (container: ContainerDefinition) => number): number =>
  containers.reduce((total, container) => total + of(container), 0);

function override(definition: ContainerDefinition, by: ContainerOverride | undefined): ContainerDefinition {
  if (!by) return definition;
  const { name: _name, environment, ...rest } = by;
  const replaced = new Set(environment?.map(({ name }) => name));
  return {
    ...definition,
    ...rest,
    ...(environment && {
      environment: [...(definition.environment ?? []).filter(({ name }) => !replaced.has(name)), ...environment],
    }),
  };
}

/** What the runtime is asked to create for one container of a task. */
export function containerSpec(
  agent: string,
  assignment: Assignment,
  resolved: ResolvedTask,
  definition: ContainerDefinition,
): ContainerSpec {
  const { task, namespace, name, cluster, revision, taskArn, stopWhenLostAfterMs } = assignment;
  return {
    task,
    definition,
    networkMode: resolved.networkMode,
    // The name follows from the task, so the runtime itself refuses a second copy of a container.
    runtimeName: `ecs-${resolved.family}-${resolved.number}-${definition.name}-${task.slice(0, 20)}`.replaceAll(
      "~",
      "",
    ),
    labels: {
      ...definition.dockerLabels,
      [ECS_LABELS.cluster]: cluster,
      [ECS_LABELS.container]: definition.name,
      [ECS_LABELS.taskArn]: taskArn,
      [ECS_LABELS.family]: resolved.family,
      [ECS_LABELS.version]: String(resolved.number),
      [LABELS.agent]: agent,
      [LABELS.task]: task,
      [LABELS.container]: definition.name,
      [LABELS.revision]: revision,
      [LABELS.assignment]: resolved.hash,
      [LABELS.namespace]: namespace,
      [LABELS.taskName]: name,
      [LABELS.essential]: String(definition.essential !== false),
      [LABELS.containers]: String(resolved.containers.length),
      ...(stopWhenLostAfterMs !== undefined && { [LABELS.stopWhenLost]: String(stopWhenLostAfterMs) }),
      ...(definition.stopTimeout !== undefined && { [LABELS.stopTimeout]: String(definition.stopTimeout) }),
    },
  };
}
