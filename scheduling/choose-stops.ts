import type { Book } from "./book.js";

export interface Stoppable {
  readonly name: string;
  readonly uid: string;
}

/**
 * The order in which tasks of one group should stop (spec/06 §9.3): from the zone that holds most of the group, and
 * there from the machine that holds most; counted anew after each, so that what stays is balanced however many stop.
 * A task on no machine comes first. Equals keep the order given. Gives the first `most` of them.
 */
export function stopOrder(
  book: Book,
  group: string,
  tasks: readonly Stoppable[],
  most = Number.POSITIVE_INFINITY,
): string[] {
  const zones = new Map<string, ZoneCount>();
  const order: string[] = [];
  for (const task of tasks) {
    const instance = book.instanceOf(task.uid);
    if (instance === undefined) order.push(task.name);
    else addTo(zones, book, group, instance, task.name);
  }
  while (zones.size > 0 && order.length < most) {
    const zone = fullest(zones.values());
    const machine = zone && fullest(zone.machines.values());
    const name = machine?.tasks.shift();
    if (zone === undefined || machine === undefined || name === undefined) break;
    order.push(name);
    zone.count--;
    machine.count--;
    if (machine.tasks.length === 0) zone.machines.delete(machine.name);
    if (zone.machines.size === 0) zones.delete(zone.name);
  }
  return order.slice(0, most);
}

/** Counts are of the whole group; the tasks are only those that may stop. */
interface MachineCount {
  readonly name: string;
  count: number;
  readonly tasks: string[];
}
interface ZoneCount {
  readonly name: string;
  count: number;
  readonly machines: Map<string, MachineCount>;
}

function addTo(zones: Map<string, ZoneCount>, book: Book, group: string, instance: string, task: string): void {
  const zoneName = book.instance(instance)?.zone ?? "";
  const zone = zones.get(zoneName) ?? {
    name: zoneName,
    count: book.countInZone(group, zoneName),
    machines: new Map<string, MachineCount>(),
  };
  zones.set(zoneName, zone);
  const machine = zone.machines.get(instance) ?? { name: instance, count: book.countOn(group, instance), tasks: [] };
  zone.machines.set(instance, machine);
  machine.tasks.push(task);
}

function fullest<T extends { readonly count: number }>(items: Iterable<T>): T | undefined {
  let best: T | undefined;
  for (const item of items) if (best === undefined || item.count > best.count) best = item;
  return best;
}
