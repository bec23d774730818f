// What the agent says of its machine when it opens a session: spec/04 §6 and §8, spec/05 §4.2.
import type { Attribute, Resource } from "../api/types.gen.js";
import type { SyncRequest } from "../bus/messages.js";
import type { AgentOptions } from "./options.js";
import { builtInAttributes } from "./options-attributes.js";
import { portRangeText } from "./options-ports.js";
import type { Capacity } from "./runtimes/runtime.js";

type Registration = Omit<SyncRequest, "type" | "instance" | "namespace" | "cluster" | "epoch" | "tasks">;

export function registration(capacity: Capacity, options: AgentOptions): Registration {
  const { hostname, address, agentVersion, agentHash, machineId, bootId, tags, portRange } = options;
  return {
    hostname,
    address,
    agentVersion,
    ...(agentHash !== "" && { agentHash }),
    dockerVersion: capacity.version,
    resources: resources(capacity, options),
    attributes: attributes(capacity, options),
    ...(machineId !== undefined && { machineId }),
    ...(bootId !== undefined && { bootId }),
    ...(tags.length > 0 && { tags }),
    ...(portRange && { portRange: portRangeText(portRange) }),
  };
}

/** Memory is what the operating system has, less what is reserved; a share is taken as it is given. */
function resources(capacity: Capacity, options: AgentOptions): Resource[] {
  const memoryMiB = options.memoryMiB ?? Math.max(0, capacity.memoryMiB - options.reservedMemoryMiB);
  return [
    { name: "CPU", type: "INTEGER", integerValue: options.cpuUnits ?? capacity.cpuUnits },
    { name: "MEMORY", type: "INTEGER", integerValue: memoryMiB },
    { name: "PORTS", type: "STRINGSET", stringSetValue: options.reservedPorts.map(String) },
    { name: "PORTS_UDP", type: "STRINGSET", stringSetValue: options.reservedPortsUdp.map(String) },
  ];
}

/** Each name once; what is set by hand wins. */
function attributes(capacity: Capacity, options: AgentOptions): Attribute[] {
  const drivers = options.loggingDrivers.map((driver) => ({
    name: `com.amazonaws.ecs.capability.logging-driver.${driver}`,
  }));
  const all = [...builtInAttributes(), ...drivers, ...capacity.attributes, ...options.attributes];
  return [...new Map(all.map((attribute) => [attribute.name, attribute])).values()];
}
