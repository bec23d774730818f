// What travels between the control plane and agents, and to subscribers. Every message says its type and version.
// JSON in UTF-8; unknown keys are ignored by every reader, so that either side may be a minor version ahead.
import type {
  Attribute,
  ContainerState,
  HealthStatus,
  NetworkBinding,
  Resource,
  TaskDefinitionRevisionSpec,
  TaskOverride,
  TaskState,
  TaskStopCode,
} from "../api/types.gen.js";

/** 32 hex digits. */
export type InstanceId = string;
/** metadata.uid of a Task without hyphens: 32 hex digits. */
export type TaskId = string;

/** The whole desired state of one task on one machine. */
export interface Assignment {
  task: TaskId;
  namespace: string;
  /** metadata.name of the Task. */
  name: string;
  cluster: string;
  /** `family:N`; its definition is in `revisions` of this message or of an earlier one of this session. */
  revision: string;
  overrides?: TaskOverride;
  desiredStatus: "RUNNING" | "STOPPED";
  /** What the store has. From `RUNNING` on, a container that the agent does not find is lost, and is not started again. */
  lastStatus?: TaskState;
  stopCode?: TaskStopCode;
  stopReason?: string;
  group?: string;
  startedBy?: string;
  taskArn: string;
}

/** Definitions that assignments refer to, by `<namespace>/<family:N>`. */
export type Revisions = Record<string, TaskDefinitionRevisionSpec>;

/** Subject `davit.v1.up.<id>.sync`, a request. Opens a session. */
export interface SyncRequest {
  type: "davit.v1.SyncRequest";
  instance: InstanceId;
  namespace: string;
  cluster: string;
  hostname: string;
  address: string;
  agentVersion: string;
  dockerVersion?: string;
  resources: Resource[];
  attributes: Attribute[];
  /** The last observed state of every task that this agent has anything of. */
  tasks: TaskReport[];
}
/** The complete list: what is missing from it is to be stopped and removed. Nothing else ever means that. */
export interface SyncAnswer {
  type: "davit.v1.SyncAnswer";
  epoch: number;
  /** Pushes of this session count from seq + 1. */
  seq: number;
  assignments: Assignment[];
  revisions: Revisions;
  /** Heartbeats are wanted this often, ms. */
  heartbeatMs: number;
}
/** Subject `davit.v1.down.<id>.assign`. New or changed assignments; what is not named stays as it is. */
export interface AssignmentPush {
  type: "davit.v1.AssignmentPush";
  epoch: number;
  /** Rises by one with each push of a session: on a gap, sync again. */
  seq: number;
  assignments: Assignment[];
  revisions: Revisions;
  /** Tasks that are STOPPED in the store: the agent may forget them. */
  forget: TaskId[];
}

export interface ContainerReport {
  name: string;
  image: string;
  runtimeId?: string;
  imageDigest?: string;
  lastStatus: ContainerState;
  health: HealthStatus;
  exitCode?: number;
  /** Docker's or the agent's words for what went wrong, e.g. `CannotPullContainerError: …`. */
  reason?: string;
  networkBindings: NetworkBinding[];
  startedAtMs?: number;
  finishedAtMs?: number;
}
/** Whole observed state of one task. Each one replaces the last. */
export interface TaskReport {
  task: TaskId;
  namespace: string;
  name: string;
  /** Rising per task and session: a receiver drops any at or below the last it stored. */
  seq: number;
  /** What the agent has made of it; only PENDING, RUNNING, STOPPING (containers on their way down) and STOPPED. */
  state: Extract<TaskState, "PENDING" | "RUNNING" | "STOPPING" | "STOPPED">;
  containers: ContainerReport[];
  pullStartedAtMs?: number;
  pullStoppedAtMs?: number;
  stopCode?: TaskStopCode;
  stoppedReason?: string;
  /** Agent's clock, Unix epoch; for display, never for ordering. */
  observedAtMs: number;
}
/** Subject `davit.v1.up.<id>.report`, a request; resent until answered. */
export interface ReportBatch {
  type: "davit.v1.ReportBatch";
  instance: InstanceId;
  epoch: number;
  reports: TaskReport[];
}
/** Answered after the store commit. `superseded`: another session is open, sync again. */
export interface ReportAnswer {
  type: "davit.v1.ReportAnswer";
  ok: boolean;
  superseded?: boolean;
  /** Tasks the control plane does not know (any more): remove what is left of them after the next sync. */
  unknown?: TaskId[];
}
/** Subject `davit.v1.up.<id>.heartbeat`; published, never answered. */
export interface Heartbeat {
  type: "davit.v1.Heartbeat";
  instance: InstanceId;
  epoch: number;
}
/** Subject `davit.v1.up.<id>.goodbye`; published on a clean shutdown. */
export interface Goodbye {
  type: "davit.v1.Goodbye";
  instance: InstanceId;
  epoch: number;
  kind: "stop" | "leave";
}
/** Subject `davit.v1.down.<id>.superseded`: the agent's session is over, sync again. `epoch` is the one in the store:
 *  above the agent's own if another session was opened under this identity, the same if the control plane has only
 *  lost the session, as by a restart. */
export interface Superseded {
  type: "davit.v1.Superseded";
  epoch: number;
}
/** Subject `davit.v1.down.<id>.logs`, a request whose reply lies under `davit.v1.up.<id>.r.>`; streamed. */
export interface LogsRequest {
  type: "davit.v1.LogsRequest";
  task: TaskId;
  container?: string;
  follow: boolean;
  tail?: number;
  sinceMs?: number;
}
/** Each answer message of a stream, numbered from 0 in the header `Davit-Chunk`; the last one has `end`. A stream that
 *  hears no ping for 10 s ends itself. */
export interface LogsChunk {
  type: "davit.v1.LogsChunk";
  lines: { container: string; stream: "stdout" | "stderr"; atMs: number; text: string }[];
  end?: boolean;
  error?: string;
}
/** Subject `davit.v1.down.<id>.stream`, every 2 s and each time the reader has taken some more of an open stream. */
export interface StreamPing {
  type: "davit.v1.StreamPing";
  /** The last token of the stream's reply subject. */
  stream: string;
  /** Chunks that the reader has taken so far: the sender stays at most 64 ahead. */
  received: number;
  /** Nobody reads this stream any more: end it. */
  cancel?: boolean;
}
