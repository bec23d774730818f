// The tags that a task gets as it is made, beside those that it is given by name (spec/07 §6). Only new tasks get any:
// what runs keeps its own.
import { clusterNameOf, serviceNameOf, serviceObjectName } from "../../api/names.js";
import { controllerOf } from "../../api/references.js";
import { MAX_TAGS, managedTags, mergeTags, propagatedTags } from "../../api/tags.js";
import type { Service, Tag, Task, TaskDefinitionRevision, TaskStatus } from "../../api/types.gen.js";
import type { World } from "../world.js";

export type GivenTags = Pick<TaskStatus, "managedTags" | "propagatedTags">;

/** Of a task that its service starts: who makes a task writes what is propagated into its spec. */
export function serviceTaskTags(service: Service, revision: TaskDefinitionRevision): { tags?: Tag[] } & GivenTags {
  const { propagateTags, enableECSManagedTags, cluster } = service.spec;
  const tags = propagatedTags(propagateTags, { service: service.spec.tags, definition: revision.spec.tags });
  return {
    ...(tags && tags.length > 0 && { tags: [...tags] }),
    ...(enableECSManagedTags && { managedTags: managedTags(cluster, serviceNameOf(service)) }),
  };
}

/** Of a task that somebody else has made. Its spec is that writer's, so that what is propagated goes into the status:
 *  else a manifest that is applied again would take it away. */
export function declaredTaskTags(world: World, task: Task, revision: TaskDefinitionRevision): GivenTags {
  const { spec } = task;
  if (controllerOf(task)?.kind === "TaskSet") return {};
  const source = propagatedTags(spec.propagateTags, {
    definition: revision.spec.tags,
    service: spec.propagateTags === "SERVICE" ? serviceOfGroup(world, task)?.spec.tags : undefined,
  });
  const own = new Set(spec.tags?.map(({ key }) => key));
  const added = (source ?? []).filter(({ key }) => !own.has(key));
  return {
    ...(added.length > 0 && { propagatedTags: added }),
    ...(spec.enableECSManagedTags && { managedTags: managedTags(spec.cluster) }),
  };
}

function serviceOfGroup({ informers }: World, { metadata, spec }: Task): Service | undefined {
  const name = serviceObjectName((spec.group ?? "").replace(/^service:/, ""), clusterNameOf(spec.cluster));
  return informers.Service.get({ namespace: metadata.namespace, name });
}

/** Why a task with these tags is not started. */
export function tooManyTags({ spec }: Task, { propagatedTags: added }: GivenTags): string | undefined {
  const count = mergeTags(spec.tags, added)?.length ?? 0;
  if (count <= MAX_TAGS) return undefined;
  return `spec.tags: ${count} tags with those that propagateTags ${spec.propagateTags} adds; at most ${MAX_TAGS}: leave some out.`;
}
