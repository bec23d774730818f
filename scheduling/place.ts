import type { PlacementConstraint, PlacementStrategy } from "../api/types.gen.js";
import { type Book, Ledger } from "./book.js";
import type { Candidates } from "./candidates.js";
import type { Demand } from "./demand.js";
import type { Group } from "./group.js";
import type { Row } from "./instance.js";
import { PlacementIndex } from "./placement-index.js";
import { randomFrom } from "./random.js";
import { type Ranking, rankingOf } from "./strategy.js";
import { explain, type Unplaced } from "./why-not.js";

export interface PlacementRequest {
  readonly demand: Demand;
  /** Tasks of one group are balanced, and kept apart by `distinctInstance`, among themselves. */
  readonly group: string;
  /** `distinctInstance` is acted on. `memberOf` is not yet: it will filter candidates here. */
  readonly constraints?: readonly PlacementConstraint[];
  readonly strategy?: readonly PlacementStrategy[];
  /** What happens without a strategy: a service is balanced over zones and machines, other tasks go anywhere (spec/06 §1). */
  readonly kind: "service" | "standalone";
  /** Decides wherever the rules leave it open, e.g. the task's uid. */
  readonly seed: string;
}

export type Placement = { readonly instance: string } | { readonly unplaced: Unplaced };

/**
 * The machine for one more task (spec/06 §3, §9.3): of those with room for it (cpu, memory, ports, attributes) that
 * its constraints allow, the one that its strategy prefers. Changes nothing: the caller reserves.
 */
export function place(book: Book, request: PlacementRequest): Placement {
  const ledger = ledgerOf(book);
  const row = new Search(indexOf(ledger), request).best(ledger);
  return row
    ? { instance: row.name }
    : { unplaced: explain(ledger, request.demand, isDistinct(request) ? request.group : undefined) };
}

const isDistinct = (request: PlacementRequest): boolean =>
  request.constraints?.some((constraint) => constraint.type === "distinctInstance") ?? false;

function ledgerOf(book: Book): Ledger {
  if (book instanceof Ledger) return book;
  throw new TypeError("placement needs a book made by createBook");
}

const indexes = new WeakMap<Ledger, PlacementIndex>();
function indexOf(ledger: Ledger): PlacementIndex {
  const index = indexes.get(ledger) ?? new PlacementIndex(ledger);
  indexes.set(ledger, index);
  return index;
}

/** Looks at so many machines at random before it turns to an exact index. Each hits with a chance of a half or more. */
const MAX_PROBES = 32;

class Search {
  private readonly candidates: Candidates;
  private readonly group: Group;
  private readonly distinct: boolean;
  private readonly ranking: Ranking;
  private readonly random: () => number;

  constructor(
    private readonly index: PlacementIndex,
    private readonly request: PlacementRequest,
  ) {
    this.candidates = index.candidates(request.demand);
    this.group = index.group(request.group);
    this.distinct = isDistinct(request);
    this.ranking = rankingOf(request.strategy ?? [], request.kind);
    this.random = randomFrom(request.seed);
  }

  best(ledger: Ledger): Row | undefined {
    if (!this.ranking.byZone) return this.bestOf([...this.candidates.zones.keys()]);
    for (const zone of this.zonesByCount(ledger)) {
      const row = this.bestOf([zone]);
      if (row) return row;
    }
    return undefined;
  }

  /** Fewest tasks of the group first; equals by how full they are, so that small groups do not all meet in one zone. */
  private zonesByCount(ledger: Ledger): string[] {
    const zones = [...this.candidates.zones.keys()].map((zone) => ({
      zone,
      count: this.group.inZone.get(zone) ?? 0,
      load: (ledger.tasksInZone.get(zone) ?? 0) / (ledger.zones.get(zone)?.size ?? 1),
    }));
    zones.sort((a, b) => a.count - b.count || a.load - b.load || (a.zone < b.zone ? -1 : 1));
    return zones.map(({ zone }) => zone);
  }

