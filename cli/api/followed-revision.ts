import { parseRevisionReference } from "../../api/names.js";
import type { Service, TaskDefinition } from "../../api/types.gen.js";
import { Failure } from "../failure.js";
import type { Api } from "./api.js";
import { waitForObjects } from "./objects.js";
import { findResource } from "./resources.js";

/** The newest revision of the family that the service follows, once the definition's last change is registered. A
 *  service whose status still tells of another one has not seen the change yet, however steady it looks.
 *  @returns undefined for a service that is pinned, or whose family has no definition */
export async function followedRevision(
  api: Api,
  { metadata: { namespace }, spec }: Service,
  timeoutMs: number,
): Promise<string | undefined> {
  const reference = parseRevisionReference(spec.taskDefinition ?? "");
  if (reference === undefined || reference.revision !== undefined) return undefined;
  const found = await waitForObjects(
    { api, resource: findResource("taskdefinition"), namespace, timeoutMs },
    (definitions) => {
      const definition = [...definitions.values()].find(
        (each) => familyOf(each as TaskDefinition) === reference.family,
      );
      if (definition === undefined || definition.metadata.deletionTimestamp !== undefined) return {};
      const { observedGeneration = 0, latestRevision } = (definition as TaskDefinition).status ?? {};
      return observedGeneration >= definition.metadata.generation ? { latestRevision } : undefined;
    },
    () => new Failure(`the change of task definition ${reference.family} is not registered yet.`),
  );
  return found.latestRevision;
}

const familyOf = ({ metadata, spec }: TaskDefinition): string => spec.family ?? metadata.name;

/** The service's status tells of another revision than the one it is to follow, and has not refused that one. */
export const isBehind = ({ status }: Service, followed: string | undefined): boolean =>
  followed !== undefined &&
  status?.taskDefinition !== followed &&
  status?.rejectedRevisions?.includes(followed) !== true;
