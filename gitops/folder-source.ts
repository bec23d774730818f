// A folder of manifests: all of its files, read whole, and a word whenever something in it has changed.
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { type FSWatcher, watch } from "chokidar";
import type { LoadedFile } from "./plan.js";

/** Turns one file's text into objects; every error it returns names the document and the field. */
export type ParseFile = (path: string, text: string) => LoadedFile;

const MANIFEST = /\.(ya?ml|json)$/i;
const isHidden = (name: string): boolean => name.startsWith(".");

/** Every .yaml, .yml and .json file below the folder, in order of path; what begins with a dot is left out.
 *  A file that can't be read is a file with an error. @throws if the folder itself, or one in it, can't be read */
export async function readFolder(root: string, parse: ParseFile): Promise<LoadedFile[]> {
  const files: LoadedFile[] = [];
  for (const path of (await listFiles(root, new Set())).sort()) {
    const shown = relative(root, path).split(sep).join("/");
    try {
      files.push(parse(shown, await readFile(path, "utf8")));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      files.push({ path: shown, objects: [], errors: [`${shown}: ${why}`] });
    }
  }
  return files;
}

async function listFiles(folder: string, seen: Set<string>): Promise<string[]> {
  const real = await realpath(folder);
  if (seen.has(real)) return []; // a link that leads back up
  seen.add(real);
  const found: string[] = [];
  for (const name of await readdir(folder)) {
    if (isHidden(name)) continue;
    const path = join(folder, name);
    const kind = await stat(path).catch(() => undefined);
    // A dangling link is a file that can't be read: what it used to define is kept.
    if (kind?.isDirectory()) found.push(...(await listFiles(path, seen)));
    else if (MANIFEST.test(name)) found.push(path);
  }
  return found;
}

/** Calls `changed` for each change below the folder, until closed; and once when it has begun to look, as what changes
 *  before that is told to nobody. */
export function followFolder(root: string, changed: () => void, failed: (error: unknown) => void): FSWatcher {
  const ignored = (path: string): boolean =>
    relative(root, path)
      .split(sep)
      .some((part) => part !== ".." && isHidden(part));
  return watch(root, { ignored, ignoreInitial: true }).on("all", changed).on("ready", changed).on("error", failed);
}
