// The normal form of a task definition: every default filled in, sizes as integers, no nulls. What a revision holds,
// and what "read back" means (decision A6).
import { createHash } from "node:crypto";
import { withoutNulls } from "./nulls.js";
import type {
  ContainerDefinition,
  HealthCheck,
  NetworkMode,
  PortMapping,
  TaskDefinitionRevisionSpec,
  TaskDefinitionSpec,
} from "./types.gen.js";
import { parseCpuUnits, parseMemoryMiB } from "./units.js";

/** A revision without its name. */
export type NormalForm = Omit<TaskDefinitionRevisionSpec, "family" | "revision" | "contentHash">;

/** @throws if `cpu` or `memory` are no sizes, which the CRD's patterns do not let through */
export function normalForm(text: TaskDefinitionSpec): NormalForm {
  const { family: _family, cpu, memory, ...rest } = withoutNulls(text);
  const networkMode = rest.networkMode ?? "bridge";
  return {
    ...rest,
    networkMode,
    ...(cpu !== undefined && { cpu: integerText("cpu", cpu, parseCpuUnits(cpu)) }),
    ...(memory !== undefined && { memory: integerText("memory", memory, parseMemoryMiB(memory)) }),
    volumes: rest.volumes ?? [],
    placementConstraints: rest.placementConstraints ?? [],
    containerDefinitions: rest.containerDefinitions.map((container) => normalContainer(container, networkMode)),
  };
}

/** SHA-256 (hex) of the normal form: two texts with the same hash are the same text. Key order does not count. */
export const contentHash = (content: NormalForm): string =>
  createHash("sha256").update(canonicalJson(content)).digest("hex");

/** The spec of revision `family:revision` of a text. */
export function revisionSpec(family: string, revision: number, text: TaskDefinitionSpec): TaskDefinitionRevisionSpec {
  const content = normalForm(text);
  return { family, revision, contentHash: contentHash(content), ...content };
}

function normalContainer(container: ContainerDefinition, networkMode: NetworkMode): ContainerDefinition {
  return {
    ...container,
    cpu: container.cpu ?? 0,
    essential: container.essential ?? true,
    environment: container.environment ?? [],
    mountPoints: container.mountPoints ?? [],
    volumesFrom: container.volumesFrom ?? [],
    portMappings: (container.portMappings ?? []).map((mapping) => normalPort(mapping, networkMode)),
    ...(container.healthCheck && { healthCheck: normalHealthCheck(container.healthCheck) }),
  };
}

/** In `bridge` mode a missing host port is 0, any free one; in the others it can only be the container's own. */
function normalPort(mapping: PortMapping, networkMode: NetworkMode): PortMapping {
  const { containerPort, protocol = "tcp" } = mapping;
  if (containerPort === undefined) return { ...mapping, protocol };
  const hostPort = mapping.hostPort ?? (networkMode === "bridge" ? 0 : containerPort);
  return { ...mapping, protocol, hostPort };
}

const normalHealthCheck = (check: HealthCheck): HealthCheck => ({
  ...check,
  interval: check.interval ?? 30,
  timeout: check.timeout ?? 5,
  retries: check.retries ?? 3,
});

function integerText(field: string, text: string | number, value: number | undefined): string {
  if (value === undefined) throw new Error(`Invalid '${field}' setting for task: ${JSON.stringify(text)} is no size`);
  return String(value);
}

/** JSON with the keys of every object in order. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, field: unknown) =>
    typeof field === "object" && field !== null && !Array.isArray(field)
      ? Object.fromEntries(Object.entries(field).sort(([a], [b]) => (a < b ? -1 : 1)))
      : field,
  );
}
