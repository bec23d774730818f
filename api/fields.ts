// Which fields of an object are accepted but not acted on, by the one table of them.
import { anySet, type FieldRule, isRecord } from "./field-rules.js";
import { FIELDS } from "./field-table.js";
import type { Kind } from "./types.gen.js";

export interface FieldsWithoutEffect {
  /** Paths below `spec` with their indexes, such as `containerDefinitions[0].logConfiguration.logDriver`. */
  readonly ignored: readonly string[];
  /** The first field without which nothing may be started, such as `containerDefinitions[0].secrets` or
   *  `networkMode (awsvpc)`. */
  readonly notImplemented?: string;
}

/** What of an object's spec is not acted on. */
export function fieldsWithoutEffect(kind: Kind, spec: unknown): FieldsWithoutEffect {
  const { ignored, notImplemented } = FIELDS[kind];
  const [first] = notImplemented.flatMap((rule) => found(rule, spec, true));
  return {
    ignored: ignored.flatMap((rule) => found(rule, spec, false)),
    ...(first !== undefined && { notImplemented: first }),
  };
}

/** The message of `Runnable=False`, of a task's stop, and of the answer to `davit run`. */
export const notImplementedMessage = (field: string): string => `NotImplemented: ${field}`;

/** The one Warning of an object; undefined if all of it is acted on. */
export function warningOf(kind: Kind, spec: unknown): string | undefined {
  const { ignored, notImplemented } = fieldsWithoutEffect(kind, spec);
  const parts = [
    ...(notImplemented === undefined ? [] : [`nothing will be started: ${notImplementedMessage(notImplemented)}`]),
    ...(ignored.length === 0 ? [] : [`accepted without effect for now: ${ignored.join(", ")}`]),
  ];
  return parts.length === 0 ? undefined : parts.join("; ");
}

/** Every place in `spec` to which the rule applies. */
function found({ path, when = anySet }: FieldRule, spec: unknown, withValue: boolean): string[] {
  const [first = "", ...segments] = segmentsOf(path);
  // Most fields are not there: look no further then, for every task passes here.
  if (!isRecord(spec) || spec[first] === undefined) return [];
  let places: Place[] = [{ at: first, value: spec[first], parent: spec }];
  for (const segment of segments) places = places.flatMap((place) => below(place, segment));
  return places
    .filter(
      ({ value, parent }) => value !== undefined && value !== null && isRecord(parent) && when.applies(value, parent),
    )
    .map(({ at, value }) => (withValue && typeof value === "string" && when !== anySet ? `${at} (${value})` : at));
}

interface Place {
  at: string;
  value: unknown;
  parent: unknown;
}

function below({ at, value }: Place, segment: string): Place[] {
  if (segment !== "[]")
    return isRecord(value) ? [{ at: `${at}.${segment}`, value: value[segment], parent: value }] : [];
  return Array.isArray(value)
    ? value.map((item: unknown, i) => ({ at: `${at}[${i}]`, value: item, parent: value }))
    : [];
}

const known = new Map<string, readonly string[]>();
/** `a[].b` to `a`, `[]`, `b`. */
function segmentsOf(path: string): readonly string[] {
  const segments = known.get(path) ?? path.split(/\.|(?=\[\])/);
  known.set(path, segments);
  return segments;
}
