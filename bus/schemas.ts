// The schema of every message between control plane and agents (messages.ts says what they mean).

import type {
  Attribute,
  NetworkBinding,
  Resource,
  Tag,
  TaskDefinitionRevisionSpec,
  TaskOverride,
} from "../api/types.gen.js";
import type { ReplayRequest } from "./event-messages.js";
import type {
  Assignment,
  AssignmentPush,
  ContainerReport,
  Goodbye,
  Heartbeat,
  LogsChunk,
  LogsRequest,
  ProbeAnswer,
  ProbeRequest,
  Refusal,
  ReportAnswer,
  ReportBatch,
  StreamPing,
  Superseded,
  SyncAnswer,
  SyncRequest,
  TaskReport,
} from "./messages.js";
import {
  anyObject,
  count,
  flag,
  hex32,
  integer,
  list,
  literal,
  number,
  object,
  oneOf,
  optional,
  record,
  text,
} from "./schema.js";

const stopCode = oneOf(
  "TaskFailedToStart",
  "EssentialContainerExited",
  "UserInitiated",
  "ServiceSchedulerInitiated",
  "SpotInterruption",
  "TerminationNotice",
  "InfrastructureHealth",
);
const taskState = oneOf(
  "PROVISIONING",
  "PENDING",
  "ACTIVATING",
  "RUNNING",
  "DEACTIVATING",
  "STOPPING",
  "DEPROVISIONING",
  "STOPPED",
);
const networkBinding = object<NetworkBinding>({
  bindIP: text(),
  containerPort: count(),
  hostPort: count(),
  protocol: oneOf("tcp", "udp"),
  containerPortRange: optional(text()),
  hostPortRange: optional(text()),
});
const containerReport = object<ContainerReport>({
  name: text(),
  image: text(),
  runtimeId: optional(text()),
  imageDigest: optional(text()),
  lastStatus: oneOf("PENDING", "PULLED", "CREATED", "RUNNING", "STOPPED"),
  health: oneOf("HEALTHY", "UNHEALTHY", "UNKNOWN"),
  exitCode: optional(integer),
  reason: optional(text("Docker's or the agent's words for what went wrong")),
  networkBindings: list(networkBinding),
  startedAtMs: optional(number),
  finishedAtMs: optional(number),
});
const taskReport = object<TaskReport>({
  task: hex32,
  namespace: text(),
  name: text("metadata.name of the Task"),
  seq: count("rising per task and session"),
  state: oneOf("PENDING", "RUNNING", "STOPPING", "STOPPED"),
  containers: list(containerReport),
  pullStartedAtMs: optional(number),
  pullStoppedAtMs: optional(number),
  stopCode: optional(stopCode),
  stoppedReason: optional(text()),
  observedAtMs: number,
});
const resource = object<Resource>({
  name: text(),
  type: oneOf("INTEGER", "STRINGSET"),
  integerValue: optional(integer),
  longValue: optional(integer),
  doubleValue: optional(number),
  stringSetValue: optional(list(text())),
});
const attribute = object<Attribute>({
  name: text(),
  value: optional(text()),
  targetType: optional(literal("container-instance")),
  targetId: optional(text()),
});
const assignment = object<Assignment>({
  task: hex32,
  namespace: text(),
  name: text(),
  cluster: text(),
  revision: text("`family:N`"),
  overrides: optional(anyObject<TaskOverride>("TaskOverride")),
  desiredStatus: oneOf("RUNNING", "STOPPED"),
  lastStatus: optional(taskState),
  stopCode: optional(stopCode),
  stopReason: optional(text()),
  group: optional(text()),
  startedBy: optional(text()),
  taskArn: text(),
  stopWhenLostAfterMs: optional(number),
});
const revisions = record(anyObject<TaskDefinitionRevisionSpec>("spec of a TaskDefinitionRevision"));
const epoch = count("session number of the instance");

