import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type DataFolder, writeJson } from "./data-folder.js";

const fileOf = (folder: DataFolder): string => join(folder.agent, "instances.json");

/** The instance ids that this folder's agents have used so far: 32 hex digits each. */
export function knownInstanceIds(folder: DataFolder): string[] {
  try {
    const parsed: unknown = JSON.parse(readFileSync(fileOf(folder), "utf8"));
    return Array.isArray(parsed) ? parsed.filter((id): id is string => /^[0-9a-f]{32}$/.test(String(id))) : [];
  } catch {
    return [];
  }
}

/** The first `count` ids of this folder; made at first use and the same ever after. */
export function instanceIds(folder: DataFolder, count: number): string[] {
  const ids = knownInstanceIds(folder);
  if (ids.length >= count) return ids.slice(0, count);
  while (ids.length < count) ids.push(randomBytes(16).toString("hex"));
  writeJson(fileOf(folder), ids);
  return ids;
}
