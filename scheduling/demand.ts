import type { ContainerDefinition, TaskDefinitionRevisionSpec, TaskOverride } from "../api/types.gen.js";

export interface HostPort {
  readonly port: number;
  readonly protocol: "tcp" | "udp";
}

/** What one task takes of a machine. */
export interface Demand {
  readonly cpuUnits: number;
  readonly memoryMiB: number;
  /** Host ports that the definition names. Ports that the machine chooses itself are no demand. */
  readonly staticPorts: readonly HostPort[];
  /** Names of attributes that the machine must have. */
  readonly attributes: readonly string[];
  /** Equal for equal demands: what placement remembers about machines, it remembers by this. */
  readonly key: string;
}

export function demand(parts: Partial<Omit<Demand, "key">>): Demand {
  const { cpuUnits = 0, memoryMiB = 0, attributes = [] } = parts;
  const staticPorts = [...new Map((parts.staticPorts ?? []).map((port) => [portKey(port), port])).values()];
  const key = `${cpuUnits}/${memoryMiB}/${staticPorts.map(portKey).sort().join(",")}/${[...attributes].sort().join(",")}`;
  return { cpuUnits, memoryMiB, staticPorts, attributes, key };
}

export const portKey = ({ port, protocol }: HostPort): string => `${port}/${protocol}`;

/**
 * The demand of a task of this revision, in normal form. The task's own `cpu` and `memory` count where they are set,
 * else the sum over its containers, each by `memoryReservation` or else `memory` (spec/02 §4.3).
 */
export function demandOf(spec: TaskDefinitionRevisionSpec, overrides: TaskOverride = {}): Demand {
  const containers = spec.containerDefinitions.map((container) => ({
    ...container,
    ...definedOnly(overrides.containerOverrides?.find((override) => override.name === container.name)),
  }));
  return demand({
    cpuUnits: units(overrides.cpu ?? spec.cpu) ?? sum(containers, (container) => container.cpu ?? 0),
    memoryMiB:
      units(overrides.memory ?? spec.memory) ??
      sum(containers, (container) => container.memoryReservation ?? container.memory ?? 0),
    staticPorts: containers.flatMap((container) => hostPorts(container, spec.networkMode ?? "bridge")),
  });
}

/** An override holds only what differs; the rest of the container stays as defined. */
function definedOnly(override: Partial<ContainerDefinition> = {}): Partial<ContainerDefinition> {
  const { cpu, memory, memoryReservation } = override;
  return Object.fromEntries(
    Object.entries({ cpu, memory, memoryReservation }).filter(([, value]) => value !== undefined),
  );
}

function hostPorts(container: ContainerDefinition, networkMode: string): HostPort[] {
  return (container.portMappings ?? []).flatMap(({ hostPort, containerPort, protocol = "tcp" }) => {
    // On the machine's own network a container's port is the host's port; in bridge mode 0 means "any free one".
    const port = networkMode === "host" ? hostPort || containerPort : networkMode === "bridge" ? hostPort : 0;
    return port ? [{ port, protocol }] : [];
  });
}

const units = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));

const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((total, item) => total + of(item), 0);
