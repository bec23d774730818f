// Between ECS's resource lists and the ledger.

import { parsePortRange } from "../api/port-range.js";
import type { ContainerInstance, Resource } from "../api/types.gen.js";
import type { Book, Remaining } from "./book.js";
import type { HostPort } from "./demand.js";
import type { InstanceInfo } from "./instance.js";

/** A registered machine as the ledger wants it. An operator's wish to drain counts at once. */
export function instanceInfo({ metadata, spec, status = {} }: ContainerInstance): InstanceInfo {
  const resources = status.registeredResources ?? [];
  const attributes = [...(spec.attributes ?? []), ...(status.attributes ?? [])];
  const zone = attributes.find((attribute) => attribute.name === "ecs.availability-zone")?.value;
  const portRange = status.portRange === undefined ? undefined : parsePortRange(status.portRange);
  const state = status.status ?? "REGISTERING";
  return {
    name: metadata.name,
    ...(zone === undefined ? {} : { zone }),
    cpuUnits: integer(resources, "CPU"),
    memoryMiB: integer(resources, "MEMORY"),
    reservedPorts: [...ports(resources, "PORTS", "tcp"), ...ports(resources, "PORTS_UDP", "udp")],
    ...(portRange && { portRange }),
    status: state === "ACTIVE" && spec.status === "DRAINING" ? "DRAINING" : state,
    agentConnected: status.agentConnected ?? false,
    attributes,
  };
}

/** ECS's list: CPU and MEMORY as integers, PORTS and PORTS_UDP as the ports that are taken. */
export function resourceList({ cpuUnits, memoryMiB, reservedPorts }: Remaining): Resource[] {
  const taken = (protocol: HostPort["protocol"]): string[] =>
    reservedPorts
      .filter((port) => port.protocol === protocol)
      .map((port) => port.port)
      .sort((a, b) => a - b)
      .map(String);
  return [
    { name: "CPU", type: "INTEGER", integerValue: cpuUnits },
    { name: "MEMORY", type: "INTEGER", integerValue: memoryMiB },
    { name: "PORTS", type: "STRINGSET", stringSetValue: taken("tcp") },
    { name: "PORTS_UDP", type: "STRINGSET", stringSetValue: taken("udp") },
  ];
}

/** `status.remainingResources` of a machine; undefined when it is not known. */
export function remainingResources(book: Book, instance: string): Resource[] | undefined {
  const remaining = book.remaining(instance);
  return remaining && resourceList(remaining);
}

const integer = (resources: readonly Resource[], name: string): number =>
  resources.find((resource) => resource.name === name)?.integerValue ?? 0;

const ports = (resources: readonly Resource[], name: string, protocol: HostPort["protocol"]): HostPort[] =>
  (resources.find((resource) => resource.name === name)?.stringSetValue ?? []).map((port) => ({
    port: Number(port),
    protocol,
  }));
