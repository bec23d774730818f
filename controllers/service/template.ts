// What makes two deployments of a service the same one: its name is computed from it. Pure.
import { createHash } from "node:crypto";
import { ecsId } from "../../api/arn.js";
import type { Service, TaskSetSpec } from "../../api/types.gen.js";
import { ANNOTATION } from "../labels.js";

/** The part of a task set that a deployment fixes. */
export type Template = Omit<TaskSetSpec, "role" | "desiredCount" | "scale" | "tags">;

/** @param revision `family:N` */
export function templateOf(service: Service, cluster: string, revision: string): Template {
  const { launchType, placementConstraints, placementStrategy, networkConfiguration } = service.spec;
  const restartedAt = service.metadata.annotations?.[ANNOTATION.restartedAt];
  return {
    cluster,
    service: service.metadata.name,
    taskDefinition: revision,
    ...(launchType && { launchType }),
    ...(placementConstraints && { placementConstraints }),
    ...(placementStrategy && { placementStrategy }),
    ...(networkConfiguration && { networkConfiguration }),
    ...(restartedAt && { externalId: restartedAt }),
  };
}

/** metadata.name of the task set: the same for the same template, so that creating it twice makes one. The service's
 *  own name makes no other deployment; its tags, and where its tasks get theirs from, are no part of the template. */
export function taskSetName(service: Service, template: Template): string {
  const { service: _, cluster: __, ...distinct } = template;
  // Room is left for a slot and a suffix in task names of at most 63 characters.
  return `${service.metadata.name.slice(0, 40).replace(/[^a-z0-9]+$/, "")}-${hash(canonical({ ...distinct, of: service.metadata.uid }))}`;
}

/** Equal for equal values, whatever the order of their keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    part !== null && typeof part === "object" && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

const hash = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 10);

/** `ecs-svc/` and 19 digits, from the task set's uid: the id that ECS gives a deployment. */
export function deploymentId(uid: string): string {
  const number = BigInt(`0x${ecsId(uid).slice(0, 16)}`) % 9_000_000_000_000_000_000n;
  return `ecs-svc/${(number + 1_000_000_000_000_000_000n).toString().slice(0, 19)}`;
}
