// Files, folders and standard input to manifests, each with where it came from.
import { readFileSync, statSync } from "node:fs";
import { readFolder } from "../gitops/folder-source.js";
import { parseManifest } from "../gitops/parse.js";
import type { LoadedFile, LoadedObject } from "../gitops/plan.js";
import { Failure, messageOf } from "./failure.js";

export { parseManifest };

export interface LoadedManifests {
  documents: LoadedObject[];
  /** Each names file, document and field. */
  errors: string[];
  notes: string[];
}

/** @param sources files, folders (with all below them), or `-` for standard input
 *  @param namespace for documents that name none
 *  @throws Failure for a source that can't be read */
export async function loadManifests(sources: readonly string[], namespace: string): Promise<LoadedManifests> {
  const files: LoadedFile[] = [];
  for (const source of sources) files.push(...(await loadSource(source, namespace)));
  return {
    documents: files.flatMap(({ objects }) => objects),
    errors: files.flatMap(({ errors }) => errors),
    notes: files.flatMap(({ notes }) => notes ?? []),
  };
}

async function loadSource(source: string, namespace: string): Promise<LoadedFile[]> {
  const parse = (path: string, text: string) => parseManifest(path, text, namespace);
  try {
    if (source === "-") return [parse("standard input", readFileSync(0, "utf8"))];
    if (!statSync(source).isDirectory()) return [parse(source, readFileSync(source, "utf8"))];
    return await readFolder(source, parse);
  } catch (error) {
    throw new Failure(`${source} can't be read: ${messageOf(error)}`);
  }
}
