import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { load } from "js-yaml";
import type { CustomResourceDefinition } from "../../api/crd.js";
import { isObject } from "../json.js";
import { namespaceDefinition } from "./core.js";
import { type Resources, resourcesOf } from "./resource.js";

const shippedFolder = fileURLToPath(new URL("../../../crds/", import.meta.url));

const loaded = new Map<string, Resources>();

/** The core kinds and every CRD in a folder, which is read once in a process. @throws if a file is not a CRD. */
export function loadResources(crdFolder = shippedFolder): Resources {
  const known = loaded.get(crdFolder);
  if (known !== undefined) return known;
  const files = readdirSync(crdFolder)
    .filter((name) => name.endsWith(".yaml"))
    .sort();
  const definitions = files.map((name) => readDefinition(join(crdFolder, name)));
  const resources = resourcesOf([namespaceDefinition, ...definitions]);
  loaded.set(crdFolder, resources);
  return resources;
}

function readDefinition(file: string): CustomResourceDefinition {
  const document = load(readFileSync(file, "utf8"));
  if (!isObject(document) || document.kind !== "CustomResourceDefinition" || !isObject(document.spec))
    throw new Error(`${file}: not a CustomResourceDefinition`);
  return document as unknown as CustomResourceDefinition;
}
