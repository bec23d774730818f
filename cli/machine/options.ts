// What is said about a machine when it joins, and kept with its identity.
import type { AgentOptions } from "../../agent/options.js";
import { parsePortRange } from "../../api/port-range.js";
import type { Attribute } from "../../api/types.gen.js";
import { UsageError } from "../failure.js";

export interface MachineOptions {
  zone?: string;
  attributes?: Attribute[];
  /** It leaves when it ends. */
  ephemeral?: boolean;
  runtime?: "docker" | "simulated";
  /** Shares of a machine that several agents divide; all of it if left out. */
  cpuUnits?: number;
  memoryMiB?: number;
  /** `8000-8999` */
  portRange?: string;
  introspectionPort?: number;
  hostname?: string;
}

/** Options as they are typed. */
export interface TypedOptions {
  zone?: string;
  attribute?: string[];
  ephemeral?: boolean;
  runtime?: "docker" | "simulated";
  cpu?: number;
  memory?: number;
  ports?: string;
  introspectionPort?: number;
  hostname?: string;
}

/** ECS's name of a machine's zone, which placement spreads over. */
const ZONE = "ecs.availability-zone";
const MAX_ATTRIBUTES = 10;

/** @throws UsageError naming the option, the rule and the value */
export function machineOptions(typed: TypedOptions): MachineOptions {
  const { zone, attribute, ephemeral, runtime, cpu, memory, ports, introspectionPort, hostname } = typed;
  if (zone !== undefined) checkValue(`--zone "${zone}"`, zone);
  return {
    ...(zone !== undefined && { zone }),
    ...(attribute && { attributes: attributes(attribute) }),
    ...(ephemeral !== undefined && { ephemeral }),
    ...(runtime !== undefined && { runtime }),
    ...(cpu !== undefined && { cpuUnits: cpu }),
    ...(memory !== undefined && { memoryMiB: memory }),
    ...(ports !== undefined && { portRange: portRange(ports) }),
    ...(introspectionPort !== undefined && { introspectionPort }),
    ...(hostname !== undefined && { hostname: checkedHostname(hostname) }),
  };
}

/** As the agent takes them. */
export const agentOptions = (options: MachineOptions): Partial<AgentOptions> => {
  const { zone, attributes = [], cpuUnits, memoryMiB, portRange } = options;
  const range = portRange === undefined ? undefined : parsePortRange(portRange);
  return {
    ...(range && { portRange: range }),
    ...(cpuUnits !== undefined && { cpuUnits }),
    ...(memoryMiB !== undefined && { memoryMiB }),
    attributes: [...attributes, ...(zone === undefined ? [] : [{ name: ZONE, value: zone }])],
  };
};

/** `NAME=VALUE` or `NAME`, with ECS's limits. */
function attributes(typed: readonly string[]): Attribute[] {
  if (typed.length > MAX_ATTRIBUTES)
    throw new UsageError(
      `--attribute: a machine can have ${MAX_ATTRIBUTES} attributes of its own, not ${typed.length}.`,
    );
  const found = new Map<string, Attribute>();
  for (const text of typed) {
    const at = text.indexOf("=");
    const name = at === -1 ? text : text.slice(0, at);
    const option = `--attribute "${text}"`;
    checkName(option, name);
    if (found.has(name)) throw new UsageError(`${option}: the attribute "${name}" is given twice.`);
    if (at === -1) found.set(name, { name });
    else found.set(name, { name, value: checkValue(option, text.slice(at + 1)) });
  }
  return [...found.values()];
}

function checkName(option: string, name: string): void {
  if (!/^[A-Za-z0-9_./\\-]{1,128}$/.test(name))
    throw new UsageError(
      `${option}: an attribute's name has 1 to 128 letters, digits, "-", "_", ".", "/" and "\\"; write it as NAME=VALUE.`,
    );
  if (/^(ecs|com\.amazonaws\.ecs)\./.test(name))
    throw new UsageError(
      `${option}: names that begin with "ecs." or "com.amazonaws.ecs." are the agent's own` +
        `${name === ZONE ? "; the zone is set with --zone" : ""}.`,
    );
}

function checkValue(option: string, value: string): string {
  if (/^[A-Za-z0-9_.@:/\\ -]{1,128}$/.test(value) && value.trim() === value) return value;
  throw new UsageError(
    `${option}: a value has 1 to 128 letters, digits, "-", "_", ".", "@", ":", "/", "\\" and blanks, none of them at its ends.`,
  );
}

function portRange(typed: string): string {
  const [, from, to] = /^(\d{1,5})-(\d{1,5})$/.exec(typed) ?? [];
  if (from !== undefined && to !== undefined && Number(from) > 0 && Number(from) <= Number(to) && Number(to) < 65_536)
    return `${Number(from)}-${Number(to)}`;
  throw new UsageError(`--ports "${typed}": it must be FROM-TO with ports from 1 to 65535, such as 8000-8999.`);
}

function checkedHostname(typed: string): string {
  if (/^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(typed)) return typed;
  throw new UsageError(`--hostname "${typed}": letters, digits, "-" and "." make a host name.`);
}
