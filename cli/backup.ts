import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { openLmdbStore } from "../store/lmdb/lmdb-store.js";
import { LockHeld } from "../store/lock.js";
import { createApi, Unanswered } from "./api/api.js";
import { connectionOf } from "./api/connect.js";
import { passBackup, type Summary, writeBackupFile } from "./backup/file.js";
import { encode } from "./backup/format.js";
import { BACKUP_PATH } from "./backup/serve.js";
import { takeBackup } from "./backup/take.js";
import { Failure } from "./failure.js";
import { type DataFolder, dataFolder } from "./supervisor/data-folder.js";

interface Options {
  dataDir?: string;
  kubeconfig?: string;
}

export function define(command: Command): void {
  command
    .description(
      "Writes everything that Davit knows into one file: all objects at one revision, the CA, all keys and tokens. Davit " +
        "goes on meanwhile. Whoever has the file can be this Davit: keep it where secrets are kept.",
    )
    .argument("<file>", "appears whole or not at all, readable by its owner only; - for standard output")
    .option("--kubeconfig <F>", "the Davit of this kubeconfig, which must be an administrator's")
    .option("--data-dir <D>", "data folder of the local Davit; read from the disk where no Davit runs on it")
    .addHelpText(
      "after",
      `
Examples:
  $ davit backup /mnt/usb/davit.backup
  $ davit backup - | ssh other 'umask 077; cat > davit.backup'
  $ davit backup davit.backup --kubeconfig admin.yaml    of a Davit elsewhere
\`davit restore\` makes a data folder of it again.`,
    )
    .action(backup);
}

async function backup(file: string, options: Options): Promise<void> {
  const source = options.kubeconfig === undefined ? offline(options) : undefined;
  const summary =
    source && !(await answers(options, source)) ? await fromDisk(file, source) : await fromApi(file, options);
  process.stderr.write(`${told(file, summary)}\n`);
}

/** Whether a server runs on this folder. */
async function answers(options: Options, folder: DataFolder): Promise<boolean> {
  if (!existsSync(folder.kubeconfig)) return false;
  const api = createApi(await connectionOf(options));
  try {
    await api.text("/readyz");
    return true;
  } catch (error) {
    if (error instanceof Unanswered) return false;
    throw error;
  } finally {
    api.close();
  }
}

/** The local data folder, if there is one to read without a server. */
function offline({ dataDir }: Options): DataFolder | undefined {
  if (dataDir === undefined && process.env.DAVIT_KUBECONFIG !== undefined) return undefined;
  const folder = dataFolder(dataDir);
  return existsSync(folder.stamp) && existsSync(join(folder.store, "store.mdb")) ? folder : undefined;
}

async function fromApi(file: string, options: Options): Promise<Summary> {
  const api = createApi(await connectionOf(options));
  try {
    return await write(file, api.bytes(BACKUP_PATH, { accept: "application/x-ndjson" }));
  } finally {
    api.close();
  }
}

async function fromDisk(file: string, folder: DataFolder): Promise<Summary> {
  const store = await openLmdbStore({ folder: folder.store }).catch((error: unknown) => {
    if (!(error instanceof LockHeld)) throw error;
    throw new Failure(
      `the server of ${folder.root} runs but its API does not answer: look at ${folder.logs}/server.log, or end it with \`davit down\` and try again.`,
    );
  });
  try {
    const pieces = encode(await takeBackup(folder, store, Date.now()));
    return await write(file, asynchronous(pieces));
  } finally {
    await store.close();
  }
}

async function* asynchronous(pieces: Iterable<Buffer>): AsyncGenerator<Buffer> {
  yield* pieces;
}

const write = (file: string, bytes: AsyncIterable<Buffer>): Promise<Summary> =>
  file === "-" ? passBackup(bytes, toStdout) : writeBackupFile(file, bytes);

const toStdout = (piece: Buffer): Promise<void> =>
  new Promise((resolve) => void process.stdout.write(piece, () => resolve()));

const told = (file: string, { header, objects, files, bytes }: Summary): string =>
  `${file === "-" ? "The backup" : file} holds ${objects} objects at revision ${header.revision} and ${files} files of keys, ` +
  `tokens and certificates (${(bytes / 1024).toFixed(0)} KiB). It is secret: whoever has it can be this Davit.`;
