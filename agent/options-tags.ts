// A machine's tags: ECS_CONTAINER_INSTANCE_TAGS, and before them what a file on the machine says, where ECS's agent
// would ask the cloud (ECS_CONTAINER_INSTANCE_PROPAGATE_TAGS_FROM=ec2_instance).
import { readFileSync } from "node:fs";
import { isReservedTag, MAX_TAGS, mergeTags } from "../api/tags.js";
import type { Tag } from "../api/types.gen.js";
import { parseStringMap } from "./options-json.js";

/** A JSON object of strings, such as `{"rack":"r7"}`. */
const HOST_TAGS_FILE = "/etc/ecs/host-tags.json";

const OWN = "ECS_CONTAINER_INSTANCE_TAGS";
const FROM = "ECS_CONTAINER_INSTANCE_PROPAGATE_TAGS_FROM";
const MAX_KEY = 128;
const MAX_VALUE = 256;

type Env = Readonly<Record<string, string | undefined>>;

/** @throws Error naming variable and rule */
export function instanceTags(env: Env): Tag[] | undefined {
  const text = env[OWN];
  return text ? parseTags(text, OWN) : undefined;
}

/** @throws Error if the variable asks for what is not there, or the file is no JSON object of strings */
export function hostTags(env: Env, file = HOST_TAGS_FILE): Tag[] | undefined {
  const from = env[FROM];
  if (!from) return undefined;
  if (from !== "ec2_instance") throw new Error(`${FROM}: "${from}" cannot be used; it must be ec2_instance`);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new Error(`${FROM}: ${file} cannot be read (${code}); write the machine's tags there, as {"rack":"r7"}`);
  }
  // What the platform itself says of the machine is not for others to say, as in ECS.
  return parseTags(text, file, (tag) => !isReservedTag(tag));
}

/** Of both, and where both have a key, the first one's. @throws Error for more than a machine may have */
export function bothTags(own: Tag[] | undefined, others: Tag[] | undefined): Tag[] | undefined {
  const tags = mergeTags(own, others);
  if (tags !== undefined && tags.length > MAX_TAGS)
    throw new Error(`${OWN} and ${FROM}: ${tags.length} tags; at most ${MAX_TAGS} are allowed`);
  return tags && [...tags];
}

function parseTags(text: string, source: string, wanted: (tag: Tag) => boolean = () => true): Tag[] {
  const entries = parseStringMap(text);
  if (!entries)
    throw new Error(
      `${source}: "${text.trim()}" cannot be read; it must be a JSON object of strings such as {"k":"v"}`,
    );
  const tags = entries.map(([key, value]) => ({ key, value })).filter(wanted);
  for (const tag of tags) {
    const { key, value } = tag;
    check(source, key, "key", key, MAX_KEY);
    check(source, key, "value", value, MAX_VALUE);
    if (key === "" || isReservedTag(tag))
      throw new Error(
        `${source}: "${key}":"${value}" is not allowed; keys are not empty, and aws: begins the system's own`,
      );
  }
  return tags;
}

const CHARACTERS = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

function check(source: string, key: string, what: "key" | "value", text: string, most: number): void {
  const which = `tag "${key.slice(0, 20)}${key.length > 20 ? "…" : ""}"`;
  if ([...text].length > most)
    throw new Error(
      `${source}: the ${what} of ${which} has ${[...text].length} characters; at most ${most} are allowed`,
    );
  if (!CHARACTERS.test(text))
    throw new Error(`${source}: the ${what} of ${which} may have letters, digits, spaces and _ . : / = + - @ only`);
}
