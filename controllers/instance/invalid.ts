// What is wrong with a registration itself, in words. Pure.
import { clusterNameOf } from "../../api/names.js";
import { parsePortRange } from "../../api/port-range.js";
import { isReservedTag, MAX_TAGS } from "../../api/tags.js";
import type { ContainerInstance, Tag } from "../../api/types.gen.js";
import type { SyncRequest } from "../../bus/messages.js";

/** One sentence that names the field, the value and what to do; undefined if nothing is. */
export function invalidity(request: SyncRequest, instance: ContainerInstance | undefined): string | undefined {
  const { resources, portRange, instance: id } = request;
  const wanted = clusterNameOf(request.cluster);
  const known = instance && clusterNameOf(instance.spec.cluster);
  if (known !== undefined && known !== wanted)
    return `Container instance ${id} belongs to cluster ${known}, and its agent names ${wanted}. To move the machine, deregister it (davit deregister ${id}) and join it anew; else set the agent's cluster to ${known}.`;
  for (const name of ["CPU", "MEMORY"]) {
    const value = resources.find((resource) => resource.name === name)?.integerValue;
    if (value === undefined || value <= 0)
      return `resources: ${name} is ${value ?? "missing"}; it must be above 0. Look at what the agent reserves (ECS_RESERVED_MEMORY) and at its share (--cpu, --memory).`;
  }
  if (portRange !== undefined && parsePortRange(portRange) === undefined)
    return `portRange: "${portRange}" is no range of ports such as 8000-8999.`;
  return tagProblem(request.tags ?? []);
}

const TAG_TEXT = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/** What the API would refuse in `spec.tags`. */
function tagProblem(tags: readonly Tag[]): string | undefined {
  if (tags.length > MAX_TAGS) return `tags: there are ${tags.length}; at most ${MAX_TAGS} are allowed.`;
  const keys = new Set<string>();
  for (const tag of tags) {
    const { key, value = "" } = tag;
    const what = `tags: "${key.slice(0, 140)}"`;
    if (key.length < 1 || key.length > 128) return `${what} has ${key.length} characters; a key has 1 to 128.`;
    if (value.length > 256) return `${what} has a value of ${value.length} characters; at most 256 are allowed.`;
    if (!TAG_TEXT.test(key) || !TAG_TEXT.test(value))
      return `${what}: letters, digits, spaces and _ . : / = + - @ are allowed.`;
    if (isReservedTag(tag)) return `${what}: aws: at the beginning is the system's own.`;
    if (keys.has(key)) return `${what} is there twice.`;
    keys.add(key);
  }
  return undefined;
}
