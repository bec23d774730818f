import { readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";

const ROOT = new URL("../../", import.meta.url).pathname;
const DIGITS = 8;

/** The commit that this program was built from, its first digits: $DAVIT_COMMIT as images have it, else that of the
 *  clone it runs in; empty if neither is known. */
export function ownCommit(root = ROOT, env = process.env): string {
  const commit = env.DAVIT_COMMIT || headOf(join(root, ".git"));
  return /^[0-9a-f]{7,64}$/.test(commit) ? commit.slice(0, DIGITS) : "";
}

function headOf(git: string): string {
  // A work tree of its own has a file that names its folder; branches are with the clone it belongs to.
  const named = /^gitdir: (.+)$/m.exec(textOf(git))?.[1];
  const folder = named === undefined ? git : resolve(git, "..", named);
  const head = textOf(join(folder, "HEAD")).trim();
  const ref = /^ref: (\S+)$/.exec(head)?.[1];
  if (ref === undefined) return head;
  const common = resolve(folder, textOf(join(folder, "commondir")).trim() || ".");
  const loose = textOf(join(common, ref)).trim();
  if (loose !== "") return loose;
  const line = textOf(join(common, "packed-refs"))
    .split("\n")
    .find((one) => one.endsWith(` ${ref}`));
  return line?.split(" ")[0] ?? "";
}

function textOf(path: string): string {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ? readFileSync(path, "utf8") : "";
}
