// A backup is text, one JSON document a line: a header, the files that make this Davit itself, every object, and an
// end with the SHA-256 of every byte before it. So it is read with any tool, and one that is cut or altered is noticed.
import { createHash } from "node:crypto";
import type { Entry } from "../../store/store.js";

/** Rises when an older Davit could not restore what a newer one backs up. */
export const BACKUP_FORMAT = 1;

export interface Header {
  /** Of the backup. */
  format: number;
  /** Of the data folder that it was read from. */
  dataFormat: number;
  davitVersion: string;
  /** ISO 8601. */
  takenAt: string;
  /** Identity of the store. */
  store: string;
  /** At which the objects are what they are here. */
  revision: number;
}
export interface BackedUpFile {
  /** From the data folder: `pki/ca.crt`. */
  path: string;
  base64: string;
}
export interface End {
  files: number;
  objects: number;
  /** Hex, of all lines before this one. */
  sha256: string;
}
export type Line = { header: Header } | { file: BackedUpFile } | { entry: Entry } | { end: End };

export interface Backup {
  header: Header;
  files: readonly BackedUpFile[];
  entries: readonly Entry[];
}

/** The file is no backup, not a whole one, or not as it was written. */
export class Damaged extends Error {
  override readonly name = "Damaged";
}

const PIECE_BYTES = 64 * 1024;

/** In pieces of about 64 KiB, so that no more than that is in memory as text. */
export function* encode({ header, files, entries }: Backup): Generator<Buffer> {
  const hash = createHash("sha256");
  let piece = "";
  const take = (): Buffer => {
    const bytes = Buffer.from(piece);
    piece = "";
    hash.update(bytes);
    return bytes;
  };
  for (const line of linesOf(header, files, entries)) {
    piece += `${JSON.stringify(line)}\n`;
    if (piece.length >= PIECE_BYTES) yield take();
  }
  if (piece !== "") yield take();
  const end: End = { files: files.length, objects: entries.length, sha256: hash.digest("hex") };
  yield Buffer.from(`${JSON.stringify({ end } satisfies Line)}\n`);
}

function* linesOf(header: Header, files: readonly BackedUpFile[], entries: readonly Entry[]): Generator<Line> {
  yield { header };
  for (const file of files) yield { file };
  for (const { key, revision, object } of entries) yield { entry: { key, revision, object } };
}

/** Each line as it comes, the header first and the end last. What was yielded is certain only once this has ended.
 *  @throws Damaged */
export async function* decode(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Line> {
  const hash = createHash("sha256");
  const seen = { headers: 0, files: 0, objects: 0 };
  let end: End | undefined;
  for await (const text of splitLines(bytes)) {
    if (end) throw new Damaged("something comes after its end");
    const line = parseLine(text);
    if ("header" in line) seen.headers++;
    else if (seen.headers === 0) throw new Damaged("it does not begin as a backup does");
    if ("file" in line) seen.files++;
    if ("entry" in line) seen.objects++;
    if ("end" in line) end = line.end;
    else hash.update(text).update("\n");
    if (seen.headers > 1) throw new Damaged("it has a second header");
    yield line;
  }
  if (!end) throw new Damaged("its end is missing: it was cut short");
  if (end.sha256 !== hash.digest("hex") || end.files !== seen.files || end.objects !== seen.objects)
    throw new Damaged("its checksum is not that of its contents: it was altered");
}

/** No object and no key file comes near it. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;

/** Without their newlines. @throws Damaged when the last one has none */
async function* splitLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const each of chunks) {
    let chunk = Buffer.from(each.buffer, each.byteOffset, each.byteLength);
    for (let newline = chunk.indexOf(10); newline >= 0; newline = chunk.indexOf(10)) {
      yield Buffer.concat([...rest, chunk.subarray(0, newline)]);
      rest = [];
      restBytes = 0;
      chunk = chunk.subarray(newline + 1);
    }
    if (chunk.length === 0) continue;
    rest.push(chunk);
    restBytes += chunk.length;
    if (restBytes > MAX_LINE_BYTES) throw new Damaged("it does not consist of lines, as a backup does");
  }
  if (restBytes > 0) throw new Damaged("its last line is not whole: it was cut short");
}

function parseLine(text: Buffer): Line {
  try {
    const parsed: unknown = JSON.parse(text.toString("utf8"));
    if (isLine(parsed)) return parsed;
  } catch {
    // Told below.
  }
  throw new Damaged("it has a line that is none of a backup's");
}

/** The checksum tells whether it is as it was written; this only tells other files from backups. */
function isLine(value: unknown): value is Line {
  if (typeof value !== "object" || value === null) return false;
  const [tag, ...more] = Object.entries(value);
  if (tag === undefined || more.length > 0) return false;
  const [name, content] = tag;
  return ["header", "file", "entry", "end"].includes(name) && typeof content === "object" && content !== null;
}
