// The Engine's streams: one JSON document a line, and container output with or without frames.
import type { IncomingMessage } from "node:http";

/** @throws when the stream breaks off. */
export async function* jsonLines<T>(stream: IncomingMessage): AsyncGenerator<T, void, undefined> {
  for await (const line of lines(stream)) if (line.trim() !== "") yield JSON.parse(line) as T;
}

async function* lines(stream: AsyncIterable<Buffer>): AsyncGenerator<string, void, undefined> {
  const splitter = new LineSplitter();
  for await (const chunk of stream) yield* splitter.push(chunk);
  yield* splitter.end();
}

/** Cuts bytes into lines; a character that spans two chunks stays whole. */
class LineSplitter {
  private rest: Buffer = Buffer.alloc(0);

  *push(chunk: Buffer): Generator<string> {
    this.rest = this.rest.length > 0 ? Buffer.concat([this.rest, chunk]) : chunk;
    for (let end = this.rest.indexOf(10); end >= 0; end = this.rest.indexOf(10)) {
      yield this.rest.toString("utf8", 0, end);
      this.rest = this.rest.subarray(end + 1);
    }
  }

  *end(): Generator<string> {
    if (this.rest.length > 0) yield this.rest.toString("utf8");
    this.rest = Buffer.alloc(0);
  }
}

export interface LogLine {
  stream: "stdout" | "stderr";
  atMs: number;
  text: string;
}

/** Output of a container without a terminal: frames of an 8-byte header (stream, 0, 0, 0, length) and a payload. */
export async function* framedLines(stream: AsyncIterable<Buffer>): AsyncGenerator<LogLine, void, undefined> {
  const splitters = { stdout: new LineSplitter(), stderr: new LineSplitter() };
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of stream) {
    rest = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    while (rest.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + rest.readUInt32BE(4);
      if (rest.length < end) break;
      const name = rest[0] === 2 ? "stderr" : "stdout";
      for (const line of splitters[name].push(rest.subarray(HEADER_BYTES, end))) yield logLine(name, line);
      rest = rest.subarray(end);
    }
  }
  for (const name of ["stdout", "stderr"] as const) for (const line of splitters[name].end()) yield logLine(name, line);
}

const HEADER_BYTES = 8;

/** Output of a container with a terminal: no frames, one stream. */
export async function* terminalLines(stream: AsyncIterable<Buffer>): AsyncGenerator<LogLine, void, undefined> {
  for await (const line of lines(stream)) yield logLine("stdout", line.replace(/\r$/, ""));
}

/** Each line begins with its time, as asked for. */
function logLine(stream: LogLine["stream"], line: string): LogLine {
  const space = line.indexOf(" ");
  const atMs = Date.parse(line.slice(0, space));
  return Number.isNaN(atMs) ? { stream, atMs: 0, text: line } : { stream, atMs, text: line.slice(space + 1) };
}
