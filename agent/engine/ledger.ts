// The agent has the last word on what fits its machine: it counts what it holds against what it registered. Pure.

import type { PortRange } from "../../api/port-range.js";
import type { Resource } from "../../api/types.gen.js";
import type { ResolvedTask } from "./definition.js";

/** Why `wanted` does not fit beside `held`, in ECS's words (spec/09 §7), or undefined if it does.
 *  @param portRange the share of the host's ports that may be asked for; absent: all */
export function refusal(
  registered: readonly Resource[],
  held: Iterable<ResolvedTask>,
  wanted: ResolvedTask,
  portRange?: PortRange,
): string | undefined {
  let cpuUnits = wanted.cpuUnits;
  let memoryMiB = wanted.memoryMiB;
  const taken = new Set<string>();
  for (const task of held) {
    cpuUnits += task.cpuUnits;
    memoryMiB += task.memoryMiB;
    for (const port of task.hostPorts) taken.add(port);
  }
  for (const resource of registered) {
    if (resource.name === "PORTS") for (const port of resource.stringSetValue ?? []) taken.add(`tcp/${port}`);
    if (resource.name === "PORTS_UDP") for (const port of resource.stringSetValue ?? []) taken.add(`udp/${port}`);
  }
  const limit = (name: string) => registered.find((resource) => resource.name === name)?.integerValue;
  if (cpuUnits > (limit("CPU") ?? Number.POSITIVE_INFINITY)) return "RESOURCE:CPU";
  if (memoryMiB > (limit("MEMORY") ?? Number.POSITIVE_INFINITY)) return "RESOURCE:MEMORY";
  if (wanted.hostPorts.some((port) => taken.has(port) || isOutside(port, portRange))) return "RESOURCE:PORTS";
  return undefined;
}

/** @param port `tcp/80` */
function isOutside(port: string, range: PortRange | undefined): boolean {
  const number = Number(port.split("/")[1]);
  return range !== undefined && (number < range.from || number > range.to);
}
