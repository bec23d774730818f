/** An object whose values are all strings, as its entries; undefined for anything else. */
export function parseStringMap(text: string): [name: string, value: string][] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const entries = Object.entries(value);
  return entries.every((entry): entry is [string, string] => typeof entry[1] === "string") ? entries : undefined;
}

/** The array that `text` is, if all its items pass; undefined for anything else. */
export function parseArray<T>(text: string, is: (item: unknown) => item is T): T[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every(is) ? value : undefined;
  } catch {
    return undefined;
  }
}
