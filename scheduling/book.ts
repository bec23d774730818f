// Who holds what: every machine of one cluster, and what each task bound to one of them takes of it.
import type { Demand, HostPort } from "./demand.js";
import { Group } from "./group.js";
import { ABSENT, absent, type InstanceInfo, Row, zoneOf } from "./instance.js";

export interface Remaining {
  readonly cpuUnits: number;
  readonly memoryMiB: number;
  /** Ports in use: the machine's own and those that tasks hold. */
  readonly reservedPorts: readonly HostPort[];
}

/**
 * The ledger of one cluster. Reservations are facts: `reserve` records what is bound, even where it does not fit or
 * the machine is not known yet, so tasks and machines may arrive in any order. Deciding what fits is for `place`.
 */
export interface Book {
  setInstance(info: InstanceInfo): void;
  /** The machine is gone. Its tasks keep their entries until they are released. */
  removeInstance(name: string): void;
  /** Idempotent; a task that is recorded on another machine moves. `group` is what placement balances over. */
  reserve(taskUid: string, instance: string, demand: Demand, group: string): void;
  /** Idempotent: returns false when nothing was held. */
  release(taskUid: string): boolean;
  /** Where a task is recorded. */
  instanceOf(taskUid: string): string | undefined;
  instance(name: string): InstanceInfo | undefined;
  instances(): Iterable<InstanceInfo>;
  remaining(name: string): Remaining | undefined;
  /** Tasks recorded on a machine. */
  tasksOn(name: string): readonly string[];
  countOn(group: string, instance: string): number;
  countInZone(group: string, zone: string | undefined): number;
  /** Rises with each change: what was found out about an unchanged book still holds. */
  readonly version: number;
}

/** Told of every change of the ledger: indexes of placement. */
export interface BookListener {
  rowAdded(row: Row): void;
  rowRemoved(row: Row): void;
  /** The group's count on this machine has changed. */
  counted(group: string, row: Row): void;
}

interface Entry {
  readonly row: Row;
  readonly demand: Demand;
  readonly group: string;
}

/** The ledger with its inside open, for placement only. */
export class Ledger implements Book {
  readonly rows = new Map<string, Row>();
  readonly zones = new Map<string, Set<Row>>();
  readonly groups = new Map<string, Group>();
  readonly tasksInZone = new Map<string, number>();
  readonly listeners: BookListener[] = [];
  version = 0;
  private readonly entries = new Map<string, Entry>();

  setInstance(info: InstanceInfo): void {
    this.version++;
    const row = this.rows.get(info.name);
    if (row === undefined) this.addRow(new Row(info));
    else if (row.zone !== zoneOf(info)) this.moveZone(row, info);
    else row.update(info);
  }

  removeInstance(name: string): void {
    const row = this.rows.get(name);
    if (row === undefined) return;
    this.version++;
    if (row.tasks.size === 0) this.dropRow(row);
    else row.update(absent(name, row.info.zone));
  }

  reserve(taskUid: string, instance: string, demand: Demand, group: string): void {
    const held = this.entries.get(taskUid);
    if (held?.row.name === instance && held.demand.key === demand.key && held.group === group) return;
    this.release(taskUid);
    this.version++;
    const row = this.rows.get(instance) ?? this.addRow(new Row(absent(instance)));
    this.entries.set(taskUid, { row, demand, group });
    row.take(taskUid, demand);
    this.count(group, row, 1);
  }

  release(taskUid: string): boolean {
    const entry = this.entries.get(taskUid);
    if (entry === undefined) return false;
    this.version++;
    this.entries.delete(taskUid);
    entry.row.give(taskUid, entry.demand);
    this.count(entry.group, entry.row, -1);
    if (entry.row.info.status === ABSENT && entry.row.tasks.size === 0) this.dropRow(entry.row);
    return true;
  }

  instanceOf(taskUid: string): string | undefined {
    return this.entries.get(taskUid)?.row.name;
  }

  instance(name: string): InstanceInfo | undefined {
    const info = this.rows.get(name)?.info;
    return info?.status === ABSENT ? undefined : info;
  }

  *instances(): Iterable<InstanceInfo> {
    for (const { info } of this.rows.values()) if (info.status !== ABSENT) yield info;
  }

  remaining(name: string): Remaining | undefined {
    const row = this.rows.get(name);
    if (row === undefined || row.info.status === ABSENT) return undefined;
    return { cpuUnits: row.cpuUnits, memoryMiB: row.memoryMiB, reservedPorts: row.portsInUse() };
  }

  tasksOn(name: string): readonly string[] {
    return [...(this.rows.get(name)?.tasks ?? [])];
  }

  countOn(group: string, instance: string): number {
    const row = this.rows.get(instance);
    return row === undefined ? 0 : (this.groups.get(group)?.onRow.get(row) ?? 0);
  }

  countInZone(group: string, zone: string | undefined): number {
    return this.groups.get(group)?.inZone.get(zone ?? "") ?? 0;
  }

  private addRow(row: Row): Row {
    this.rows.set(row.name, row);
    const zone = this.zones.get(row.zone);
    if (zone === undefined) this.zones.set(row.zone, new Set([row]));
    else zone.add(row);
    for (const listener of this.listeners) listener.rowAdded(row);
    return row;
  }

  private dropRow(row: Row): void {
    for (const listener of this.listeners) listener.rowRemoved(row);
    this.rows.delete(row.name);
    const zone = this.zones.get(row.zone);
    zone?.delete(row);
    if (zone?.size === 0) this.zones.delete(row.zone);
  }

  /** Rare: the machine's entries are taken out and put back, so that every count follows. */
  private moveZone(row: Row, info: InstanceInfo): void {
    const held = [...row.tasks].flatMap((uid) => {
      const entry = this.entries.get(uid);
      return entry ? [{ uid, demand: entry.demand, group: entry.group }] : [];
    });
    for (const { uid } of held) this.release(uid);
    if (this.rows.get(row.name) === row) this.dropRow(row);
    this.addRow(new Row(info));
    for (const { uid, demand, group } of held) this.reserve(uid, info.name, demand, group);
  }

  private count(name: string, row: Row, by: 1 | -1): void {
    const group = this.groups.get(name) ?? new Group();
    group.add(row, by);
    this.tasksInZone.set(row.zone, (this.tasksInZone.get(row.zone) ?? 0) + by);
    if (group.onRow.size === 0) this.groups.delete(name);
    else this.groups.set(name, group);
    for (const listener of this.listeners) listener.counted(name, row);
  }
}

export const createBook = (): Book => new Ledger();
