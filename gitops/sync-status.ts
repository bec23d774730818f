// How the folder sync is doing, as annotations of the cluster `default`: readable by everybody who reads the API, and
// a confirmation can be given the same way.
import { ApiError, type ObjectClient } from "../client/object-client.js";

export interface SyncStatus {
  /** Held: something left the folder and is kept until confirmed. Failed: something could not be read or applied. */
  state: "Synced" | "Held" | "Failed";
  message: string;
  files: number;
  objects: number;
  /** The token that confirms the held deletion. */
  held?: string;
}

export const SYNC_ANNOTATIONS = {
  state: "gitops.davit.dev/state",
  message: "gitops.davit.dev/message",
  /** When state or message last changed. */
  since: "gitops.davit.dev/since",
  held: "gitops.davit.dev/held",
  /** Set by `davit gitops confirm` to the value of `held`. */
  confirm: "gitops.davit.dev/confirm",
} as const;

const CLUSTER = { namespace: "default", name: "default" };
const MAX_MESSAGE = 4_000;

export async function confirmedToken(client: ObjectClient): Promise<string | undefined> {
  return (await client.get("Cluster", CLUSTER))?.metadata.annotations?.[SYNC_ANNOTATIONS.confirm];
}

/** @returns whether anything is new */
export async function writeSyncStatus(client: ObjectClient, status: SyncStatus, now: () => number): Promise<boolean> {
  const cluster = await client.get("Cluster", CLUSTER);
  if (!cluster) return false;
  const told = cluster.metadata.annotations ?? {};
  const message = status.message.slice(0, MAX_MESSAGE);
  const spent = status.held === undefined && told[SYNC_ANNOTATIONS.confirm] !== undefined;
  const same =
    told[SYNC_ANNOTATIONS.state] === status.state &&
    told[SYNC_ANNOTATIONS.message] === message &&
    told[SYNC_ANNOTATIONS.held] === status.held;
  if (same && !spent) return false;
  const annotations = {
    [SYNC_ANNOTATIONS.state]: status.state,
    [SYNC_ANNOTATIONS.message]: message,
    [SYNC_ANNOTATIONS.since]: new Date(now()).toISOString(),
    [SYNC_ANNOTATIONS.held]: status.held ?? null,
    ...(spent && { [SYNC_ANNOTATIONS.confirm]: null }),
  };
  try {
    await client.patch("Cluster", CLUSTER, { metadata: { annotations } }, { fieldManager: "davit-gitops" });
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 404) throw error;
  }
  return true;
}
