// From a backup to a data folder that `davit up` can be started on.
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { mkdir, open, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { AccessToken } from "../../api/types.gen.js";
import { fillLmdbStore } from "../../store/lmdb/fill.js";
import { acquireLock, LockHeld } from "../../store/lock.js";
import type { Entry } from "../../store/store.js";
import { Failure } from "../failure.js";
import { type DataFolder, FORMAT } from "../supervisor/data-folder.js";
import { checkBackupFile, readBackupFile, type Summary, syncFolder } from "./file.js";
import { BACKUP_FORMAT, type BackedUpFile, type Header } from "./format.js";
import { isBackedUp } from "./take.js";

/** Revisions between the backup's and the restored store's first: far more than Davit can have given away between the
 *  backup and the disk's death (two months at 2,000 a second), so that none is given twice, and so few that the numbers
 *  last for 900,000 restores. */
export const REVISION_MARGIN = 10_000_000_000;

export interface Restored extends Summary {
  /** The newest revision of the restored store. */
  revision: number;
  /** Tokens for joining that were left out. */
  joinTokens: number;
}

/** Nothing is touched before the backup is known to be whole; cut short, it leaves a folder that `davit up` refuses and
 *  that this takes up again. @throws Failure */
export async function restore(file: string, folder: DataFolder): Promise<Restored> {
  const summary = await checkBackupFile(file);
  checkFormats(file, summary.header);
  refuseUnlessEmpty(folder);
  mkdirSync(folder.root, { recursive: true, mode: 0o700 });
  const release = await lock(folder);
  try {
    refuseUnlessEmpty(folder);
    await writeThrough(folder.restoring, `${JSON.stringify({ format: FORMAT }, null, 2)}\n`);
    removeLeftovers(folder);
    const revision = summary.header.revision + REVISION_MARGIN;
    const joinTokens = await write(file, folder, revision);
    // The one step by which all of it is there: until now there was no data folder here.
    await rename(folder.restoring, folder.stamp);
    await syncFolder(folder.root);
    return { ...summary, revision, joinTokens };
  } finally {
    await release();
  }
}

function checkFormats(file: string, { format, dataFormat, davitVersion }: Header): void {
  if (format !== BACKUP_FORMAT || dataFormat !== FORMAT)
    throw new Failure(
      `${file} was written by Davit ${davitVersion} in a form that this version does not read (${format}/${dataFormat}, ` +
        `this one reads ${BACKUP_FORMAT}/${FORMAT}): restore it with that version.`,
    );
}

/** Locks stay behind where somebody once looked. */
const isLock = (name: string): boolean => /^\w+\.lock\./.test(name);

function refuseUnlessEmpty(folder: DataFolder): void {
  const { root, restoring, stamp } = folder;
  if (existsSync(stamp))
    throw new Failure(
      `${root} holds a Davit already: name an empty or new folder with --data-dir, or move that one away first ` +
        `(\`davit down --data-dir ${root}\`, then \`mv ${root} ${root}.old\`).`,
    );
  if (existsSync(restoring) || !existsSync(root)) return;
  const [other] = readdirSync(root).filter((name) => !isLock(name));
  if (other !== undefined)
    throw new Failure(`${root} is not empty (${other} is in it): name an empty or new folder with --data-dir.`);
}

/** Of a restore that was cut short: nothing else can be in a folder with its mark. */
function removeLeftovers(folder: DataFolder): void {
  for (const path of [folder.store, folder.pki, folder.nats, folder.agent, folder.logs])
    rmSync(path, { recursive: true, force: true });
}

async function lock({ root }: DataFolder): Promise<() => Promise<void>> {
  try {
    const held = await acquireLock(root, "up");
    return () => held.release();
  } catch (error) {
    if (!(error instanceof LockHeld)) throw error;
    throw new Failure(`${root} is in use by process ${error.pid ?? "unknown"}: wait for it, or name another folder.`);
  }
}

/** @returns how many tokens for joining were left out */
async function write(file: string, folder: DataFolder, revision: number): Promise<number> {
  let joinTokens = 0;
  async function* entries(): AsyncGenerator<Entry> {
    for await (const line of readBackupFile(file)) {
      if ("file" in line) await writeIdentityFile(folder, line.file);
      if (!("entry" in line)) continue;
      // One that was used up since the backup would be good for a second machine.
      if (isJoinToken(line.entry)) joinTokens++;
      else yield line.entry;
    }
  }
  await fillLmdbStore({ folder: folder.store, entries: entries(), revision });
  return joinTokens;
}

const isJoinToken = ({ object }: Entry): boolean =>
  object.kind === "AccessToken" && (object as AccessToken).spec.use === "Join";

async function writeIdentityFile({ root }: DataFolder, { path, base64 }: BackedUpFile): Promise<void> {
  if (!isBackedUp(path))
    throw new Failure(`the backup holds a file ${JSON.stringify(path)}, which is none of Davit's.`);
  const target = join(root, path);
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  await writeThrough(target, Buffer.from(base64, "base64"));
}

/** For its owner only, and on the disk when it resolves. */
async function writeThrough(path: string, content: string | Buffer): Promise<void> {
  const handle = await open(path, "w", 0o600);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await syncFolder(dirname(path));
}
