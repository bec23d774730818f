// Tags (spec/07 §6): which an object carries, and which a new task gets. Pure.
import { clusterNameOf } from "./names.js";
import type { ServiceSpec, Tag } from "./types.gen.js";

/** As many an object may have; the system's own do not count. */
export const MAX_TAGS = 50;

/** Keys and values that begin so are the system's own. */
export const isReservedTag = ({ key, value = "" }: Tag): boolean => /^aws:/i.test(key) || /^aws:/i.test(value);

type Tags = readonly Tag[];

interface Tagged {
  spec?: unknown;
  status?: unknown;
}
interface TagFields {
  tags?: Tags;
  managedTags?: Tags;
  propagatedTags?: Tags;
}

/** Every tag of an object of any kind: its own, those that it got by `propagateTags`, and the system's. Undefined
 *  where it has none. */
export function tagsOf({ spec, status }: Tagged): Tags | undefined {
  const { tags } = (spec ?? {}) as TagFields;
  const { managedTags, propagatedTags } = (status ?? {}) as TagFields;
  if (managedTags === undefined && propagatedTags === undefined) return tags;
  return mergeTags(mergeTags(tags, propagatedTags), managedTags);
}

/** Both, each key once: where both have it, the first one's value counts. The very same list if the other adds nothing. */
export function mergeTags(winning: Tags | undefined, others: Tags | undefined): Tags | undefined {
  if (others === undefined || others.length === 0) return winning;
  if (winning === undefined || winning.length === 0) return others;
  const taken = new Set(winning.map(({ key }) => key));
  const added = others.filter(({ key }) => !taken.has(key));
  return added.length === 0 ? winning : [...winning, ...added];
}

/** What `propagateTags` copies. Nothing is copied where it is not set. */
export function propagatedTags(
  from: ServiceSpec["propagateTags"],
  { service, definition }: { service?: Tags | undefined; definition?: Tags | undefined },
): Tags | undefined {
  if (from === "SERVICE") return service;
  return from === "TASK_DEFINITION" ? definition : undefined;
}

/** What `enableECSManagedTags` gives a task: the cluster's name, and the service's if it belongs to one.
 *  @param cluster what a `cluster` field holds */
export const managedTags = (cluster: string | undefined, service?: string): Tag[] => [
  { key: "aws:ecs:clusterName", value: clusterNameOf(cluster) },
  ...(service === undefined ? [] : [{ key: "aws:ecs:serviceName", value: service }]),
];

/** A tag as it is typed: `key=value`, or `key` alone, which leaves the value open. The first `=` ends the key. */
export function parseTag(text: string): Tag {
  const [, key = "", value] = /^([^=]*)(?:=(.*))?$/s.exec(text) ?? [];
  return value === undefined ? { key } : { key, value };
}

/** Whether the object has each of the tags; one without a value is met by any value. */
export function hasTags(object: Tagged, wanted: Tags): boolean {
  if (wanted.length === 0) return true;
  const tags = tagsOf(object) ?? [];
  return wanted.every(({ key, value }) =>
    tags.some((tag) => tag.key === key && (value === undefined || (tag.value ?? "") === value)),
  );
}
