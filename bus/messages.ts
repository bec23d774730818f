// What travels between the control plane and agents, and to subscribers. Every message says its type and version.
// JSON in UTF-8; unknown keys are ignored by every reader, so that either side may be a minor version ahead.
import type {
  Attribute,
  ContainerState,
  HealthStatus,
  NetworkBinding,
  Resource,
  Tag,
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
  /** Without a word from the control plane for so long, ms, the agent stops the task by itself: `lostInstances` with
   *  action STOP. */
  stopWhenLostAfterMs?: number;
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
  /** The commit that the agent was built from, where it knows: 8 hex digits. */
  agentHash?: string;
  dockerVersion?: string;
  resources: Resource[];
  attributes: Attribute[];
  /** What tells this machine from others, over restarts, reboots and a lost data folder. */
  machineId?: string;
  /** Another one after each boot, and on each machine: two agents with one identity and two of these are a cloned disk. */
  bootId?: string;
  /** Of the agent's last session; 0 after its start. The next epoch is above this one too, also if the store was
   *  restored from an older backup. */
  epoch?: number;
  /** For the machine's object when that is made: ECS_CONTAINER_INSTANCE_TAGS. */
  tags?: Tag[];
  /** The host ports that tasks may ask for: `8000-8999`; absent: all. */
  portRange?: string;
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
  /** The machine's own, which only the control plane can make: it names the account. */
  containerInstanceArn?: string;
  /** No session is open (`epoch` 0, nothing assigned): the agent keeps what it runs, says why in its log and asks
   *  again later. */
  refused?: Refusal;
}
export interface Refusal {
  /**
   * - `Cloned`: another machine with this identity is at work.
   * - `Busy`: the former session of this identity may still be alive; ask again in a moment.
   * - `Revoked`: the credential was taken back. `Deregistered`: the machine is leaving, or left by `--orphan`.
   * - `VersionSkew`: the agent is newer than the control plane, or more than one minor version older.
   * - `ClusterNotFound`, `InvalidRegistration`: see the message.
   */
  reason: "Cloned" | "Busy" | "Revoked" | "Deregistered" | "VersionSkew" | "ClusterNotFound" | "InvalidRegistration";
  /** For a person: what is wrong, and what to do. */
  message: string;
  retryMs: number;
  /** With `Deregistered`, by `--orphan`: the agent lets go of all containers for good, as with `AssignmentPush.orphan`,
   *  which may have been lost. */
  orphan?: boolean;
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
  /** The machine is deregistered by `--orphan`: all containers run on, and the agent lets go of them for good. */
  orphan?: boolean;
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
  /**
   * - `restart`: the agent ends, its containers run on.
   * - `stop`: the whole machine stops, and its containers with it; it will be back.
   * - `leave`: the machine leaves for good. Its tasks are stopped by pushes: the agent stays until they are down.
   */
  kind: "restart" | "stop" | "leave";
}
/** Subject `davit.v1.down.<id>.probe`, a request whose reply lies under `davit.v1.up.<id>.r.>`: what the machine is
 *  like just now. */
export interface ProbeRequest {
  type: "davit.v1.ProbeRequest";
}
export interface ProbeAnswer {
  type: "davit.v1.ProbeAnswer";
  agentVersion: string;
  /** The machine's clock, Unix epoch. */
  nowMs: number;
  /** What each live task uses: CPU units (1024 a core, over the last second) and MiB without file cache. */
  usage: { task: TaskId; cpuUnits: number; memoryMiB: number }[];
  /** The file system that holds the runtime's data. */
  disk?: { path: string; totalBytes: number; freeBytes: number };
  /** Containers with this agent's label that belong to no task of its (any more), or were orphaned on purpose. */
  orphans: { id: string; name: string; task: TaskId; deliberate: boolean }[];
  /** What the agent may not do and should, or what does not answer, for a person. */
  problems: string[];
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
