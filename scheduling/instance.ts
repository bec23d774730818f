import type { PortRange } from "../api/port-range.js";
import { type Demand, type HostPort, portKey } from "./demand.js";

/** An instance holds at most this many reserved host ports at a time, its own included (spec/02 §4.2). */
const MAX_RESERVED_PORTS = 100;

export interface InstanceInfo {
  /** metadata.name of the ContainerInstance. */
  readonly name: string;
  /** The attribute `ecs.availability-zone`; machines without one form a zone together. */
  readonly zone?: string;
  /** As registered. */
  readonly cpuUnits: number;
  readonly memoryMiB: number;
  /** Ports that the machine keeps for itself (registered `PORTS` and `PORTS_UDP`). */
  readonly reservedPorts: readonly HostPort[];
  /** The host ports that tasks may ask for by number; all if left out. */
  readonly portRange?: PortRange;
  /** Only an `ACTIVE` machine whose agent is connected gets tasks. */
  readonly status: string;
  readonly agentConnected: boolean;
  readonly attributes: readonly { readonly name: string; readonly value?: string }[];
}

/** The status of a machine that holds tasks and is not (or not yet, or no longer) known. */
export const ABSENT = "ABSENT";

export const absent = (name: string, zone?: string): InstanceInfo => ({
  name,
  ...(zone === undefined ? {} : { zone }),
  cpuUnits: 0,
  memoryMiB: 0,
  reservedPorts: [],
  status: ABSENT,
  agentConnected: false,
  attributes: [],
});

/** Why a machine cannot take a task, in ECS's words for failures; the first that applies. */
export type Misfit = "STATUS" | "AGENT" | "ATTRIBUTE" | "RESOURCE:CPU" | "RESOURCE:MEMORY" | "RESOURCE:PORTS";

/** Something that has set a machine aside because a demand did not fit, and wants to know when that may have changed. */
export interface SetAside {
  reconsider(row: Row): void;
}

/** One machine in the ledger. */
export class Row {
  readonly name: string;
  readonly zone: string;
  info: InstanceInfo;
  /** Remaining; below zero when more is bound to the machine than it registered. */
  cpuUnits: number;
  memoryMiB: number;
  readonly tasks = new Set<string>();
  private readonly ports = new Map<string, { readonly port: HostPort; holders: number }>();
  private readonly attributes = new Set<string>();
  private setAside: SetAside[] = [];

  constructor(info: InstanceInfo) {
    this.name = info.name;
    this.zone = zoneOf(info);
    this.info = absent(info.name);
    this.cpuUnits = 0;
    this.memoryMiB = 0;
    this.update(info);
  }

  /** The machine registered anew or changed; what its tasks hold stays. */
  update(info: InstanceInfo): void {
    this.cpuUnits += info.cpuUnits - this.info.cpuUnits;
    this.memoryMiB += info.memoryMiB - this.info.memoryMiB;
    for (const port of this.info.reservedPorts) this.holdPort(port, -1);
    for (const port of info.reservedPorts) this.holdPort(port, 1);
    this.attributes.clear();
    for (const { name } of info.attributes) this.attributes.add(name);
    this.info = info;
    this.mayFitAgain();
  }

  take(taskUid: string, demand: Demand): void {
    this.tasks.add(taskUid);
    this.cpuUnits -= demand.cpuUnits;
    this.memoryMiB -= demand.memoryMiB;
    for (const port of demand.staticPorts) this.holdPort(port, 1);
  }

  give(taskUid: string, demand: Demand): void {
    this.tasks.delete(taskUid);
    this.cpuUnits += demand.cpuUnits;
    this.memoryMiB += demand.memoryMiB;
    for (const port of demand.staticPorts) this.holdPort(port, -1);
    this.mayFitAgain();
  }

  /** Everything that keeps this machine from taking the demand, the plainest first. */
  misfits(demand: Demand): Misfit[] {
    const found: Misfit[] = [];
    if (this.info.status !== "ACTIVE") found.push("STATUS");
    else if (!this.info.agentConnected) found.push("AGENT");
    if (!demand.attributes.every((name) => this.attributes.has(name))) found.push("ATTRIBUTE");
    if (demand.cpuUnits > this.cpuUnits) found.push("RESOURCE:CPU");
    if (demand.memoryMiB > this.memoryMiB) found.push("RESOURCE:MEMORY");
    if (!this.hasPorts(demand)) found.push("RESOURCE:PORTS");
    return found;
  }

  /** The same as having no misfits, without making a list. */
  fits(demand: Demand): boolean {
    return (
      demand.cpuUnits <= this.cpuUnits &&
      demand.memoryMiB <= this.memoryMiB &&
      this.info.status === "ACTIVE" &&
      this.info.agentConnected &&
      (demand.staticPorts.length === 0 || this.hasPorts(demand)) &&
      demand.attributes.every((name) => this.attributes.has(name))
    );
  }

  isPortTaken(port: HostPort): boolean {
    return this.ports.has(portKey(port));
  }

  portsInUse(): HostPort[] {
    return [...this.ports.values()].map(({ port }) => port);
  }

  /** The owner of an index calls this when it stops considering the machine for some demand. */
  putAside(by: SetAside): void {
    this.setAside.push(by);
  }

  private hasPorts({ staticPorts }: Demand): boolean {
    if (staticPorts.length === 0) return true;
    if (this.ports.size + staticPorts.length > MAX_RESERVED_PORTS) return false;
    if (!arePortsIn(this.info.portRange, staticPorts)) return false;
    return !staticPorts.some((port) => this.isPortTaken(port));
  }

  private holdPort(port: HostPort, by: 1 | -1): void {
    const key = portKey(port);
    const held = this.ports.get(key);
    if (held === undefined) this.ports.set(key, { port, holders: by });
    else if (held.holders + by <= 0) this.ports.delete(key);
    else held.holders += by;
  }

  private mayFitAgain(): void {
    const waiting = this.setAside;
    this.setAside = [];
    for (const index of waiting) index.reconsider(this);
  }
}

export const arePortsIn = (range: PortRange | undefined, ports: readonly HostPort[]): boolean =>
  range === undefined || ports.every(({ port }) => port >= range.from && port <= range.to);

export const zoneOf = (info: InstanceInfo): string => info.zone ?? "";
