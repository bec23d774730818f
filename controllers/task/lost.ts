// What becomes of the tasks of a machine whose agent is silent (`lostInstances`). Pure: deadlines come from what is
// stored and from how long this control plane has been able to hear at all, so that neither a restart nor a bus that
// was away shortens any.
import { getCondition } from "../../api/conditions.js";
import type { ContainerInstance, LostInstances, Task } from "../../api/types.gen.js";
import { isSetAside, isStopped, stopAsked } from "./view.js";

/** All fields, with their defaults. */
export interface LostPolicy {
  action: NonNullable<LostInstances["action"]>;
  afterMs: number;
  onReturn: NonNullable<LostInstances["onReturn"]>;
}

/** Field by field: the service's, else the cluster's, else replaced after five minutes. A standalone task has no
 *  service's. */
export function lostPolicy(service: LostInstances | undefined, cluster: LostInstances | undefined): LostPolicy {
  return {
    action: service?.action ?? cluster?.action ?? "REPLACE",
    afterMs: 1_000 * (service?.afterSeconds ?? cluster?.afterSeconds ?? 300),
    onReturn: service?.onReturn ?? cluster?.onReturn ?? "REPLACEMENT",
  };
}

/** How well this control plane can hear, for one cluster. */
export interface Hearing {
  /** Since when, ms, it has without a break been connected itself and heard at least one of the cluster's machines;
   *  undefined: it is cut off, or no machine of the cluster is heard, and then the fault is likely to be here. */
  sinceMs: number | undefined;
  /** So long after that every machine has had its chance to be heard, too. */
  graceMs: number;
  /** Spare time for agents that stop tasks by themselves: by their own clock, and as they notice that they are cut. */
  selfStopMarginMs: number;
}

/** Since when, ms, its machine has not been heard of; undefined while it is connected, or has never been. */
export function lostSince({ status }: ContainerInstance): number | undefined {
  if (status?.agentConnected !== false || status.disconnectedAt === undefined) return undefined;
  return Date.parse(status.disconnectedAt);
}

export type Verdict =
  /** Nothing, ever: it is kept, or there is nothing left to decide. */
  | { readonly kind: "keep" }
  /** Nothing before `untilMs`. */
  | { readonly kind: "wait"; readonly untilMs: number }
  /** Nothing while this control plane cannot hear. */
  | { readonly kind: "deaf" }
  /** It counts as stopped. */
  | { readonly kind: "stop" }
  /** It stays as it is and counts no more, until the machine is back. */
  | { readonly kind: "setAside" };

export interface LostTask {
  task: Task;
  policy: LostPolicy;
  /** A service wants it as it is: it belongs to the deployment that is the present one. Nobody takes another back. */
  wantedBack: boolean;
  /** The longest time that its containers may take to stop, ms. */
  stopTimeoutMs: number;
}

/** @param sinceMs since when its machine has not been heard of */
export function judge(
  { task, policy, wantedBack, stopTimeoutMs }: LostTask,
  sinceMs: number,
  hearing: Hearing,
  nowMs: number,
): Verdict {
  const { action, afterMs, onReturn } = policy;
  if (isStopped(task) || action === "KEEP") return { kind: "keep" };
  const original = action === "REPLACE" && onReturn === "ORIGINAL";
  const setAside = original && wantedBack && !stopAsked(task);
  if (setAside && isSetAside(task)) return { kind: "keep" };
  // Nobody takes a standalone task's place: it may as well go on.
  if (original && !hasService(task) && !stopAsked(task)) return { kind: "keep" };
  if (hearing.sinceMs === undefined) return { kind: "deaf" };
  const selfStopMs = action === "STOP" ? stopTimeoutMs + hearing.selfStopMarginMs : 0;
  const untilMs = Math.max(sinceMs + afterMs + selfStopMs, hearing.sinceMs + hearing.graceMs);
  if (untilMs > nowMs) return { kind: "wait", untilMs };
  return { kind: setAside ? "setAside" : "stop" };
}

/** False on a stopped task of which nobody knows yet whether its containers are gone. */
export const CONFIRMED_GONE = "ContainersConfirmedGone";

/** Its machine is still to say that its containers are gone. Of orphans nobody ever says that. */
export function isUnconfirmed(task: Task): boolean {
  if (!isStopped(task)) return false;
  const gone = getCondition(task.status?.conditions, CONFIRMED_GONE);
  return gone?.status === "False" && gone.reason !== "Orphaned";
}

const hasService = ({ metadata }: Task): boolean =>
  metadata.ownerReferences?.some(({ kind, controller }) => kind === "TaskSet" && controller) ?? false;