  private bestOf(zones: readonly string[]): Row | undefined {
    switch (this.ranking.within) {
      case "fewest":
        return this.fewest(zones);
      case "random":
        return this.anyOf(zones);
      default:
        return this.packed(zones, this.ranking.within);
    }
  }

  /** The machine with fewest tasks of the group over these zones. */
  private fewest(zones: readonly string[]): Row | undefined {
    let best: Row | undefined;
    for (const zone of zones) {
      const row = this.fewestIn(zone);
      if (row && (best === undefined || this.countOn(row) < this.countOn(best))) best = row;
    }
    return best;
  }

  private fewestIn(zone: string): Row | undefined {
    const hosts = this.group.hostsInZone.get(zone) ?? 0;
    // At least every second machine has none of the group: no index finds one sooner.
    if (hosts * 2 <= this.candidates.inZone(zone).length) {
      const row = this.probe(zone);
      if (row) return row;
    }
    for (const row of this.index.levels(this.candidates, zone, this.request.group).fewestFirst()) {
      if (!this.allowed(row)) return undefined; // all that follow hold one too
      if (this.candidates.check(row)) return row;
    }
    return undefined;
  }

  /** Two machines without a task of the group at random, and the emptier of them: evens out many small groups. */
  private probe(zone: string): Row | undefined {
    let found: Row | undefined;
    for (let probes = 0; probes < MAX_PROBES; probes++) {
      const row = this.pick(this.candidates.inZone(zone));
      if (row === undefined) return found;
      if (this.group.onRow.has(row) || !this.candidates.check(row)) continue;
      if (found !== undefined) return emptier(found, row);
      found = row;
    }
    return found;
  }

  /** Any machine, each with the same chance. */
  private anyOf(zones: readonly string[]): Row | undefined {
    for (;;) {
      const rows = zones.map((zone) => this.candidates.inZone(zone));
      const row = this.pickOver(rows);
      if (row === undefined) return undefined;
      if (this.candidates.check(row)) return this.allowed(row) ? row : this.firstAllowed(rows);
    }
  }

  private firstAllowed(rows: readonly (readonly Row[])[]): Row | undefined {
    const free = rows.flat().filter((row) => this.allowed(row));
    while (free.length > 0) {
      const row = free.splice(Math.floor(this.random() * free.length), 1)[0];
      if (row && this.candidates.check(row)) return row;
    }
    return undefined;
  }

  /** The fitting machine with least left of a resource. Looks at every candidate. */
  private packed(zones: readonly string[], resource: "cpuUnits" | "memoryMiB"): Row | undefined {
    let best: Row | undefined;
    for (const zone of zones)
      for (const row of [...this.candidates.inZone(zone)]) {
        if (best !== undefined && row[resource] >= best[resource]) continue;
        if (this.allowed(row) && this.candidates.check(row)) best = row;
      }
    return best;
  }

  private pick(rows: readonly Row[]): Row | undefined {
    return rows[Math.floor(this.random() * rows.length)];
  }

  private pickOver(zones: readonly (readonly Row[])[]): Row | undefined {
    let at = Math.floor(this.random() * zones.reduce((sum, rows) => sum + rows.length, 0));
    for (const rows of zones) {
      if (at < rows.length) return rows[at];
      at -= rows.length;
    }
    return undefined;
  }

  private countOn(row: Row): number {
    return this.group.onRow.get(row) ?? 0;
  }

  private allowed(row: Row): boolean {
    return !this.distinct || !this.group.onRow.has(row);
  }
}

const freeShare = ({ cpuUnits, memoryMiB, info }: Row): number =>
  Math.min(cpuUnits / (info.cpuUnits || 1), memoryMiB / (info.memoryMiB || 1));

const emptier = (a: Row, b: Row): Row => (freeShare(b) > freeShare(a) ? b : a);
