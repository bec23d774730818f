// An API server of a test's own: LMDB in a fresh folder, HTTPS on a free port.
import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { Agent, type RequestOptions, request } from "node:https";
import { join } from "node:path";
import type { Log } from "../../../api/log.js";
import type { ApiObject } from "../../../api/meta.js";
import {
  type ApiServer,
  type ApiServerOptions,
  createApiServer,
  ensurePki,
  ensureTokens,
  kubeconfig,
  type ListenOptions,
} from "../../../apiserver/index.js";
import { openLmdbStore } from "../../../store/lmdb/lmdb-store.js";
import type { Store } from "../../../store/store.js";
import { temporaryFolder } from "../../support/folder.js";

export interface Answer {
  code: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** The parsed body; undefined if it is no JSON. */
  body: Body;
}
/** Enough of any answer for a test to look into. */
export interface Body {
  kind?: string;
  message?: string;
  reason?: string;
  metadata: ApiObject["metadata"];
  spec: Record<string, unknown>;
  status: Record<string, unknown>;
  items: ApiObject[];
  details: { name?: string; kind?: string; causes?: { field: string; message: string; reason: string }[] };
  [name: string]: unknown;
}

export interface TestServer {
  api: ApiServer;
  store: Store;
  folder: string;
  port: number;
  ca: string;
  token: string;
  kubeconfig: string;
  /** Errors that were logged. A good test run has none. */
  errors: object[];
  /** How many watches are open, in all. */
  watches(): number;
  /** As admin, JSON unless a header says otherwise. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** The answer's stream, once its headers are there. */
  open(path: string, headers?: Record<string, string>): Promise<IncomingMessage>;
  close(): Promise<void>;
}

export interface StartOptions extends Partial<ApiServerOptions>, Pick<ListenOptions, "connect" | "metrics" | "paths"> {
  /** How many changes the store keeps for watches. */
  keptChanges?: number;
}

export async function startServer(name: string, start: StartOptions = {}): Promise<TestServer> {
  const { keptChanges, connect, metrics, paths, ...options } = start;
  const folder = temporaryFolder(`api-${name}`);
  const errors: object[] = [];
  const log: Log = { info() {}, warn() {}, error: (fields) => errors.push(fields) };
  const store = await openLmdbStore({
    folder: join(folder.path, "store"),
    newId: randomUUID,
    ...(keptChanges !== undefined && { window: { changes: keptChanges } }),
  });
  let watches = 0;
  const watch = store.watch.bind(store);
  store.watch = async function* (...args) {
    watches++;
    try {
      yield* watch(...args);
    } finally {
      watches--;
    }
  };
  const api = createApiServer({ store, now: Date.now, newUid: randomUUID, random: Math.random, log, ...options });
  await api.bootstrap();
  const tls = await ensurePki({ folder: join(folder.path, "pki"), now: Date.now });
  const tokens = await ensureTokens(join(folder.path, "tokens"));
  const viewer = { token: "viewer-token", user: "vera", groups: ["davit:viewers"] };
  const nobody = { token: "nobody-token", user: "nora", groups: [] };
  const { port } = await api.listen({
    host: "127.0.0.1",
    port: 0,
    tls,
    tokens: [...tokens, viewer, nobody],
    bookmarkMs: 50,
    ...(connect && { connect }),
    ...(metrics && { metrics }),
    ...(paths && { paths }),
  });
  const token = tokens[0]?.token ?? "";
  const file = join(folder.path, "kubeconfig");
  writeFileSync(file, kubeconfig({ server: `https://127.0.0.1:${port}`, ca: tls.ca, token }));
  const agent = new Agent({ keepAlive: true, ca: tls.ca });
  const base = { host: "127.0.0.1", port, agent };

  const call: TestServer["call"] = async (method, path, body, headers = {}) => {
    const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    const response = await send({ ...base, method, path, headers: headersOf(token, headers, text) }, text);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const answer = Buffer.concat(chunks).toString("utf8");
    return { code: response.statusCode ?? 0, headers: response.headers, text: answer, body: parse(answer) };
  };
  return {
    api,
    store,
    folder: folder.path,
    port,
    ca: tls.ca,
    token,
    kubeconfig: file,
    errors,
    watches: () => watches,
    call,
    open: (path, headers = {}) => send({ ...base, method: "GET", path, headers: headersOf(token, headers, undefined) }),
    async close() {
      agent.destroy();
      await api.close();
      await store.close();
      folder.remove();
    },
  };
}

function headersOf(token: string, headers: Record<string, string>, text: string | undefined): Record<string, string> {
  const all: Record<string, string> = { Authorization: `Bearer ${token}` };
  if (text !== undefined) {
    all["Content-Type"] = "application/json";
    all["Content-Length"] = String(Buffer.byteLength(text)); // Node leaves it out for DELETE
  }
  return { ...all, ...headers };
}

const send = (options: RequestOptions, text?: string) =>
  new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = request(options, resolve);
    outgoing.on("error", reject);
    outgoing.end(text);
  });

function parse(text: string): Body {
  try {
    return JSON.parse(text) as Body;
  } catch {
    return undefined as unknown as Body;
  }
}
