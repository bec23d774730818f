// What can be set about an agent, with ECS's defaults. How it is read from ECS's variables: options-env.ts.
import type { Attribute, Tag } from "../api/types.gen.js";
import type { EngineOptions } from "./engine/engine.js";
import type { ImageOptions } from "./engine/images.js";

export { agentOptionsFromEnv } from "./options-env.js";

export interface AgentOptions extends EngineOptions, ImageOptions {
  hostname: string;
  /** Where published ports are reached. */
  address: string;
  agentVersion: string;
  /** The commit that it was built from; empty if that is not known. */
  agentHash: string;
  /** What tells this machine, and this boot of it, from others: machine.ts. */
  machineId?: string;
  bootId?: string;
  attributes: Attribute[];
  /** For the machine's object, when that is made: ECS_CONTAINER_INSTANCE_TAGS. */
  tags: Tag[];
  /** A share of the machine, where several agents divide it; absent: what the runtime says. */
  cpuUnits?: number;
  memoryMiB?: number;
  /** Taken off the machine's memory: ECS_RESERVED_MEMORY. */
  reservedMemoryMiB: number;
  reservedPorts: number[];
  reservedPortsUdp: number[];
  /** Log drivers registered as capabilities: ECS_AVAILABLE_LOGGING_DRIVERS. */
  loggingDrivers: string[];
  /** What of these options could not be used, for a person. */
  problems: string[];
  /** All containers are listed this often, in case a change was missed. */
  relistMs: number;
  /** A sync this often, in case a push was missed. */
  resyncMs: number;
  /** Reports wait this long for others, to go in one batch. */
  reportWindowMs: number;
  /** How long an answer on the bus may take. */
  answerTimeoutMs: number;
  /** Wait after an unanswered request; it doubles up to the maximum. */
  busRetryMs: number;
  maxBusRetryMs: number;
  /** Whether the time without the control plane is up is looked at this often. */
  lostLookMs: number;
  /** A machine that leaves waits this long for its tasks to be down. */
  leaveTimeoutMs: number;
}

const MINUTE_MS = 60_000;

export const AGENT_DEFAULTS: AgentOptions = {
  hostname: "localhost",
  address: "127.0.0.1",
  agentVersion: "0.1.0",
  agentHash: "",
  attributes: [],
  tags: [],
  reservedMemoryMiB: 0,
  reservedPorts: [22, 2375, 2376, 51678, 51679, 51680],
  reservedPortsUdp: [],
  loggingDrivers: ["json-file", "syslog", "awslogs", "none", "awsfirelens"],
  problems: [],
  stopTimeoutMs: 30_000,
  startTimeoutMs: 3 * MINUTE_MS,
  cleanupWaitMs: 180 * MINUTE_MS,
  slowLaunchMs: 5_000,
  slowStopMs: 1_000,
  hangingMs: 10_000,
  retryMs: 250,
  maxRetryMs: 10_000,
  pullBehavior: "default",
  pullAttempts: 4,
  pullBackoffMs: 500,
  relistMs: MINUTE_MS,
  resyncMs: 10 * MINUTE_MS,
  reportWindowMs: 5,
  answerTimeoutMs: 5_000,
  busRetryMs: 200,
  maxBusRetryMs: 10_000,
  lostLookMs: 1_000,
  leaveTimeoutMs: 10 * MINUTE_MS,
};
