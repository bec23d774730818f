// The variables of ECS's agent (spec/05 §4.2), read into an agent's options.

import type { PullBehavior } from "./engine/images.js";
import type { AgentOptions } from "./options.js";
import { parseInstanceAttributes } from "./options-attributes.js";
import { parseArray } from "./options-json.js";
import { parsePorts } from "./options-ports.js";
import { bothTags, hostTags, instanceTags } from "./options-tags.js";

type Env = Readonly<Record<string, string | undefined>>;

const MINUTE_MS = 60_000;

/**
 * A duration below its minimum is ignored, as in ECS; an attribute that is not allowed is left out, and `problems` says
 * so.
 * @param hostTagsFile where the machine's own tags stand, for ECS_CONTAINER_INSTANCE_PROPAGATE_TAGS_FROM
 * @throws Error naming the variable, its value and what is allowed, for a value that cannot be read; for
 * ECS_INSTANCE_ATTRIBUTES an InvalidAttributes, with ECS's exit code
 */
export function agentOptionsFromEnv(env: Env, hostTagsFile?: string): Partial<AgentOptions> {
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
  const attributes = parseInstanceAttributes(env.ECS_INSTANCE_ATTRIBUTES);
  return definedOnly({
    reservedPorts: read("ECS_RESERVED_PORTS", parsePorts, "a JSON array of ports such as [22, 80]"),
    reservedPortsUdp: read("ECS_RESERVED_PORTS_UDP", parsePorts, "a JSON array of ports such as [53]"),
    reservedMemoryMiB: read("ECS_RESERVED_MEMORY", parseCount, "a number of MiB"),
    loggingDrivers: read("ECS_AVAILABLE_LOGGING_DRIVERS", parseStrings, 'a JSON array such as ["json-file","none"]'),
    attributes: attributes?.valid,
    problems: attributes?.problems.length ? attributes.problems : undefined,
    tags: bothTags(instanceTags(env), hostTags(env, hostTagsFile)),
    stopTimeoutMs: duration("ECS_CONTAINER_STOP_TIMEOUT"),
    startTimeoutMs: duration("ECS_CONTAINER_START_TIMEOUT"),
    cleanupWaitMs: duration("ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION", MINUTE_MS),
    pullBehavior: read("ECS_IMAGE_PULL_BEHAVIOR", parseBehavior, "default, always, once or prefer-cached"),
  });
}

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

const parseCount = (text: string): number | undefined => (/^\d+$/.test(text) ? Number(text) : undefined);

const isText = (item: unknown): item is string => typeof item === "string";
const parseStrings = (text: string): string[] | undefined => parseArray(text, isText);

const BEHAVIORS: readonly PullBehavior[] = ["default", "always", "once", "prefer-cached"];
const parseBehavior = (text: string): PullBehavior | undefined => BEHAVIORS.find((behavior) => behavior === text);

function definedOnly<T extends object>(values: { [K in keyof T]: T[K] | undefined }): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}
