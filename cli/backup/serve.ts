// `GET /davit/v1/backup`: a backup of this Davit, for its administrators, also from another machine.
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { PathHandler } from "../../apiserver/index.js";
import { apiError } from "../../client/object-client.js";
import type { Store } from "../../store/store.js";
import type { DataFolder } from "../supervisor/data-folder.js";
import { encode } from "./format.js";
import { takeBackup } from "./take.js";

export const BACKUP_PATH = "/davit/v1/backup";
/** Objects that a snapshot holds stay in memory although they have changed since: nobody may keep them for long. */
const MAX_STALL_MS = 60_000;

export interface BackupOptions {
  folder: DataFolder;
  store: Store;
  now: () => number;
  /** A reader that takes nothing for so long is cut off. @default 60_000 */
  maxStallMs?: number;
}

export function serveBackup({ folder, store, now, maxStallMs = MAX_STALL_MS }: BackupOptions): PathHandler {
  return async ({ request, response, authenticate, signal }) => {
    const { name, groups } = authenticate();
    if (!groups.includes("system:masters"))
      throw apiError(403, "Forbidden", `forbidden: User "${name}" cannot get path "${BACKUP_PATH}": it holds all keys`);
    if (request.method !== "GET") throw apiError(405, "MethodNotAllowed", "a backup is read with GET");
    const backup = await takeBackup(folder, store, now());
    response.writeHead(200, { "content-type": "application/x-ndjson", "cache-control": "no-store" });
    for (const piece of encode(backup)) {
      if (signal.aborted) break;
      // Everybody else's requests have their turn between two pieces, however fast this one is read.
      if (response.write(piece)) await nextTurn();
      else await drained(response, AbortSignal.any([signal, AbortSignal.timeout(maxStallMs)]));
    }
    // One that is cut off must not end as if it were whole.
    if (signal.aborted) response.destroy();
    else response.end();
  };
}

/** Destroys the response when the signal says so first. */
async function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  await once(response, "drain", { signal }).catch(() => response.destroy());
}
