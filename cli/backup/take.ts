// What goes into a backup.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Store } from "../../store/store.js";
import { ownVersion } from "../own-version.js";
import { type DataFolder, FORMAT } from "../supervisor/data-folder.js";
import { BACKUP_FORMAT, type BackedUpFile, type Backup } from "./format.js";

/** Folders whose files say who this Davit is: the CA and its tokens, the bus's keys. Everything else in the data folder
 *  is made anew from these and the store. */
const FOLDERS = ["pki", "nats/keys"];
const FILES = ["agent/instances.json"];

/** Whether a backup may hold a file of this path. */
export const isBackedUp = (path: string): boolean =>
  FILES.includes(path) || FOLDERS.some((folder) => path.startsWith(`${folder}/`) && isPlainName(path, folder));

const isPlainName = (path: string, folder: string): boolean => /^[\w-][\w.-]*$/.test(path.slice(folder.length + 1));

/** Everything at one revision. Copies nothing of the store: the objects are those that its readers share. */
export async function takeBackup(folder: DataFolder, store: Store, nowMs: number): Promise<Backup> {
  const files = identityFiles(folder.root);
  const { entries, revision } = await store.list("");
  const header = {
    format: BACKUP_FORMAT,
    dataFormat: FORMAT,
    davitVersion: ownVersion(),
    takenAt: new Date(nowMs).toISOString(),
    store: store.id,
    revision,
  };
  return { header, files, entries };
}

function identityFiles(root: string): BackedUpFile[] {
  const listed = FOLDERS.filter((folder) => existsSync(join(root, folder))).flatMap((folder) =>
    readdirSync(join(root, folder), { withFileTypes: true })
      .filter((file) => file.isFile() && !/\.(tmp|new)$/.test(file.name))
      .map((file) => `${folder}/${file.name}`),
  );
  const paths = [...listed, ...FILES.filter((file) => existsSync(join(root, file)))];
  return paths.sort().map((path) => ({ path, base64: readFileSync(join(root, path)).toString("base64") }));
}
