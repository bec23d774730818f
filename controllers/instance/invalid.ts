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
    if (value === undefined || value <= 0 || value > MAX_AMOUNT)
      return `resources: ${name} is ${value ?? "missing"}; it must be from 1 to ${MAX_AMOUNT}. Look at what the agent reserves (ECS_RESERVED_MEMORY) and at its share (--cpu, --memory).`;
  }
  if (portRange !== undefined && parsePortRange(portRange) === undefined)
    return `portRange: "${portRange}" is no range of ports such as 8000-8999.`;
  return textProblem(request) ?? tagProblem(request.tags ?? []);
}

/** What the API takes as an integerValue. */
const MAX_AMOUNT = 2 ** 31 - 1;
/** Characters; all of it stands in the machine's object, which is written and told to everybody again and again. */
const LONGEST = { hostname: 253, address: 253, agentVersion: 64, machineId: 128, dockerVersion: 128 } as const;
const MAX_ATTRIBUTES = 500;
const MAX_ATTRIBUTE_TEXT = 128;

function textProblem(request: SyncRequest): string | undefined {
  for (const name of Object.keys(LONGEST) as (keyof typeof LONGEST)[]) {
    const { length } = request[name] ?? "";
    if (length > LONGEST[name])
      return `${name}: it has ${length} characters; at most ${LONGEST[name]} are allowed. Shorten it on the machine.`;
  }
  const { attributes } = request;
  if (attributes.length > MAX_ATTRIBUTES)
    return `attributes: there are ${attributes.length}; at most ${MAX_ATTRIBUTES} are allowed.`;
  const long = attributes.find(
    ({ name, value = "" }) => name.length === 0 || Math.max(name.length, value.length) > MAX_ATTRIBUTE_TEXT,
  );
  return (
    long &&
    `attributes: "${long.name.slice(0, MAX_ATTRIBUTE_TEXT)}": a name has 1 to ${MAX_ATTRIBUTE_TEXT} characters, a value at most as many. Shorten it (--attribute, ECS_INSTANCE_ATTRIBUTES).`
  );
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
