// What can be set about an agent, with ECS's defaults, and how it is read from ECS's variables (spec/05 §4.2).
import { arch } from "node:os";
import type { Attribute } from "../api/types.gen.js";
import type { EngineOptions } from "./engine/engine.js";
import type { ImageOptions, PullBehavior } from "./engine/images.js";

export interface AgentOptions extends EngineOptions, ImageOptions {
  hostname: string;
  /** Where published ports are reached. */
  address: string;
  agentVersion: string;
  attributes: Attribute[];
  /** A share of the machine, where several agents divide it; absent: what the runtime says. */
  cpuUnits?: number;
  memoryMiB?: number;
  /** Taken off the machine's memory: ECS_RESERVED_MEMORY. */
  reservedMemoryMiB: number;
  reservedPorts: number[];
  reservedPortsUdp: number[];
  /** Log drivers registered as capabilities: ECS_AVAILABLE_LOGGING_DRIVERS. */
  loggingDrivers: string[];
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
}

const MINUTE_MS = 60_000;

export const AGENT_DEFAULTS: AgentOptions = {
  hostname: "localhost",
  address: "127.0.0.1",
  agentVersion: "0.1.0",
  attributes: [],
  reservedMemoryMiB: 0,
  reservedPorts: [22, 2375, 2376, 51678, 51679, 51680],
  reservedPortsUdp: [],
  loggingDrivers: ["json-file", "syslog", "awslogs", "none", "awsfirelens"],
  stopTimeoutMs: 30_000,
  startTimeoutMs: 3 * MINUTE_MS,
  cleanupWaitMs: 180 * MINUTE_MS,
  slowLaunchMs: 5_000,
  slowStopMs: 1_000,
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
};

/** @throws Error naming the variable, its value and what is allowed, for a value that cannot be read. A duration
 *  below its minimum is ignored, as in ECS. */
export function agentOptionsFromEnv(env: Readonly<Record<string, string | undefined>>): Partial<AgentOptions> {
  const read = <T>(name: string, parse: (text: string) => T | undefined, allowed: string): T | undefined => {
    const text = env[name];
    if (text === undefined || text === "") return undefined;
    const value = parse(text);
    if (value === undefined) throw new Error(`${name}: "${text}" cannot be read; it must be ${allowed}`);
    return value;
  };
  const duration = (name: string, minimumMs = 0): number | undefined => {
    const ms = read(name, parseDuration, "a duration such as 30s, 10m or 3h");
    return ms !== undefined && ms < minimumMs ? undefined : ms;
  };
  return definedOnly({
    reservedPorts: read("ECS_RESERVED_PORTS", parsePorts, "a JSON array of ports such as [22, 80]"),
    reservedPortsUdp: read("ECS_RESERVED_PORTS_UDP", parsePorts, "a JSON array of ports such as [53]"),
    reservedMemoryMiB: read("ECS_RESERVED_MEMORY", parseCount, "a number of MiB"),
    loggingDrivers: read("ECS_AVAILABLE_LOGGING_DRIVERS", parseStrings, 'a JSON array such as ["json-file","none"]'),
    attributes: read("ECS_INSTANCE_ATTRIBUTES", parseAttributes, 'a JSON object of strings such as {"rack":"r12"}'),
    stopTimeoutMs: duration("ECS_CONTAINER_STOP_TIMEOUT"),
    startTimeoutMs: duration("ECS_CONTAINER_START_TIMEOUT"),
    cleanupWaitMs: duration("ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION", MINUTE_MS),
    pullBehavior: read("ECS_IMAGE_PULL_BEHAVIOR", parseBehavior, "default, always, once or prefer-cached"),
  });
}

/** What every machine says about itself: spec/04 §6. */
export const builtInAttributes = (): Attribute[] => [
  { name: "ecs.os-type", value: "linux" },
  { name: "ecs.os-family", value: "LINUX" },
  { name: "ecs.cpu-architecture", value: arch() === "arm64" ? "arm64" : "x86_64" },
];

const UNITS_MS: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: MINUTE_MS,
  h: 60 * MINUTE_MS,
};

function parseDuration(text: string): number | undefined {
  const part = /(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g;
  if (!new RegExp(`^(?:${part.source})+$`).test(text)) return undefined;
  return [...text.matchAll(part)].reduce(
    (total, [, count, unit]) => total + Number(count) * (UNITS_MS[unit ?? ""] ?? 0),
    0,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const parseCount = (text: string): number | undefined => (/^\d+$/.test(text) ? Number(text) : undefined);

function parsePorts(text: string): number[] | undefined {
  const value = parseJson(text);
  const isPort = (port: unknown): port is number =>
    typeof port === "number" && Number.isInteger(port) && port > 0 && port < 65_536;
  return Array.isArray(value) && value.every(isPort) ? value : undefined;
}

function parseStrings(text: string): string[] | undefined {
  const value = parseJson(text);
  return Array.isArray(value) && value.every((item) => typeof item === "string") ? value : undefined;
}

function parseAttributes(text: string): Attribute[] | undefined {
  const value = parseJson(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const entries = Object.entries(value);
  return entries.every(([, item]) => typeof item === "string")
    ? entries.map(([name, item]) => ({ name, value: item }))
    : undefined;
}

const BEHAVIORS: readonly PullBehavior[] = ["default", "always", "once", "prefer-cached"];
const parseBehavior = (text: string): PullBehavior | undefined => BEHAVIORS.find((behavior) => behavior === text);

function definedOnly<T extends object>(values: { [K in keyof T]: T[K] | undefined }): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}
