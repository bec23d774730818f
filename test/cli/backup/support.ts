// A small data folder and a backup of it, without processes.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { writeBackupFile } from "../../../cli/backup/file.js";
import { encode } from "../../../cli/backup/format.js";
import { takeBackup } from "../../../cli/backup/take.js";
import { type DataFolder, dataFolder, openDataFolder } from "../../../cli/supervisor/data-folder.js";
import { openLmdbStore } from "../../../store/lmdb/lmdb-store.js";
import type { Store } from "../../../store/store.js";

export const IDENTITY = {
  "pki/ca.crt": "certificate",
  "pki/tokens.csv": "secret,admin,admin,",
  "nats/keys/account.nk": "seed",
  "agent/instances.json": "[]",
};

/** What a Davit leaves on its disk, with these objects. */
export async function makeDataFolder(root: string, write: (store: Store) => Promise<unknown>): Promise<DataFolder> {
  const folder = dataFolder(root);
  openDataFolder(folder);
  const passing = { "nats/control.creds": "made anew", "pki/tls.key.new": "half", "logs/server.log": "said" };
  for (const [path, text] of Object.entries({ ...IDENTITY, ...passing })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const store = await openLmdbStore({ folder: folder.store });
  await write(store);
  await store.close();
  return folder;
}

export async function backUp(folder: DataFolder, file: string): Promise<void> {
  const store = await openLmdbStore({ folder: folder.store });
  const pieces = encode(await takeBackup(folder, store, Date.now()));
  await writeBackupFile(file, stream(pieces));
  await store.close();
}

/** Pieces as they come over a connection. */
export async function* stream(pieces: Iterable<Buffer>): AsyncGenerator<Buffer> {
  yield* pieces;
}
