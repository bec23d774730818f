import { type Book, createBook } from "../../scheduling/book.js";
import { type Demand, demand, type HostPort } from "../../scheduling/demand.js";
import type { InstanceInfo } from "../../scheduling/instance.js";
import { type Placement, type PlacementRequest, place } from "../../scheduling/place.js";

/** The ports that an agent reserves on Linux unless told otherwise (spec/02 §4.2). */
export const DEFAULT_RESERVED: readonly HostPort[] = [22, 2375, 2376, 51678, 51679, 51680].map(tcp);

export function tcp(port: number): HostPort {
  return { port, protocol: "tcp" };
}

export const machine = (name: string, more: Partial<InstanceInfo> = {}): InstanceInfo => ({
  name,
  cpuUnits: 2048,
  memoryMiB: 2048,
  reservedPorts: DEFAULT_RESERVED,
  status: "ACTIVE",
  agentConnected: true,
  attributes: [],
  ...more,
});

export const bookOf = (...instances: readonly InstanceInfo[]): Book => {
  const book = createBook();
  for (const instance of instances) book.setInstance(instance);
  return book;
};

export const small: Demand = demand({ cpuUnits: 10, memoryMiB: 10 });

export const ask = (book: Book, more: Partial<PlacementRequest> = {}): Placement =>
  place(book, { demand: small, group: "service:web", kind: "service", seed: "1", ...more });

/** Where it went, or undefined; what was placed is reserved. */
export function put(book: Book, uid: string, more: Partial<PlacementRequest> = {}): string | undefined {
  const placement = ask(book, { seed: uid, ...more });
  if (!("instance" in placement)) return undefined;
  book.reserve(uid, placement.instance, more.demand ?? small, more.group ?? "service:web");
  return placement.instance;
}
