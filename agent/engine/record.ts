// What the engine keeps in memory about the tasks of this machine. All of it can be had again from the runtime's
// labels and the next sync answer.
import type { Assignment, TaskId, TaskReport } from "../../bus/messages.js";
import type { RuntimeContainer } from "../runtimes/runtime.js";
import type { ResolvedTask } from "./definition.js";

/** What is wanted of a task. `UNKNOWN`: found by its labels, no sync answer yet. `ABSENT`: not assigned, to be
 *  stopped and removed. `LET_GO`: orphaned, it runs on and is nobody's. It never goes back from the last three. */
export type Desired = "UNKNOWN" | "RUNNING" | "STOPPED" | "ABSENT" | "LET_GO";

/** Why a task goes down: the first cause counts. */
export interface Cause {
  code?: NonNullable<Assignment["stopCode"]>;
  reason: string;
  /** The control plane asked for it, so it need not be told at once. */
  asked: boolean;
}

/** A step under way. `look`: ask the runtime what became of the container. */
export type Busy = "pull" | "create" | "start" | "stop" | "remove" | "rename" | "look";

export interface ContainerRecord {
  name: string;
  image: string;
  essential: boolean;
  /** SIGTERM to SIGKILL. */
  graceMs: number;
  pulled: boolean;
  observed: RuntimeContainer | undefined;
  /** It was seen, or is known to have run, and is gone without our doing. */
  lost: boolean;
  /** Why it can never start, with ECS's error name in front. */
  failure: string | undefined;
  /** The runtime did not say how the last step ended, so the container may live: look before anything else. */
  uncertain: boolean;
  busy: Busy | undefined;
  /** Something happened to it during `busy`: look once that is over. */
  dirty: boolean;
  /** Failed steps in a row, and the time before which none is tried. */
  attempts: number;
  retryAtMs: number;
  failingSinceMs: number | undefined;
  /** Why the last step failed. */
  trouble: string | undefined;
  /** Gives up the pull under way. */
  abandonPull: (() => void) | undefined;
  /** The engine's count of events when `observed` was last set: an older list says nothing about it. */
  seenAt: number;
}

export interface TaskRecord {
  /** The task id; for a second container under one name, that and the runtime's id. */
  key: string;
  task: TaskId;
  namespace: string;
  name: string;
  desired: Desired;
  assignment?: Assignment;
  resolved?: ResolvedTask;
  /** How many containers the task has, by its definition or by its labels. */
  size: number;
  containers: Map<string, ContainerRecord>;
  cause?: Cause;
  /** Of the newest assignment, or of the containers' labels while there is none. */
  stopWhenLostAfterMs?: number;
  /** It was without the control plane for so long, ms, that it stops by itself. */
  lostForMs?: number;
  /** Since when nothing of it may be created or started, because others have to go first. */
  heldSinceMs?: number;
  /** Since when the present launch or stop is under way. */
  sinceMs: number;
  /** ABSENT only: stopped containers are kept until then, for their logs. */
  keepUntilMs: number;
  pullStartedAtMs?: number;
  pullStoppedAtMs?: number;
  /** By the last plan. */
  state: TaskReport["state"];
  /** Rises with each report made. */
  seq: number;
  /** What was last reported, as a string to compare. */
  reported?: string;
}

export const newContainer = (name: string, image: string, essential: boolean, graceMs: number): ContainerRecord => ({
  name,
  image,
  essential,
  graceMs,
  pulled: false,
  observed: undefined,
  failure: undefined,
  busy: undefined,
  failingSinceMs: undefined,
  trouble: undefined,
  abandonPull: undefined,
  lost: false,
  uncertain: false,
  dirty: false,
  attempts: 0,
  retryAtMs: 0,
  seenAt: 0,
});

/** SIGTERM to SIGKILL: the definition's `stopTimeout` (seconds), or the agent's own. */
export const graceMs = (stopTimeoutSeconds: number | string | undefined, defaultMs: number): number =>
  stopTimeoutSeconds === undefined ? defaultMs : Number(stopTimeoutSeconds) * 1000;
