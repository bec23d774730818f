// One document's text to its value, with the places of everything in it.
import { CORE_SCHEMA, constructFromEvents, type Event, mergeTag, parseEvents, YAMLException } from "js-yaml";
import { type DocumentText, MAX_DOCUMENT_BYTES } from "./documents.js";
import { jsonProblem } from "./json-syntax.js";
import { SourceError, type SourceNode, sourceTree } from "./source-tree.js";

/** YAML 1.2, and merge keys as Kubernetes' tools take them. */
const SCHEMA = CORE_SCHEMA.withTags(mergeTag);

export interface Spot {
  line: number;
  column: number;
}

export interface ParsedDocument {
  value: unknown;
  /** The place of the value at a path, or of the nearest one above it that is there. */
  spotOf(path: readonly (string | number)[]): Spot;
}

export class ParseError extends Error {
  constructor(
    readonly spot: Spot,
    message: string,
    readonly field?: string,
  ) {
    super(message);
  }
}

/** @param strictJson what is no JSON is an error, even where it would be YAML
 *  @throws ParseError */
export function parseDocument(document: DocumentText, strictJson: boolean): ParsedDocument {
  const { text } = document;
  const spot = (offset: number): Spot => spotIn(document, offset);
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_DOCUMENT_BYTES)
    throw new ParseError(spot(0), `has ${bytes} bytes; at most ${MAX_DOCUMENT_BYTES} (1.5 MiB) are taken: split it`);
  const problem = strictJson ? jsonProblem(text.replace(/^---/, "   ")) : undefined;
  if (problem) throw new ParseError(spot(problem.offset), problem.message);
  try {
    const events = parseEvents(text, {});
    const tree = sourceTree(events, text);
    const [value, ...more] = constructFromEvents(events as Event[], { source: text, schema: SCHEMA });
    if (more.length > 0) throw new SourceError(text.indexOf("\n..."), 'documents must be separated by a line "---"');
    return { value, spotOf: (path) => spot(nodeAt(tree, path).offset) };
  } catch (error) {
    if (error instanceof SourceError) throw new ParseError(spot(error.offset), error.message, error.field);
    if (error instanceof YAMLException) throw new ParseError(spot(error.mark?.position ?? 0), yamlText(error));
    throw error;
  }
}

function nodeAt(tree: SourceNode, path: readonly (string | number)[]): SourceNode {
  let node = tree;
  for (const segment of path) {
    const next = node.children.get(String(segment));
    if (!next) break;
    node = next;
  }
  return node;
}

function spotIn({ text, linesBefore }: DocumentText, offset: number): Spot {
  const before = text.slice(0, Math.max(0, offset)).split("\n");
  return { line: linesBefore + before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

/** What people trip over, in words that say what to do. */
function yamlText({ reason }: YAMLException): string {
  if (/tab characters/.test(reason)) return "tabs must not be used for indentation: use spaces";
  return `is no YAML: ${reason}`;
}
