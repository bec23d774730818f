// Where a text stops being JSON. JSON.parse does not always tell, and YAML reads `{"a": 1 "b": 2}` as something else.

export interface SyntaxProblem {
  offset: number;
  message: string;
}

const SPACE = /[ \t\r\n]*/y;
const STRING = /"(?:[^"\\\r\n\t]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const PLAIN = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null/y;
const MAX_DEPTH = 100;

/** @returns the first place that no JSON may have; undefined if the text is JSON */
export function jsonProblem(text: string): SyntaxProblem | undefined {
  try {
    const end = skip(text, SPACE, value(text, 0, 0));
    return end === text.length ? undefined : problem(end, "expected the end of the document");
  } catch (error) {
    if (error instanceof Problem) return problem(error.offset, error.message);
    throw error;
  }
}

class Problem extends Error {
  constructor(
    readonly offset: number,
    expected: string,
  ) {
    super(`is no JSON: expected ${expected}`);
  }
}
const problem = (offset: number, message: string): SyntaxProblem => ({
  offset,
  message: message.startsWith("is no JSON") ? message : `is no JSON: ${message}`,
});

function skip(text: string, pattern: RegExp, from: number): number {
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex : -1;
}

/** @returns the offset behind the value that starts, after spaces, at `from` */
function value(text: string, from: number, depth: number): number {
  const start = skip(text, SPACE, from);
  const open = text[start];
  if (depth > MAX_DEPTH) throw new Problem(start, `at most ${MAX_DEPTH} levels`);
  if (open === "{") return members(text, start, "}", depth, key);
  if (open === "[") return members(text, start, "]", depth, (at) => at);
  const end = skip(text, open === '"' ? STRING : PLAIN, start);
  if (end < 0) throw new Problem(start, open === '"' ? "a string that ends on its line" : "a value");
  return end;

  function key(at: number): number {
    const behind = skip(text, STRING, at);
    if (behind < 0) throw new Problem(at, 'a key in double quotes, or "}"');
    const colon = skip(text, SPACE, behind);
    if (text[colon] !== ":") throw new Problem(colon, '":" after the key');
    return colon + 1;
  }
}

function members(text: string, start: number, close: string, depth: number, head: (at: number) => number): number {
  let at = skip(text, SPACE, start + 1);
  if (text[at] === close) return at + 1;
  for (;;) {
    at = skip(text, SPACE, value(text, head(at), depth + 1));
    if (text[at] === close) return at + 1;
    if (text[at] !== ",") throw new Problem(at, `"," or "${close}"`);
    at = skip(text, SPACE, at + 1);
  }
}
