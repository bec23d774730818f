// Builders with defaults, so that a test shows only what matters to it.
import type {
  ContainerDefinition,
  Service,
  ServiceSpec,
  ServiceStatus,
  Task,
  TaskDefinitionRevision,
  TaskSet,
  TaskSetSpec,
  TaskSpec,
  TaskStatus,
} from "../../../api/types.gen.js";
import type { ContainerReport, SyncRequest, TaskReport } from "../../../bus/messages.js";

export const T0 = Date.parse("2026-03-01T12:00:00.000Z");
export const iso = (ms: number): string => new Date(ms).toISOString();

const meta = (name: string) => ({
  name,
  namespace: "default",
  uid: "3f2b8c1e-0000-4000-8000-000000000001",
  resourceVersion: "1",
  generation: 1,
  creationTimestamp: iso(T0),
});

export interface TaskParts {
  name?: string;
  slot?: number;
  attempt?: number;
  deleting?: boolean;
  annotations?: Record<string, string>;
  spec?: Partial<TaskSpec>;
  status?: TaskStatus;
}

export function taskOf({ name = "web-0-a", slot = 0, attempt, deleting, annotations, spec, status }: TaskParts): Task {
  return {
    apiVersion: "davit.dev/v1",
    kind: "Task",
    metadata: {
      ...meta(name),
      labels: { "davit.dev/slot": String(slot) },
      ...(annotations && { annotations }),
      ...(attempt !== undefined && { annotations: { "davit.dev/attempt": String(attempt) } }),
      ...(deleting && { deletionTimestamp: iso(T0) }),
    },
    spec: { taskDefinition: "web:1", cluster: "default", ...spec },
    ...(status && { status }),
  };
}

export const running = (parts: TaskParts & { healthyAtMs?: number } = {}): Task =>
  taskOf({
    ...parts,
    status: {
      lastStatus: "RUNNING",
      desiredStatus: "RUNNING",
      version: 2,
      startedAt: iso(T0),
      healthyAt: iso(parts.healthyAtMs ?? T0),
      ...parts.status,
    },
  });

export const pending = (parts: TaskParts = {}): Task =>
  taskOf({ ...parts, status: { lastStatus: "PENDING", desiredStatus: "RUNNING", version: 1, ...parts.status } });

export const stopped = (parts: TaskParts = {}): Task =>
  taskOf({
    ...parts,
    status: { lastStatus: "STOPPED", desiredStatus: "STOPPED", version: 3, stoppedAt: iso(T0), ...parts.status },
  });

export const taskSetOf = (name: string, spec: Partial<TaskSetSpec> = {}): TaskSet => ({
  apiVersion: "davit.dev/v1",
  kind: "TaskSet",
  metadata: meta(name),
  spec: { cluster: "default", service: "web", taskDefinition: "web:1", role: "PRIMARY", desiredCount: 3, ...spec },
});

export const containerOf = (parts: Partial<ContainerDefinition> = {}): ContainerDefinition => ({
  name: "app",
  image: "busybox",
  memory: 32,
  ...parts,
});

export const containerReport = (parts: Partial<ContainerReport> = {}): ContainerReport => ({
  name: "app",
  image: "busybox",
  lastStatus: "RUNNING",
  health: "UNKNOWN",
  networkBindings: [],
  ...parts,
});

export const reportOf = (parts: Partial<TaskReport> = {}): TaskReport => ({
  task: "3f2b8c1e000040008000000000000001",
  namespace: "default",
  name: "web-0-a",
  seq: 1,
  state: "RUNNING",
  containers: [containerReport({ startedAtMs: T0 })],
  observedAtMs: T0,
  ...parts,
});

export const serviceOf = (
  spec: Partial<ServiceSpec> = {},
  {
    deleting,
    status,
    annotations,
  }: { deleting?: boolean; status?: ServiceStatus; annotations?: Record<string, string> } = {},
): Service => ({
  apiVersion: "davit.dev/v1",
  kind: "Service",
  metadata: { ...meta("web"), ...(annotations && { annotations }), ...(deleting && { deletionTimestamp: iso(T0) }) },
  spec: { taskDefinition: "app", desiredCount: 3, ...spec } as ServiceSpec,
  ...(status && { status }),
});

export const revisionOf = (
  revision: number,
  {
    family = "app",
    active = true,
    registeredAtMs = T0 - 60_000,
    batch,
  }: { family?: string; active?: boolean; registeredAtMs?: number; batch?: string } = {},
): TaskDefinitionRevision => ({
  apiVersion: "davit.dev/v1",
  kind: "TaskDefinitionRevision",
  metadata: { ...meta(`${family}.${revision}`), ...(batch && { annotations: { "davit.dev/batch": batch } }) },
  spec: { family, revision, contentHash: `hash-${revision}`, containerDefinitions: [containerOf()] },
  status: { status: active ? "ACTIVE" : "INACTIVE", registeredAt: iso(registeredAtMs) },
});

export const syncOf = (instance: string, parts: Partial<SyncRequest> = {}): SyncRequest => ({
  type: "davit.v1.SyncRequest",
  instance,
  namespace: "default",
  cluster: "default",
  hostname: "host",
  address: "10.0.0.7",
  agentVersion: "1.2.3",
  resources: [
    { name: "CPU", type: "INTEGER", integerValue: 1024 },
    { name: "MEMORY", type: "INTEGER", integerValue: 1024 },
  ],
  attributes: [],
  tasks: [],
  ...parts,
});
