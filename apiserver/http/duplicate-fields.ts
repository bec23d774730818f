import { child, type Path } from "../validation/path.js";

/** Paths of fields that a (valid) JSON text gives more than once in one object. JSON.parse drops all but the last
 *  without a word, and a strict server must not. */
export function duplicateFields(json: string): Path[] {
  const found: Path[] = [];
  const open: Level[] = [];
  const tokens = /"(?:[^"\\]|\\.)*"|[{}[\]:,]/g;
  let pending = ""; // the last string: a property's name if a colon follows
  for (let match = tokens.exec(json); match !== null; match = tokens.exec(json)) {
    const token = match[0];
    const level = open.at(-1);
    if (token === "{" || token === "[") open.push(newLevel(token, level));
    else if (token === "}" || token === "]") open.pop();
    else if (token === "," && level?.names === undefined && level) level.index++;
    else if (token === ":" && level?.names) {
      const name = JSON.parse(pending) as string;
      level.at = child(level.path, name);
      if (level.names.has(name)) found.push(level.at);
      level.names.add(name);
    } else pending = token;
  }
  return found;
}

interface Level {
  path: Path;
  /** Names seen in an object; absent in a list. */
  names?: Set<string>;
  /** Where the value being read lies, in an object. */
  at: Path;
  index: number;
}

function newLevel(token: "{" | "[" | string, outer: Level | undefined): Level {
  const path = outer === undefined ? "" : outer.names ? outer.at : child(outer.path, outer.index);
  return { path, at: path, index: 0, ...(token === "{" && { names: new Set<string>() }) };
}
