// A container instance's status. Pure; the version rises by one with each change that is written (07-55).
import { getCondition, type NewCondition, removeCondition, setCondition } from "../../api/conditions.js";
import { clusterNameOf } from "../../api/names.js";
import type { ContainerInstance, ContainerInstanceStatus, Resource } from "../../api/types.gen.js";
import { advanceContainerInstance } from "../../state-machines/container-instance.js";
import { ignoredCondition } from "../ignored.js";
import { isDrainWanted } from "./drain.js";

/** An object without a status: made by a machine that joins, whose agent is still to come. */
export function registering(instance: ContainerInstance, nowMs: number): ContainerInstanceStatus | undefined {
  if (instance.status?.status !== undefined) return undefined;
  return said(instance, { ...instance.status, status: "REGISTERING", agentConnected: false }, nowMs);
}

/** Whether its agent is heard; if not, when it was last. Undefined where it is said already. */
export function connected(
  instance: ContainerInstance,
  heard: { agentConnected: true } | { agentConnected: false; atMs: number },
  nowMs: number,
): ContainerInstanceStatus | undefined {
  const { disconnectedAt: _, ...status } = instance.status ?? {};
  if (status.agentConnected === heard.agentConnected || status.status === "INACTIVE") return undefined;
  if (heard.agentConnected) return said(instance, { ...status, agentConnected: true }, nowMs);
  return said(instance, { ...status, agentConnected: false, disconnectedAt: isoOf(heard.atMs) }, nowMs);
}

/** What an operator wants of the machine, as far as it is not so already. */
export function asWanted(instance: ContainerInstance, nowMs: number): ContainerInstanceStatus | undefined {
  const { status, spec } = instance;
  if (status?.status === undefined) return undefined;
  const moved = advanceContainerInstance(status.status, isDrainWanted(spec, nowMs) ? "DRAIN" : "ACTIVATE");
  if (!moved.moved) return undefined;
  // How far a drain is, is not said of a machine that does not drain, not even for a moment.
  const conditions = removeCondition(status.conditions, "Drained");
  return said(instance, { ...status, status: moved.state, conditions }, nowMs);
}

export interface Load {
  remaining: Resource[] | undefined;
  running: number;
  pending: number;
}

/** What its tasks hold of it. Undefined where it is said already. */
export function loaded(
  instance: ContainerInstance,
  { remaining, running, pending }: Load,
  nowMs: number,
): ContainerInstanceStatus | undefined {
  const { status, metadata } = instance;
  if (status?.registeredResources === undefined) return undefined;
  const remainingResources = remaining ?? status.remainingResources;
  if (
    status.runningTasksCount === running &&
    status.pendingTasksCount === pending &&
    JSON.stringify(status.remainingResources) === JSON.stringify(remainingResources)
  ) {
    return undefined;
  }
  const next = { ...status, remainingResources, runningTasksCount: running, pendingTasksCount: pending };
  const over = overcommitment(remainingResources ?? []);
  if (over !== undefined || getCondition(status.conditions, "Overcommitted") !== undefined)
    next.conditions = setCondition(
      status.conditions,
      {
        type: "Overcommitted",
        status: over === undefined ? "False" : "True",
        reason: over === undefined ? "Fits" : "RegisteredLess",
        message: over ?? "",
        observedGeneration: metadata.generation,
      },
      nowMs,
    );
  return said(instance, next, nowMs);
}

/** What a machine that registered less than before is short of. Its tasks stay. */
function overcommitment(remaining: readonly Resource[]): string | undefined {
  const short = remaining.flatMap(({ name, integerValue = 0 }) =>
    integerValue < 0 ? [`${-integerValue} ${name}`] : [],
  );
  if (short.length === 0) return undefined;
  return `Its tasks hold ${short.join(" and ")} more than the machine has registered by now. They stay; nothing is placed here until they fit.`;
}

/** While no machine of its cluster is heard the fault is likely to be here, and nothing is decided. Undefined where it
 *  is said already. */
export function deafened(
  instance: ContainerInstance,
  deaf: boolean,
  nowMs: number,
): ContainerInstanceStatus | undefined {
  const { status } = instance;
  if (status?.agentConnected !== false || deaf === isDeaf(status)) return undefined;
  return said(instance, status, nowMs, deaf);
}

/** The status with what it says in words, one version on. */
export function said(
  { metadata: { generation: observedGeneration }, spec }: ContainerInstance,
  status: ContainerInstanceStatus,
  nowMs: number,
  deaf = isDeaf(status),
): ContainerInstanceStatus {
  const ready = { type: "Ready", ...readiness(status, spec.cluster, deaf), observedGeneration };
  const conditions = setCondition(status.conditions, ready, nowMs);
  return {
    ...status,
    observedGeneration,
    version: (status.version ?? 0) + 1,
    conditions: ignoredCondition(conditions, "ContainerInstance", spec, observedGeneration, nowMs),
  };
}

const NOBODY_HEARD = "NobodyHeard";
const isDeaf = ({ conditions }: ContainerInstanceStatus): boolean =>
  getCondition(conditions, "Ready")?.reason === NOBODY_HEARD;

function readiness(
  { status, agentConnected, disconnectedAt, statusReason }: ContainerInstanceStatus,
  cluster: string | undefined,
  deaf: boolean,
): Pick<NewCondition, "status" | "reason" | "message"> {
  const not = (reason: string, message = "") => ({ status: "False" as const, reason, message });
  switch (status) {
    case "REGISTERING":
      return not("Registering", "Its agent has not yet registered.");
    case "REGISTRATION_FAILED":
      return not("RegistrationFailed", statusReason);
    case "DEREGISTERING":
      return not("Deregistering", statusReason);
    case "INACTIVE":
      return not("Deregistered", statusReason);
    default:
  }
  if (agentConnected) return { status: "True", reason: status === "DRAINING" ? "Draining" : "Connected", message: "" };
  const last =
    disconnectedAt === undefined ? "The agent is not heard." : `The agent was last heard of at ${disconnectedAt}.`;
  if (!deaf) return not("AgentDisconnected", last);
  return not(
    NOBODY_HEARD,
    `${last} No machine of cluster ${clusterNameOf(cluster)} is heard: that looks like a fault on this side, and until one is heard no task is replaced.`,
  );
}

export const isoOf = (ms: number): string => new Date(ms).toISOString();
