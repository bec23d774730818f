// A task's health, from its containers' (spec/02 §5.2). Pure.
import type { ContainerDefinition, HealthStatus } from "../../api/types.gen.js";

/** Omitted means essential (spec/02 §5.3). */
const isEssential = (definition: ContainerDefinition): boolean => definition.essential !== false;

/** Whether anything says that the task is well: a check on an essential container. */
export const hasCheck = (definitions: readonly ContainerDefinition[]): boolean =>
  definitions.some((definition) => isEssential(definition) && definition.healthCheck !== undefined);

/** From essential containers with a check alone; the worst of them counts: UNHEALTHY, then UNKNOWN (02-29, 02-30).
 *  Without any check: UNKNOWN, as in ECS. */
export function taskHealth(
  definitions: readonly ContainerDefinition[],
  healthOf: (container: string) => HealthStatus | undefined,
): HealthStatus {
  let health: HealthStatus | undefined;
  for (const definition of definitions) {
    if (!isEssential(definition) || definition.healthCheck === undefined) continue;
    const own = healthOf(definition.name) ?? "UNKNOWN";
    if (own === "UNHEALTHY") return own;
    health = health === "UNKNOWN" ? health : own;
  }
  return health ?? "UNKNOWN";
}
