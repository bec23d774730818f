import type { Row } from "./instance.js";

/** Counts of one group: how many of its tasks are in each zone and on each machine. */
export class Group {
  readonly onRow = new Map<Row, number>();
  readonly inZone = new Map<string, number>();
  /** How many machines of a zone hold at least one. */
  readonly hostsInZone = new Map<string, number>();

  add(row: Row, by: 1 | -1): void {
    const count = (this.onRow.get(row) ?? 0) + by;
    setOrDelete(this.onRow, row, count);
    setOrDelete(this.inZone, row.zone, (this.inZone.get(row.zone) ?? 0) + by);
    if (count === 0 || (count === 1 && by === 1))
      setOrDelete(this.hostsInZone, row.zone, (this.hostsInZone.get(row.zone) ?? 0) + by);
  }
}

const setOrDelete = <K>(map: Map<K, number>, key: K, value: number): void => {
  if (value === 0) map.delete(key);
  else map.set(key, value);
};
