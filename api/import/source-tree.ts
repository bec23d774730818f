// The places of a document's values, and the limits that must be checked before any value is made.
import { EVENT_ID, type Event, getScalarValue } from "js-yaml";

/** At most this many values, each use of an anchor counted in full. */
export const MAX_NODES = 100_000;

export class SourceError extends Error {
  constructor(
    readonly offset: number,
    message: string,
    readonly field?: string,
  ) {
    super(message);
  }
}

export interface SourceNode {
  offset: number;
  /** This value and all below it, aliases expanded. */
  size: number;
  children: Map<string, SourceNode>;
}

interface Frame {
  node: SourceNode;
  field: string;
  isMapping: boolean;
  /** The key whose value comes next. */
  key?: string | undefined;
}

/** @throws SourceError for a key that stands twice in one mapping, and for too many values */
export function sourceTree(events: readonly Event[], source: string): SourceNode {
  const root: Frame = { node: newNode(0), field: "", isMapping: false };
  const open: Frame[] = [root];
  const anchors = new Map<string, SourceNode>();
  for (const event of events) {
    const frame = open.at(-1) ?? root;
    if (event.type === EVENT_ID.DOCUMENT) continue;
    if (event.type === EVENT_ID.POP) {
      if (open.length > 1) close(open);
      continue;
    }
    if (event.type === EVENT_ID.ALIAS) {
      const target = anchors.get(source.slice(event.anchorStart, event.anchorEnd));
      // An unknown name is left to the parser; an anchor that is still open would contain itself.
      if (target && open.some(({ node }) => node === target))
        throw new SourceError(event.anchorStart, "an anchor must not be used within itself");
      attach(frame, target ?? newNode(event.anchorStart), event.anchorStart);
      continue;
    }
    const offset = event.type === EVENT_ID.SCALAR ? event.valueStart : event.start;
    if (event.type === EVENT_ID.SCALAR && frame.isMapping && frame.key === undefined) {
      nextKey(frame, getScalarValue(source, event), offset);
      continue;
    }
    const node = newNode(offset);
    if (event.anchorStart >= 0) anchors.set(source.slice(event.anchorStart, event.anchorEnd), node);
    const field = attach(frame, node, offset);
    if (event.type !== EVENT_ID.SCALAR) open.push({ node, field, isMapping: event.type === EVENT_ID.MAPPING });
  }
  return root.node.children.get("0") ?? root.node;
}

const newNode = (offset: number): SourceNode => ({ offset, size: 1, children: new Map() });

function nextKey(frame: Frame, key: string, offset: number): void {
  if (frame.node.children.has(key) && key !== "<<")
    throw new SourceError(offset, "the key stands twice in one mapping: remove one of them", below(frame, key));
  frame.key = key;
}

function attach(frame: Frame, node: SourceNode, offset: number): string {
  if (frame.isMapping && frame.key === undefined)
    throw new SourceError(offset, "a key must be plain text", frame.field || undefined);
  const name = frame.isMapping ? (frame.key ?? "") : String(frame.node.children.size);
  const field = below(frame, name);
  frame.key = undefined;
  frame.node.children.set(name, node);
  // An open node counts once more when it is closed, with all that it then has.
  frame.node.size += node.size;
  if (frame.node.size > MAX_NODES) throw tooMany(offset, field);
  return field;
}

function close(open: Frame[]): void {
  const closed = open.pop();
  const parent = open.at(-1);
  if (!closed || !parent) return;
  parent.node.size += closed.node.size - 1;
  if (parent.node.size > MAX_NODES) throw tooMany(closed.node.offset, closed.field);
}

const tooMany = (offset: number, field: string): SourceError =>
  new SourceError(
    offset,
    `the document has more than ${MAX_NODES} values, each use of an anchor counted in full: use fewer, or split it`,
    field || undefined,
  );

function below(frame: Frame, name: string): string {
  if (frame.field === "" && !frame.isMapping) return "";
  if (!frame.isMapping) return `${frame.field}[${name}]`;
  return frame.field === "" ? name : `${frame.field}.${name}`;
}
