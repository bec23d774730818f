// A backup's way to and from a file.
import { createReadStream, statSync } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { codeOf, Failure, messageOf } from "../failure.js";
import { Damaged, decode, type End, type Header, type Line } from "./format.js";

export interface Summary extends End {
  header: Header;
  bytes: number;
}

/** Writes the backup that comes, whole and checked, or leaves everything as it was. For its owner only.
 *  @throws Failure */
export async function writeBackupFile(file: string, bytes: AsyncIterable<Buffer>): Promise<Summary> {
  refuseUnlessOrdinary(file);
  const beside = `${file}.${process.pid}.tmp`;
  try {
    const handle = await open(beside, "wx", 0o600);
    let summary: Summary;
    try {
      summary = await pass(bytes, (piece) => handle.writeFile(piece));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, file);
    await syncFolder(dirname(file));
    return summary;
  } catch (error) {
    await rm(beside, { force: true });
    throw explained(error, file);
  }
}

/** Hands the backup that comes on, and checks it on the way. @throws Failure if what was handed on is not whole */
export async function passBackup(bytes: AsyncIterable<Buffer>, write: (piece: Buffer) => unknown): Promise<Summary> {
  try {
    return await pass(bytes, write);
  } catch (error) {
    throw explained(error, "what came");
  }
}

async function pass(bytes: AsyncIterable<Buffer>, write: (piece: Buffer) => unknown): Promise<Summary> {
  let count = 0;
  async function* tee(): AsyncGenerator<Buffer> {
    for await (const piece of bytes) {
      count += piece.length;
      await write(piece);
      yield piece;
    }
  }
  let header: Header | undefined;
  let end: End | undefined;
  for await (const line of decode(tee())) {
    if ("header" in line) header = line.header;
    if ("end" in line) end = line.end;
  }
  if (!header || !end) throw new Damaged("it is empty");
  return { header, ...end, bytes: count };
}

/** Reads a file from its beginning to its end and says what it is. @throws Failure if it is not whole, or altered */
export async function checkBackupFile(file: string): Promise<Summary> {
  try {
    return await pass(createReadStream(file), () => undefined);
  } catch (error) {
    throw explained(error, file);
  }
}

/** @throws Damaged when the end does not fit the rest */
export const readBackupFile = (file: string): AsyncIterable<Line> => decode(createReadStream(file));

/** A new file in place of a device would be a surprise. */
function refuseUnlessOrdinary(file: string): void {
  const there = statSync(file, { throwIfNoEntry: false });
  if (there && !there.isFile())
    throw new Failure(`${file} is no ordinary file: name another one, or - for standard output.`);
}

function explained(error: unknown, file: string): unknown {
  if (error instanceof Damaged) return new Failure(`${file} is no good backup: ${error.message}.`);
  const code = codeOf(error);
  if (code === undefined || !/^E[A-Z]+$/.test(code)) return error;
  if (code === "ENOENT") return new Failure(`${file}: there is no such file or folder.`);
  return new Failure(`${file}: ${messageOf(error)}.`);
}

export async function syncFolder(folder: string): Promise<void> {
  const handle: FileHandle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
