/** Rows under headings, each column as wide as its widest cell, three blanks between, as kubectl prints them. */
export function columns(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [headings, ...rows];
  const widths = headings.map((_, column) => Math.max(...all.map((row) => width(row[column] ?? ""))));
  return all.map((row) => line(row, widths)).join("\n");
}

function line(row: readonly string[], widths: readonly number[]): string {
  return row
    .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - width(cell)))
    .join("   ")
    .trimEnd();
}

/** Terminal columns of a text: code points, without colour codes. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes begin with one
const width = (text: string): number => [...text.replace(/\u001b\[\d+m/g, "")].length;

/** `5s`, `3m20s`, `4h`, `12d`: as kubectl shows an age. */
export function age(fromIso: string | undefined, nowMs: number): string {
  const from = Date.parse(fromIso ?? "");
  if (Number.isNaN(from)) return "<unknown>";
  const seconds = Math.max(0, Math.floor((nowMs - from) / 1000));
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return seconds % 60 === 0 ? `${minutes}m` : `${minutes}m${seconds % 60}s`;
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours}h` : `${Math.floor(hours / 24)}d`;
}
