// Which machines are to lose their tasks, and when. Pure.
import type { ContainerInstance, ContainerInstanceSpec } from "../../api/types.gen.js";

/** Its operator wants it drained: at once, or since `drainAt`. */
export const isDrainWanted = ({ status, drainAt }: ContainerInstanceSpec, nowMs: number): boolean =>
  status === "DRAINING" || (drainAt !== undefined && Date.parse(drainAt) <= nowMs);

/** When `isDrainWanted` changes just by time passing, ms; undefined if it does not. */
export function drainDueMs({ spec }: ContainerInstance, nowMs: number): number | undefined {
  if (spec.drainAt === undefined || isDrainWanted(spec, nowMs)) return undefined;
  return Date.parse(spec.drainAt);
}

/**
 * Its services' tasks are to go elsewhere. No clock: an operator's wish counts at once, and `drainAt` from when it was
 * acted on, so that placement, which looks at `status`, and the services' plans agree at every moment.
 */
export function isLeaving({ spec, status }: ContainerInstance): boolean {
  const state = status?.status;
  if (state === "DEREGISTERING" || state === "INACTIVE" || spec.deregister !== undefined) return true;
  // After an uncordon what is still there stays at once, though nothing new comes before the state says ACTIVE.
  return spec.status === "DRAINING" || (state === "DRAINING" && spec.drainAt !== undefined);
}

/** Its agent was heard once, and is not now: nobody knows how its tasks are. */
export const isSilent = ({ status }: ContainerInstance): boolean =>
  status?.epoch !== undefined && status.agentConnected === false;