export const syncRequest = object<SyncRequest>({
  type: literal("davit.v1.SyncRequest"),
  instance: hex32,
  namespace: text(),
  cluster: text(),
  hostname: text(),
  address: text(),
  agentVersion: text(),
  agentHash: optional(text("the commit that the agent was built from")),
  dockerVersion: optional(text()),
  resources: list(resource),
  attributes: list(attribute),
  machineId: optional(text()),
  bootId: optional(text()),
  epoch: optional(count("of the agent's last session")),
  tags: optional(list(object<Tag>({ key: text(), value: optional(text()) }))),
  portRange: optional(text("such as `8000-8999`")),
  tasks: list(taskReport),
});
export const syncAnswer = object<SyncAnswer>({
  type: literal("davit.v1.SyncAnswer"),
  epoch,
  seq: count("pushes of this session count from here"),
  assignments: list(assignment),
  revisions,
  heartbeatMs: count("heartbeats are wanted this often"),
  containerInstanceArn: optional(text()),
  refused: optional(
    object<Refusal>({
      reason: oneOf(
        "Cloned",
        "Busy",
        "Revoked",
        "Deregistered",
        "VersionSkew",
        "ClusterNotFound",
        "InvalidRegistration",
      ),
      message: text("what is wrong, and what to do"),
      retryMs: count("ask again after so long"),
      orphan: optional(flag),
    }),
  ),
});
export const assignmentPush = object<AssignmentPush>({
  type: literal("davit.v1.AssignmentPush"),
  epoch,
  seq: count("rises by one with each push of a session"),
  assignments: list(assignment),
  revisions,
  forget: list(hex32),
  orphan: optional(flag),
});
export const reportBatch = object<ReportBatch>({
  type: literal("davit.v1.ReportBatch"),
  instance: hex32,
  epoch,
  reports: list(taskReport),
});
export const reportAnswer = object<ReportAnswer>({
  type: literal("davit.v1.ReportAnswer"),
  ok: flag,
  superseded: optional(flag),
  unknown: optional(list(hex32)),
});
export const heartbeat = object<Heartbeat>({ type: literal("davit.v1.Heartbeat"), instance: hex32, epoch });
export const goodbye = object<Goodbye>({
  type: literal("davit.v1.Goodbye"),
  instance: hex32,
  epoch,
  kind: oneOf("restart", "stop", "leave"),
});
export const probeRequest = object<ProbeRequest>({ type: literal("davit.v1.ProbeRequest") });
export const probeAnswer = object<ProbeAnswer>({
  type: literal("davit.v1.ProbeAnswer"),
  agentVersion: text(),
  nowMs: number,
  usage: list(
    object<ProbeAnswer["usage"][number]>({
      task: hex32,
      cpuUnits: number,
      memoryMiB: number,
    }),
  ),
  disk: optional(object<NonNullable<ProbeAnswer["disk"]>>({ path: text(), totalBytes: number, freeBytes: number })),
  orphans: list(object<ProbeAnswer["orphans"][number]>({ id: text(), name: text(), task: text(), deliberate: flag })),
  problems: list(text()),
});
export const superseded = object<Superseded>({ type: literal("davit.v1.Superseded"), epoch });
export const logsRequest = object<LogsRequest>({
  type: literal("davit.v1.LogsRequest"),
  task: hex32,
  container: optional(text()),
  follow: flag,
  tail: optional(count()),
  sinceMs: optional(number),
});
export const logsChunk = object<LogsChunk>({
  type: literal("davit.v1.LogsChunk"),
  lines: list(
    object<LogsChunk["lines"][number]>({
      container: text(),
      stream: oneOf("stdout", "stderr"),
      atMs: number,
      text: text(),
    }),
  ),
  end: optional(flag),
  error: optional(text()),
});
export const streamPing = object<StreamPing>({
  type: literal("davit.v1.StreamPing"),
  stream: text("the last token of the stream's reply subject"),
  received: count("chunks that the reader has taken"),
  cancel: optional(flag),
});
export const replayRequest = object<ReplayRequest>({
  type: literal("davit.v1.ReplayRequest"),
  next: optional(text("from the page before")),
  kinds: optional(list(text())),
});
