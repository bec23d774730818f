import { closeSync, copyFileSync, openSync, readSync, statSync, truncateSync } from "node:fs";

const MIB = 1024 * 1024;
/** Two files of this size at most for each child. */
const MAX_LOG_BYTES = 5 * MIB;

/** Keeps a log that another process appends to within bounds: the full file becomes `<path>.1`.
 *  Copy and cut, as the writer keeps its file open (in append mode) and may outlive this process. */
export function boundLog(path: string, maxBytes = MAX_LOG_BYTES): void {
  if (sizeOf(path) <= maxBytes) return;
  copyFileSync(path, `${path}.1`);
  truncateSync(path, 0);
}

export function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** The text after `from`, at most its last 8 KiB. */
export function tail(path: string, from = 0): string {
  const size = sizeOf(path);
  const start = Math.max(from, size - 8192, 0);
  if (size <= start) return "";
  const buffer = Buffer.alloc(size - start);
  const file = openSync(path, "r");
  try {
    return buffer.toString("utf8", 0, readSync(file, buffer, 0, buffer.length, start));
  } finally {
    closeSync(file);
  }
}
