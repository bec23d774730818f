// Null stands for "not set" in ECS documents (spec/02 §1); the API knows no null.

/** A copy of `value` without the keys and items that are null.
 *  @param seen is told the path of each of them, such as `containerDefinitions[0].ulimits` */
export function withoutNulls<T>(value: T, seen: (path: string) => void = () => {}): T {
  return strip(value, "", seen) as T;
}

function strip(value: unknown, path: string, seen: (path: string) => void): unknown {
  const keep = (inner: unknown, at: string): boolean => {
    if (inner === null) seen(at);
    return inner !== null && inner !== undefined;
  };
  if (Array.isArray(value))
    return value.flatMap((item, i) => (keep(item, `${path}[${i}]`) ? [strip(item, `${path}[${i}]`, seen)] : []));
  if (typeof value !== "object" || value === null) return value;
  const below = (key: string): string => (path === "" ? key : `${path}.${key}`);
  const kept = Object.entries(value).filter(([key, inner]) => keep(inner, below(key)));
  return Object.fromEntries(kept.map(([key, inner]) => [key, strip(inner, below(key), seen)]));
}
