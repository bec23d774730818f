import type { ApiObject } from "../api/meta.js";
import { KINDS, type Kind, type Kinds } from "../api/types.gen.js";
import { type Connection, createTransport, isStatus, type TransportOptions } from "./http-transport.js";
import {
  ApiError,
  apiError,
  type ListOptions,
  type MergePatch,
  type ObjectClient,
  type Ref,
  type WatchBatch,
  type WatchEvent,
  type WriteOptions,
} from "./object-client.js";

export interface HttpClientOptions extends TransportOptions {
  connection: Connection;
  /** Who writes, unless a write says otherwise. @default "davit" */
  fieldManager?: string;
}

export interface HttpObjectClient extends ObjectClient {
  /** Cuts what is under way. */
  close(): void;
}

const GROUP_PATH = "/apis/davit.dev/v1";
const MERGE_PATCH = "application/merge-patch+json";

/** ObjectClient over HTTP: on a remote Davit, or on a Kubernetes API server that has Davit's CRDs. */
export function createHttpClient(options: HttpClientOptions): HttpObjectClient {
  const transport = createTransport(options.connection, options);
  const writeQuery = ({ fieldManager, dryRun }: WriteOptions = {}) => ({
    fieldManager: fieldManager ?? options.fieldManager ?? "davit",
    fieldValidation: "Strict",
    dryRun: dryRun ? "All" : undefined,
  });
  /** What the server gives for a kind is of that kind. */
  const typed = async <K extends Kind>(answer: Promise<unknown>) => (await answer) as Kinds[K];
  const put = <K extends Kind>(kind: K, object: Kinds[K], write: WriteOptions | undefined, subresource = "") =>
    typed<K>(
      transport.call(itemPath(kind, object.metadata) + subresource, {
        method: "PUT",
        query: writeQuery(write),
        body: withType(kind, object),
      }),
    );

  const patch = <K extends Kind>(
    kind: K,
    ref: Ref,
    body: MergePatch,
    write: WriteOptions | undefined,
    subresource = "",
  ) =>
    typed<K>(
      transport.call(itemPath(kind, ref) + subresource, {
        method: "PATCH",
        contentType: MERGE_PATCH,
        query: writeQuery(write),
        body,
      }),
    );

  return {
    async get<K extends Kind>(kind: K, ref: Ref) {
      try {
        return await typed<K>(transport.call(itemPath(kind, ref)));
      } catch (error) {
        if (error instanceof ApiError && error.reason === "NotFound") return undefined;
        throw error;
      }
    },
    async list<K extends Kind>(kind: K, list: ListOptions = {}) {
      const answer = transport.call(collectionPath(kind, list.namespace), { query: selectors(list) });
      const { items, metadata } = (await answer) as { items: Kinds[K][]; metadata: { resourceVersion: string } };
      // As in Kubernetes, a list names the type of its items once.
      return {
        items: items.map((item) => (item.kind ? item : withType(kind, item))),
        resourceVersion: metadata.resourceVersion,
      };
    },
    async *watch<K extends Kind>(kind: K, watch: ListOptions & { resourceVersion: string; signal: AbortSignal }) {
      const query = {
        ...selectors(watch),
        watch: "true",
        allowWatchBookmarks: "true",
        resourceVersion: watch.resourceVersion,
      };
      const path = collectionPath(kind, watch.namespace);
      for await (const lines of transport.stream(path, { query, signal: watch.signal })) {
        const { batch, error } = batchOf<Kinds[K]>(lines);
        if (batch) yield batch;
        if (error) throw error;
      }
    },
    async create<K extends Kind>(kind: K, object: Parameters<ObjectClient["create"]>[1], write?: WriteOptions) {
      const path = collectionPath(kind, object.metadata.namespace ?? "default");
      const body = { ...object, ...typeOf(kind) };
      const created = await typed<K>(transport.call(path, { method: "POST", query: writeQuery(write), body }));
      const { status } = object;
      if (status === undefined || !KINDS[kind].status || write?.dryRun) return created;
      // Nobody else's status is lost by this, and no version can be stale, as with a PUT.
      const ref = { namespace: created.metadata.namespace, name: created.metadata.name };
      return patch(kind, ref, { status }, write, "/status");
    },
    update: (kind, object, write) => put(kind, object, write),
    updateStatus: (kind, object, write) => put(kind, object, write, "/status"),
    patch: (kind, ref, body, write) => patch(kind, ref, body, write),
    async delete(kind, ref, { uid, resourceVersion, propagationPolicy = "Background" } = {}) {
      const preconditions = uid === undefined && resourceVersion === undefined ? undefined : { uid, resourceVersion };
      const body = { kind: "DeleteOptions", apiVersion: "v1", propagationPolicy, preconditions };
      await transport.call(itemPath(kind, ref), { method: "DELETE", body });
    },
    close: () => transport.close(),
  };
}

function collectionPath(kind: Kind, namespace: string | undefined): string {
  const within = namespace === undefined ? "" : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${GROUP_PATH}${within}/${KINDS[kind].plural}`;
}

const itemPath = (kind: Kind, { namespace, name }: Ref): string =>
  `${collectionPath(kind, namespace)}/${encodeURIComponent(name)}`;

const typeOf = (kind: Kind) => ({ apiVersion: "davit.dev/v1", kind });
const withType = <T extends ApiObject>(kind: Kind, object: T): T => ({ ...object, ...typeOf(kind) });
const selectors = ({ labelSelector, fieldSelector }: ListOptions) => ({ labelSelector, fieldSelector });

/** The events of some lines of a watch, up to an error that ends it. */
function batchOf<T extends ApiObject>(lines: readonly unknown[]): { batch?: WatchBatch<T>; error?: ApiError } {
  const events: WatchEvent<T>[] = [];
  let resourceVersion: string | undefined;
  let error: ApiError | undefined;
  for (const line of lines as readonly { type: string; object: T }[]) {
    if (line.type === "ERROR") {
      error = errorOf(line.object);
      break;
    }
    resourceVersion = line.object.metadata.resourceVersion;
    if (line.type !== "BOOKMARK") events.push(line as WatchEvent<T>);
  }
  return { ...(resourceVersion !== undefined && { batch: { events, resourceVersion } }), ...(error && { error }) };
}

function errorOf(object: unknown): ApiError {
  if (isStatus(object)) return new ApiError(object);
  return apiError(500, "InternalError", `the watch ended with ${JSON.stringify(object)}`);
}
