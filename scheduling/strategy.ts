import type { PlacementStrategy } from "../api/types.gen.js";

/** A strategy list as placement reads it: zones first or not, and then which machine. */
export interface Ranking {
  /** The zone with fewest tasks of the group first. */
  readonly byZone: boolean;
  /** Fewest tasks of the group, any, or least left of a resource. */
  readonly within: "fewest" | "random" | "cpuUnits" | "memoryMiB";
}

const ZONE = "attribute:ecs.availability-zone";

/**
 * Acted on now: `spread` over zones (as the first strategy), then `spread` over instances, `binpack` or `random`.
 * Anything else in the list is a hint that has no effect yet.
 */
export function rankingOf(strategies: readonly PlacementStrategy[], kind: "service" | "standalone"): Ranking {
  const [first, second] = strategies;
  if (first === undefined)
    return kind === "service" ? { byZone: true, within: "fewest" } : { byZone: false, within: "random" };
  const byZone = first.type === "spread" && first.field === ZONE;
  return { byZone, within: withinOf(byZone ? second : first) };
}

function withinOf(strategy: PlacementStrategy | undefined): Ranking["within"] {
  if (strategy?.type === "random") return "random";
  if (strategy?.type !== "binpack") return "fewest";
  return strategy.field?.toLowerCase() === "cpu" ? "cpuUnits" : "memoryMiB";
}
