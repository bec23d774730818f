import type { BookListener, Ledger } from "./book.js";
import { Candidates, Levels } from "./candidates.js";
import type { Demand } from "./demand.js";
import { Group } from "./group.js";
import type { Row } from "./instance.js";

/** Demands to keep candidates for; the longest unused goes. Tasks differ in demand far less than in anything else. */
const MAX_DEMANDS = 128;

const NO_TASKS = new Group();

interface Kept {
  readonly candidates: Candidates;
  readonly zone: string;
  readonly levels: Levels;
}

/** The indexes of one ledger. They follow its changes; all they hold can be made again from it. */
export class PlacementIndex implements BookListener {
  private readonly byDemand = new Map<string, Candidates>();
  private readonly byGroup = new Map<string, Kept[]>();

  constructor(private readonly ledger: Ledger) {
    ledger.listeners.push(this);
  }

  candidates(demand: Demand): Candidates {
    const known = this.byDemand.get(demand.key);
    this.byDemand.delete(demand.key); // to the end: the first key is the longest unused
    const candidates = known ?? new Candidates(demand, this.ledger.rows.values());
    this.byDemand.set(demand.key, candidates);
    if (this.byDemand.size > MAX_DEMANDS) this.forgetOldest();
    return candidates;
  }

  group(name: string): Group {
    return this.ledger.groups.get(name) ?? NO_TASKS;
  }

  /** Costs a look at every candidate of the zone when first asked for. */
  levels(candidates: Candidates, zone: string, group: string): Levels {
    const known = candidates.levelsOf(zone, group);
    if (known) return known;
    const levels = new Levels((row) => this.group(group).onRow.get(row) ?? 0, candidates.inZone(zone));
    candidates.keepLevels(zone, group, levels);
    this.byGroup.set(group, [...(this.byGroup.get(group) ?? []), { candidates, zone, levels }]);
    return levels;
  }

  rowAdded(row: Row): void {
    for (const candidates of this.byDemand.values()) candidates.add(row);
  }

  rowRemoved(row: Row): void {
    for (const candidates of this.byDemand.values()) candidates.remove(row);
  }

  counted(group: string, row: Row): void {
    for (const kept of this.byGroup.get(group) ?? []) {
      if (kept.zone !== row.zone) continue;
      const hosts = this.group(group).hostsInZone.get(row.zone) ?? 0;
      // Well below the half at which they are made, so that a group at the border doesn't make them again and again;
      // so all levels together are no larger than a few times the number of tasks.
      if (hosts * 4 < kept.levels.size) this.drop(group, kept);
      else kept.levels.recount(row);
    }
  }

  private drop(group: string, dropped: Kept): void {
    dropped.candidates.dropLevels(dropped.zone, group);
    const left = (this.byGroup.get(group) ?? []).filter((kept) => kept !== dropped);
    if (left.length === 0) this.byGroup.delete(group);
    else this.byGroup.set(group, left);
  }

  private forgetOldest(): void {
    const [oldest] = this.byDemand;
    if (oldest === undefined) return;
    const [key, candidates] = oldest;
    this.byDemand.delete(key);
    for (const [group, all] of this.byGroup)
      for (const kept of all) if (kept.candidates === candidates) this.drop(group, kept);
  }
}
