// Reads crds/.
import { readdirSync, readFileSync } from "node:fs";
import { load } from "js-yaml";
import type { CustomResourceDefinition } from "../../api/crd.js";

/** From dist/scripts/generate/ to the repository's root. */
export const ROOT = new URL("../../../", import.meta.url);

/** Every CRD, in order of file name. The files are ours: their shape is proven by tests, not checked here. */
export function readCrds(): CustomResourceDefinition[] {
  const folder = new URL("crds/", ROOT);
  const files = readdirSync(folder).filter((file) => file.endsWith(".yaml"));
  return files.sort().map((file) => load(readFileSync(new URL(file, folder), "utf8")) as CustomResourceDefinition);
}
