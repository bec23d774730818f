// A healthy Davit's facts, to spoil one at a time.
import type { AccessToken, ContainerInstance, Task } from "../../../api/types.gen.js";
import type { ProbeAnswer } from "../../../bus/messages.js";
import type { Probe } from "../../../cli/api/probes.js";
import type { Diagnosis } from "../../../cli/doctor/diagnosis.js";
import type { Facts, LocalFacts } from "../../../cli/doctor/facts.js";

export const NOW = Date.parse("2026-06-01T12:00:00Z");
export const GIB = 1024 ** 3;
const DAY = 86_400_000;

const at = (ms: number): string => new Date(ms).toISOString();
export const ago = (seconds: number): string => at(NOW - 1000 * seconds);

export const meta = (name: string, uid = name) => ({
  name,
  namespace: "default",
  uid,
  resourceVersion: "1",
  generation: 1,
  creationTimestamp: ago(3_600),
});

export const instance = (name: string, status: Partial<ContainerInstance["status"]> = {}): ContainerInstance => ({
  apiVersion: "davit.dev/v1",
  kind: "ContainerInstance",
  metadata: meta(name),
  spec: {},
  status: {
    status: "ACTIVE",
    agentConnected: true,
    hostname: `host-${name}`,
    machineId: `machine-${name}`,
    versionInfo: { agentVersion: "1.4.0" },
    runningTasksCount: 2,
    ...status,
  },
});

export const answer = (parts: Partial<ProbeAnswer> = {}): Probe => ({
  sentMs: NOW - 100,
  receivedMs: NOW,
  answer: {
    type: "davit.v1.ProbeAnswer",
    agentVersion: "1.4.0",
    nowMs: NOW - 50,
    usage: [],
    disk: { path: "/var/lib/docker", totalBytes: 100 * GIB, freeBytes: 50 * GIB },
    orphans: [],
    problems: [],
    ...parts,
  },
});

export const task = (name: string, status: Partial<Task["status"]> = {}): Task => ({
  apiVersion: "davit.dev/v1",
  kind: "Task",
  metadata: meta(name),
  spec: { taskDefinition: "web", containerInstance: "m1" },
  status: { lastStatus: "RUNNING", createdAt: ago(3_600), ...status },
});

export const token = (name: string, spec: Partial<AccessToken["spec"]> = {}): AccessToken => ({
  apiVersion: "davit.dev/v1",
  kind: "AccessToken",
  metadata: meta(name),
  spec: { use: "User", role: "viewer", hash: "0".repeat(64), expiresAt: at(NOW + 30 * DAY), ...spec },
});

export const diagnosis = (parts: Partial<Diagnosis> = {}): Facts["diagnosis"] => ({
  sentMs: NOW - 100,
  receivedMs: NOW,
  value: {
    davitVersion: "1.4.2",
    nowMs: NOW - 50,
    store: {
      objects: 10,
      revision: 100,
      log: { changes: 90, bytes: 90_000 },
      limit: { changes: 1_000, bytes: 1_000_000 },
      hardLimit: { changes: 4_000, bytes: 4_000_000 },
    },
    heap: { usedBytes: 50, limitBytes: 1000 },
    disk: { path: "/var/lib/davit", totalBytes: 100 * GIB, freeBytes: 50 * GIB },
    bus: { connected: true, eventsOpen: true },
    ...parts,
  },
});

export const local = (parts: Partial<LocalFacts> = {}): LocalFacts => ({
  root: "/var/lib/davit",
  up: true,
  down: [],
  modes: [
    { path: "/var/lib/davit/pki", mode: 0o700, folder: true, ownedByMe: true },
    { path: "/var/lib/davit/pki/ca.key", mode: 0o600, folder: false, ownedByMe: true },
  ],
  disk: { path: "/var/lib/davit", totalBytes: 100 * GIB, freeBytes: 50 * GIB },
  fileTokens: 0,
  ...parts,
});

export const healthy = (parts: Partial<Facts> = {}): Facts => ({
  nowMs: NOW,
  version: "1.4.2",
  server: "https://davit:7443",
  certificate: { validToMs: NOW + 300 * DAY, caValidToMs: NOW + 3_000 * DAY },
  diagnosis: diagnosis(),
  instances: [instance("m1"), instance("m2")],
  clusters: [],
  services: [],
  tasks: [task("t1")],
  tokens: [token("vera")],
  probes: new Map([
    ["default/m1", answer()],
    ["default/m2", answer()],
  ]),
  local: local(),
  ...parts,
});
