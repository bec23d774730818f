import type { ApiObject } from "../api/meta.js";
import type { Kind, Kinds, New } from "../api/types.gen.js";

export interface Ref {
  namespace: string;
  name: string;
}
export interface ListOptions {
  /** All namespaces if absent. */
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
}
export interface WatchEvent<T extends ApiObject = ApiObject> {
  type: "ADDED" | "MODIFIED" | "DELETED";
  object: T;
}
/** A batch of changes, or a bookmark (no events): everything up to `resourceVersion` has been delivered. */
export interface WatchBatch<T extends ApiObject = ApiObject> {
  events: readonly WatchEvent<T>[];
  resourceVersion: string;
}
export interface WriteOptions {
  /** Who writes, for managedFields. The client's own name if absent. */
  fieldManager?: string;
  dryRun?: boolean;
}
export interface DeleteOptions {
  uid?: string;
  resourceVersion?: string;
  propagationPolicy?: "Background" | "Foreground" | "Orphan";
}
/** RFC 7386 merge patch: a partial object in which null removes. */
export type MergePatch = Record<string, unknown>;

/** What controllers, gitops and the CLI use to read and write objects. Two implementations, one contract
 *  (test/contract/): in-process on the API server's registry, and over HTTP. Every method throws ApiError on
 *  an answer that is not a success. Objects that come out are shared: never mutate one. */
export interface ObjectClient {
  get<K extends Kind>(kind: K, ref: Ref): Promise<Kinds[K] | undefined>;
  list<K extends Kind>(
    kind: K,
    options?: ListOptions,
  ): Promise<{ items: readonly Kinds[K][]; resourceVersion: string }>;
  /** Changes after `resourceVersion`. @throws ApiError 410 when that is too old: list again. Ends with the signal,
   *  or when the server goes: the caller watches again from the last resourceVersion it saw. */
  watch<K extends Kind>(
    kind: K,
    options: ListOptions & { resourceVersion: string; signal: AbortSignal },
  ): AsyncIterable<WatchBatch<Kinds[K]>>;
  /** Keeps `status` if the object has one (over HTTP that takes a second write). */
  create<K extends Kind>(kind: K, object: New<K>, options?: WriteOptions): Promise<Kinds[K]>;
  /** Replaces metadata and spec; compare-and-set if metadata.resourceVersion is given. */
  update<K extends Kind>(kind: K, object: Kinds[K], options?: WriteOptions): Promise<Kinds[K]>;
  /** Replaces status as a whole; compare-and-set on metadata.resourceVersion. */
  updateStatus<K extends Kind>(kind: K, object: Kinds[K], options?: WriteOptions): Promise<Kinds[K]>;
  /** Merge patch of metadata and spec. */
  patch<K extends Kind>(kind: K, ref: Ref, patch: MergePatch, options?: WriteOptions): Promise<Kinds[K]>;
  /** Asks for deletion. Objects with finalizers stay, with deletionTimestamp, until those are gone. */
  delete<K extends Kind>(kind: K, ref: Ref, options?: DeleteOptions): Promise<void>;
}

/** metav1.Status of a failed request. */
export interface Status {
  kind: "Status";
  apiVersion: "v1";
  metadata: Record<string, never>;
  status: "Failure";
  message: string;
  reason: string;
  code: number;
  details?: {
    name?: string;
    group?: string;
    kind?: string;
    uid?: string;
    causes?: { reason: string; message: string; field: string }[];
    retryAfterSeconds?: number;
  };
}

/** A refusal made here, in the form in which a server makes it. */
export const apiError = (code: number, reason: string, message: string, details?: Status["details"]): ApiError =>
  new ApiError({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message,
    reason,
    ...(details && { details }),
    code,
  });

/** The reason of each cause of a 409 that says what other objects keep one from being deleted. */
export const DELETION_DENIED = "DeletionDenied";

/** Refused because of other objects: it succeeds once those are gone. Every other 409 of a deletion means that this
 *  is no longer the object that was meant. */
export const isDeletionDenied = (error: unknown): boolean =>
  error instanceof ApiError && (error.status.details?.causes ?? []).some(({ reason }) => reason === DELETION_DENIED);

export class ApiError extends Error {
  override readonly name = "ApiError";
  constructor(readonly status: Status) {
    super(status.message);
  }
  get code(): number {
    return this.status.code;
  }
  get reason(): string {
    return this.status.reason;
  }
}
