// How a machine leaves its cluster: what is to be done next. State in, plan out; `depart.ts` does it.
import type { ContainerInstance, ContainerInstanceStatus, Task } from "../../api/types.gen.js";
import { advanceContainerInstance } from "../../state-machines/container-instance.js";
import { stopAsked } from "../task/view.js";
import { isoOf, said } from "./status.js";

export type Departure =
  /** It stays, or there is nothing to do. */
  | { kind: "stays" }
  /** Nothing is placed on it any more. */
  | { kind: "begins"; reason: string }
  /** Its agent is there to stop these. */
  | { kind: "asksStops"; tasks: readonly Task[] }
  /** For its tasks to end by themselves or by their services. */
  | { kind: "waits" }
  /** They count as stopped, though nobody says so. */
  | { kind: "strands"; tasks: readonly Task[] }
  | { kind: "leaves" }
  /** It has left, and can still be looked at. */
  | { kind: "rests"; untilMs: number }
  /** Nothing of it stays, not even its object. */
  | { kind: "goes" };

/** `Left`: its agent said that it leaves for good. */
export type DepartureKind = "IfEmpty" | "Force" | "Orphan" | "Left";

/** Why the machine leaves; undefined: it does not. Deleting its object is to deregister it where that harms nobody. */
export function departureOf({ metadata, spec, status }: ContainerInstance): DepartureKind | undefined {
  if (spec.deregister !== undefined) return spec.deregister;
  if (metadata.deletionTimestamp !== undefined) return "IfEmpty";
  return status?.status === "DEREGISTERING" && status.statusReason === LEFT ? "Left" : undefined;
}

/** @param tasks bound to it and not STOPPED
 *  @param keepMs how long the object stays after the machine has left */
export function planDeparture(
  instance: ContainerInstance,
  tasks: readonly Task[],
  keepMs: number,
  nowMs: number,
): Departure {
  const { metadata, status } = instance;
  if (status?.status === "INACTIVE") {
    // Placed at the very moment.
    if (tasks.length > 0) return { kind: "strands", tasks };
    if (metadata.deletionTimestamp !== undefined) return { kind: "goes" };
    const untilMs = Date.parse(status.deregisteredAt ?? metadata.creationTimestamp) + keepMs;
    return untilMs <= nowMs ? { kind: "goes" } : { kind: "rests", untilMs };
  }
  const kind = departureOf(instance);
  if (kind === undefined) return { kind: "stays" };
  if (tasks.length === 0) return { kind: "leaves" };
  if (status?.status !== "DEREGISTERING") return { kind: "begins", reason: reasonFor(kind) };
  if (kind === "Orphan") return { kind: "strands", tasks };
  if (kind === "IfEmpty") return { kind: "waits" };
  if (!status.agentConnected) return { kind: "strands", tasks };
  return { kind: "asksStops", tasks: tasks.filter((task) => !stopAsked(task)) };
}

/** Of a machine whose agent said goodbye. */
export const LEFT = "The machine has left for good.";

const reasonFor = (kind: DepartureKind): string =>
  ({
    IfEmpty:
      "It is being deregistered as soon as no task is left on it. Stop them, or deregister it with Force or Orphan.",
    Force: "It is being deregistered by force: its tasks are stopped.",
    Orphan: "It is being deregistered, and its containers are left to themselves.",
    Left: LEFT,
  })[kind];

/** DEREGISTERING. Undefined where it is said already.
 *  @param fenced its agent is out of reach, or not listened to any more: the epoch rises */
export function leaving(
  instance: ContainerInstance,
  reason: string,
  fenced: boolean,
  nowMs: number,
): ContainerInstanceStatus | undefined {
  const { status = {} } = instance;
  const moved = advanceContainerInstance(status.status ?? "REGISTERING", "DEREGISTER");
  if (!moved.moved) return undefined;
  const epoch = (status.epoch ?? 0) + (fenced ? 1 : 0);
  return said(instance, { ...status, status: moved.state, statusReason: reason, epoch }, nowMs);
}

/** INACTIVE: the session is over. Undefined where it is said already. */
export function left(instance: ContainerInstance, nowMs: number): ContainerInstanceStatus | undefined {
  const { disconnectedAt: _, ...status } = instance.status ?? {};
  const moved = advanceContainerInstance(status.status ?? "REGISTERING", "DEREGISTERED");
  if (!moved.moved) return undefined;
  const kind = departureOf(instance) ?? "Left";
  return said(
    instance,
    {
      ...status,
      status: moved.state,
      statusReason: kind === "Left" ? LEFT : "It was deregistered.",
      agentConnected: false,
      epoch: (status.epoch ?? 0) + 1,
      deregisteredAt: isoOf(nowMs),
    },
    nowMs,
  );
}
