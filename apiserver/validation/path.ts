/** Where in a document: `spec.containerDefinitions[0].name`; empty at the root. */
export type Path = string;

export function child(path: Path, name: string | number): Path {
  if (typeof name === "number") return `${path}[${name}]`;
  return path === "" ? name : `${path}.${name}`;
}

/** `/containerDefinitions/0/name`, a JSON pointer into `document`, which lies at `root`, as a path. */
export function fromPointer(root: Path, pointer: string, document: unknown): Path {
  let path = root;
  let at: unknown = document;
  for (const token of pointer.split("/").slice(1)) {
    const name = token.replaceAll("~1", "/").replaceAll("~0", "~");
    const inArray = Array.isArray(at);
    path = child(path, inArray ? Number(name) : name);
    at = inArray ? (at as unknown[])[Number(name)] : (at as Record<string, unknown> | undefined)?.[name];
  }
  return path;
}
