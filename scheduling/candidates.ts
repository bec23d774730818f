// What keeps a decision from looking at every machine. A machine that turns out not to fit is set aside, and comes back
// when something on it was released or changed: each such change costs at most one more look.
import type { Demand } from "./demand.js";
import type { Row, SetAside } from "./instance.js";

/** The machines that may take one demand, by zone; shared by all groups. */
export class Candidates implements SetAside {
  readonly zones = new Map<string, Row[]>();
  private readonly position = new Map<Row, number>();
  private readonly levels = new Map<string, Map<string, Levels>>();

  constructor(
    readonly demand: Demand,
    rows: Iterable<Row>,
  ) {
    for (const row of rows) this.add(row);
  }

  inZone(zone: string): readonly Row[] {
    return this.zones.get(zone) ?? NONE;
  }

  /** Whether it fits now; if not, it is a candidate no longer. */
  check(row: Row): boolean {
    if (row.fits(this.demand)) return true;
    this.remove(row);
    row.putAside(this);
    return false;
  }

  reconsider(row: Row): void {
    this.add(row);
  }

  add(row: Row): void {
    if (this.position.has(row)) return;
    const zone = this.zones.get(row.zone);
    this.position.set(row, zone?.length ?? 0);
    if (zone === undefined) this.zones.set(row.zone, [row]);
    else zone.push(row);
    for (const levels of this.levels.get(row.zone)?.values() ?? NONE) levels.add(row);
  }

  remove(row: Row): void {
    const at = this.position.get(row);
    const zone = this.zones.get(row.zone);
    if (at === undefined || zone === undefined) return;
    const last = zone.pop();
    if (last !== undefined && last !== row) {
      zone[at] = last;
      this.position.set(last, at);
    }
    this.position.delete(row);
    if (zone.length === 0) this.zones.delete(row.zone);
    for (const levels of this.levels.get(row.zone)?.values() ?? NONE) levels.remove(row);
  }

  levelsOf(zone: string, group: string): Levels | undefined {
    return this.levels.get(zone)?.get(group);
  }

  keepLevels(zone: string, group: string, levels: Levels): void {
    const ofZone = this.levels.get(zone) ?? new Map<string, Levels>();
    this.levels.set(zone, ofZone.set(group, levels));
  }

  dropLevels(zone: string, group: string): void {
    this.levels.get(zone)?.delete(group);
  }
}

const NONE: readonly never[] = [];

/** The candidates of one zone by how many tasks of one group they hold. */
export class Levels {
  private readonly byCount: Set<Row>[] = [];
  private readonly countOf = new Map<Row, number>();

  constructor(
    private readonly count: (row: Row) => number,
    rows: Iterable<Row>,
  ) {
    for (const row of rows) this.add(row);
  }

  get size(): number {
    return this.countOf.size;
  }

  /** Fewest tasks first. May be changed while it is read. */
  *fewestFirst(): Iterable<Row> {
    for (const rows of this.byCount) yield* rows;
  }

  add(row: Row): void {
    const count = this.count(row);
    while (this.byCount.length <= count) this.byCount.push(new Set());
    this.byCount[count]?.add(row);
    this.countOf.set(row, count);
  }

  remove(row: Row): void {
    const count = this.countOf.get(row);
    if (count === undefined) return;
    this.byCount[count]?.delete(row);
    this.countOf.delete(row);
  }

  /** The group's count on this machine has changed. */
  recount(row: Row): void {
    if (!this.countOf.has(row)) return;
    this.remove(row);
    this.add(row);
  }
}
