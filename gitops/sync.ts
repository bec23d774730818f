// Keeps the API at what a folder declares: applies what is in it, deletes what left it, of what it applied itself.

import type { Log } from "../api/log.js";
import type { ApiObject } from "../api/meta.js";
import { KINDS, type Kind } from "../api/types.gen.js";
import { ApiError, isDeletionDenied, type ObjectClient } from "../client/object-client.js";
import { type ApplyClient, applyObject, overObjectClient } from "./apply.js";
import { followFolder, type ParseFile, readFolder } from "./folder-source.js";
import { pinRevision, Unresolved } from "./pinned-revision.js";
import { type Applied, type LoadedFile, type LoadedObject, objectId, type Plan, plan } from "./plan.js";
import { confirmedToken, type SyncStatus, writeSyncStatus } from "./sync-status.js";

const FIELD_MANAGER = "davit-gitops";
/** On everything that the folder sync has applied. */
const SOURCE_LABEL = "davit.dev/source";
const SOURCE = "folder";
/** Which object the label was meant for: a copy of a manifest under another name is not ours to delete. */
const TRACKING = "davit.dev/source-object";
/** `<path>#<document>` in the folder. */
const ORIGIN = "davit.dev/source-file";

export interface FolderSyncOptions {
  root: string;
  client: ObjectClient;
  parse: ParseFile;
  log: Log;
  now: () => number;
  newBatchId: () => string;
  /** Nothing may have changed for so long before the folder is read. @default 300 */
  quietMs?: number;
  /** How often everything is compared again though nothing has changed. @default 30_000 */
  resyncMs?: number;
  /** The same while something is wrong or waits for a confirmation. @default 2_000 */
  retryMs?: number;
}

export interface FolderSync {
  /** One look at the folder, and what follows from it. */
  once(): Promise<SyncStatus>;
  close(): Promise<void>;
}

/** Starts following the folder at once. Every look is a whole one, so a missed change costs time only. */
export function startFolderSync(options: FolderSyncOptions): FolderSync {
  const { root, log, quietMs = 300, resyncMs = 30_000, retryMs = 2_000 } = options;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<unknown> = Promise.resolve();
  let closed = false;
  /** Something changed that the last look may not have seen. */
  let dirty = false;
  /** uids of what is to be deleted, and other objects still hold. */
  let begun: ReadonlySet<string> = new Set();

  const later = (ms: number): void => {
    clearTimeout(timer);
    if (!closed) timer = setTimeout(() => void once().catch(failed), ms);
  };
  const changed = (): void => {
    dirty = true;
    later(quietMs);
  };
  const failed = (error: unknown): void => {
    log.warn({ root, error: String(error) }, "folder sync failed; it tries again");
    later(retryMs);
    const status: SyncStatus = { state: "Failed", message: `it tries again: ${String(error)}`, files: 0, objects: 0 };
    writeSyncStatus(options.client, status, options.now).catch(() => undefined); // the log has it
  };
  const once = (): Promise<SyncStatus> => {
    const result = running.then(async () => {
      dirty = false;
      const { status, denied } = await syncFolder(options, begun);
      begun = denied;
      later(dirty ? quietMs : status.state === "Synced" ? resyncMs : retryMs);
      return status;
    });
    running = result.catch(() => undefined);
    return result;
  };

  const watcher = followFolder(root, changed, (error) =>
    log.warn({ root, error: String(error) }, "the folder can't be watched; it is read every now and then"),
  );
  changed();
  return {
    once,
    async close() {
      closed = true;
      clearTimeout(timer);
      await watcher.close();
      await running;
    },
  };
}

/** One whole look: read, plan, apply, prune, tell. */
async function syncFolder(
  options: FolderSyncOptions,
  begun: ReadonlySet<string>,
): Promise<{ status: SyncStatus; denied: ReadonlySet<string> }> {
  const { root, client, parse, log } = options;
  const look = await readFolder(root, parse).then(
    (files) => ({ files, unreadable: undefined }),
    (error: unknown) => ({ files: undefined, unreadable: error instanceof Error ? error.message : String(error) }),
  );
  const applied = await inventory(client);
  const decided = plan({
    files: look.files,
    applied,
    begun,
    confirmed: await confirmedToken(client),
    ...(look.unreadable !== undefined && { unreadable: look.unreadable }),
  });
  const applyErrors = await applyAll(options, decided);
  const pruned = await prune(client, decided, log);
  const status = statusOf(decided, [...decided.errors, ...applyErrors, ...pruned.errors], look.files);
  if (await writeSyncStatus(client, status, options.now)) log.info({ root, ...status }, "folder sync");
  return { status, denied: pruned.denied };
}

