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
    if (end < text.length) throw new Expected(end, "the end of the document");
    return undefined;
  } catch (error) {
    if (!(error instanceof Expected)) throw error;
    return { offset: error.offset, message: error.message };
  }
}

class Expected extends Error {
  constructor(
    readonly offset: number,
    what: string,
  ) {
    super(`is no JSON: expected ${what}`);
  }
}

function skip(text: string, pattern: RegExp, from: number): number {
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex : -1;
}

/** @returns the offset behind the value that starts, after spaces, at `from` */
function value(text: string, from: number, depth: number): number {
  const start = skip(text, SPACE, from);
  const open = text[start];
  if (depth > MAX_DEPTH) throw new Expected(start, `at most ${MAX_DEPTH} levels`);
  if (open === "{") return members(text, start, "}", depth, key);
  if (open === "[") return members(text, start, "]", depth, (at) => at);
  const end = skip(text, open === '"' ? STRING : PLAIN, start);
  if (end < 0) throw new Expected(start, open === '"' ? "a string that ends on its line" : "a value");
  return end;

  function key(at: number): number {
    const behind = skip(text, STRING, at);
    if (behind < 0) throw new Expected(at, 'a key in double quotes, or "}"');
    const colon = skip(text, SPACE, behind);
    if (text[colon] !== ":") throw new Expected(colon, '":" after the key');
    return colon + 1;
  }
}

function members(text: string, start: number, close: string, depth: number, head: (at: number) => number): number {
  let at = skip(text, SPACE, start + 1);
  if (text[at] === close) return at + 1;
  for (;;) {
    at = skip(text, SPACE, value(text, head(at), depth + 1));
    if (text[at] === close) return at + 1;
    if (text[at] !== ",") throw new Expected(at, `"," or "${close}"`);
    at = skip(text, SPACE, at + 1);
  }
}