/** Everything that this sync has applied and that is still there. */
async function inventory(client: ObjectClient): Promise<Applied[]> {
  const labelSelector = `${SOURCE_LABEL}=${SOURCE}`;
  const lists = await Promise.all((Object.keys(KINDS) as Kind[]).map((kind) => client.list(kind, { labelSelector })));
  return lists
    .flatMap(({ items }): readonly ApiObject[] => items)
    .flatMap((object) => {
      const { namespace, name, uid, annotations, deletionTimestamp } = object.metadata;
      const id = objectId(object.kind, namespace, name);
      const mine = annotations?.[TRACKING] === id && deletionTimestamp === undefined;
      return mine ? [{ id, uid, path: (annotations[ORIGIN] ?? "").replace(/#\d+$/, "") }] : [];
    });
}

async function applyAll({ client, newBatchId, log }: FolderSyncOptions, { apply }: Plan): Promise<string[]> {
  const applier = overObjectClient(client, FIELD_MANAGER);
  const batch = newBatchId();
  const errors: string[] = [];
  for (const object of apply) {
    const error = await applyOne(client, applier, object, batch, log);
    if (error !== undefined) errors.push(`${object.where}: ${error}`);
  }
  return errors;
}

async function applyOne(
  client: ObjectClient,
  applier: ApplyClient,
  { manifest, id, origin }: LoadedObject,
  batch: string,
  log: Log,
): Promise<string | undefined> {
  if (!Object.hasOwn(KINDS, manifest.kind))
    return `kind: the folder sync keeps Davit's own kinds: make the ${manifest.kind} by \`davit apply\`, from a file that is not in this folder`;
  const { labels, annotations } = manifest.metadata as { labels?: object; annotations?: object };
  const marked = {
    ...manifest,
    metadata: {
      ...manifest.metadata,
      labels: { ...labels, [SOURCE_LABEL]: SOURCE },
      annotations: { ...annotations, [TRACKING]: id, [ORIGIN]: origin },
    },
  };
  try {
    // What is pinned stays: a look at the folder is no update of the service.
    const wanted = await pinRevision(marked, await applier.get(marked), {
      definition: (namespace, name) => client.get("TaskDefinition", { namespace, name }),
    });
    const { outcome, object } = await applyObject(applier, wanted, { batch });
    if (outcome !== "unchanged") log.info({ object: id, origin, outcome }, "applied from the folder");
    return object.metadata.deletionTimestamp === undefined
      ? undefined
      : "it is being deleted; applied again when it is gone";
  } catch (error) {
    if (error instanceof ApiError || error instanceof Unresolved) return error.message;
    throw error;
  }
}

async function prune(
  client: ObjectClient,
  { prune }: Plan,
  log: Log,
): Promise<{ errors: string[]; denied: ReadonlySet<string> }> {
  const errors: string[] = [];
  const denied = new Set<string>();
  for (const { id, uid } of prune) {
    const [kind, namespace, name] = id.split("/") as [Kind, string, string];
    try {
      await client.delete(kind, { namespace, name }, { uid, propagationPolicy: "Background" });
      log.info({ object: id }, "left the folder, deleted");
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (isDeletionDenied(error)) denied.add(uid);
      // Gone already, or another object of that name by now.
      else if (error.code === 404 || error.code === 409) continue;
      errors.push(`${id}: ${error.message}`);
    }
  }
  return { errors, denied };
}

function statusOf(decided: Plan, errors: readonly string[], files: readonly LoadedFile[] | undefined): SyncStatus {
  const { held, apply } = decided;
  const base = { files: files?.length ?? 0, objects: apply.length };
  const problems = [
    ...(held
      ? [`${held.reason}; kept until \`davit gitops confirm\`: ${held.objects.map(({ id }) => id).join(", ")}`]
      : []),
    ...errors,
  ];
  if (problems.length === 0)
    return { state: "Synced", message: `${base.objects} objects from ${base.files} files`, ...base };
  return { state: held ? "Held" : "Failed", message: problems.join("\n"), ...base, ...(held && { held: held.token }) };
}
