import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Log } from "../../api/log.js";
import { badRequest, internalError } from "../errors.js";
import type { Registry } from "../registry/registry.js";
import { authorizePath, createAuthenticator, type Token, type TokenLookup, type User } from "./auth.js";
import { type Connects, connectRoute, serveConnect } from "./connect.js";
import { createDiscovery } from "./discovery.js";
import { serveObjects } from "./objects.js";
import { createOpenApi } from "./openapi.js";
import { sendJson, sendStatus, sendText, statusOf } from "./respond.js";
import { resourceRoute } from "./route.js";
import { versionInfo } from "./version.js";

/** PEM texts. */
export interface ServerTls {
  ca: string;
  cert: string;
  key: string;
}

export interface ListenOptions {
  host: string;
  /** 0: any free one. */
  port: number;
  tls: ServerTls;
  tokens: readonly Token[];
  /** Time between two bookmarks of a watch that asks for them. @default 10_000 */
  bookmarkMs?: number;
  /** Subresources that somebody else serves, by `<plural>/<subresource>`. @default none */
  connect?: Connects;
  /** Paths that somebody else serves, whole: `/davit/v1/join`. @default none */
  paths?: Readonly<Record<string, PathHandler>>;
  /** What `/metrics` answers, in Prometheus' text format. @default there is no such path */
  metrics?: () => Promise<string>;
}

/** Answers by itself; an ApiError that it throws becomes a `Status`. */
export type PathHandler = (exchange: {
  request: IncomingMessage;
  response: ServerResponse;
  /** Whose token the request carries: once that ends, the response is cut. @throws 401 */
  authenticate: () => User;
  /** Aborted when the client goes, or the server closes. */
  signal: AbortSignal;
}) => Promise<void>;

export interface Listening {
  port: number;
  /** Ends watches, then connections. */
  close(): Promise<void>;
}

export interface HttpParts {
  registry: Registry;
  /** Beside the fixed tokens of the options. */
  userOf: TokenLookup;
  now: () => number;
  log: Log;
}

/** How long open requests may take to end when the server closes. */
const MAX_CLOSE_MS = 1_000;
/** An idle connection is kept for longer than Go's clients keep theirs (90 s): if the server ended it first, as after
 *  Node's 5 s, a request that is just on its way would be lost, and only a read may be sent again. */
const KEEP_ALIVE_MS = 120_000;

/** Serves the registry as Kubernetes' REST API. */
export async function listen(parts: HttpParts, options: ListenOptions): Promise<Listening> {
  const open = new Set<AbortController>();
  const handle = createHandler(parts, options, open);
  const { key, cert, ca } = options.tls;
  // With its CA, so that a machine that has only the CA's fingerprint can tell whom it speaks to.
  const server = createServer({ key, cert: `${cert.trimEnd()}\n${ca}`, minVersion: "TLSv1.2" }, (rq, rs) => {
    void handle(rq, rs);
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  parts.log.info({ host: options.host, port }, "api server listens");
  return {
    port,
    async close() {
      for (const exchange of open) exchange.abort();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // A connection is idle only once its last answer has gone out.
      const idle = setInterval(() => server.closeIdleConnections(), 10);
      const late = setTimeout(() => server.closeAllConnections(), MAX_CLOSE_MS);
      await closed;
      clearInterval(idle);
      clearTimeout(late);
    },
  };
}

function createHandler(
  parts: HttpParts,
  { tokens, bookmarkMs = 10_000, connect = {}, paths = {}, metrics }: ListenOptions,
  open: Set<AbortController>,
) {
  const { registry, userOf, now, log } = parts;
  const authenticate = createAuthenticator(tokens, userOf);
  const discover = createDiscovery(registry.resources);
  const openApi = createOpenApi(registry.resources);

  /** Aborted when the client goes, or the server closes. */
  function track(response: ServerResponse): AbortController {
    const exchange = new AbortController();
    open.add(exchange);
    response.once("close", () => {
      open.delete(exchange);
      exchange.abort();
    });
    return exchange;
  }

  /** Whose token it is; once that ends, so does the answer. @throws 401 */
  function admit(request: IncomingMessage, response: ServerResponse): User {
    const user = authenticate(request);
    const { ended } = user;
    if (ended) {
      const cut = (): void => void response.destroy();
      ended.addEventListener("abort", cut);
      response.once("close", () => ended.removeEventListener("abort", cut));
    }
    return user;
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { segments, query } = parseUrl(request.url ?? "/");
    const path = `/${segments.join("/")}`;
    if (HEALTH.has(segments[0] ?? "")) return sendText(response, 200, "ok");
    if (path === "/version") return sendJson(response, 200, versionInfo);
    const own = Object.hasOwn(paths, path) ? paths[path] : undefined;
    if (own) {
      const { signal } = track(response);
      return own({ request, response, authenticate: () => admit(request, response), signal });
    }
    const user = admit(request, response);
    if (path === "/metrics" && metrics) {
      authorizePath(user, path);
      return sendText(response, 200, await metrics(), PROMETHEUS_TEXT);
    }
    if (segments[0] === "openapi") return openApi(request, response, segments.slice(1));
    if (segments[0] !== "api" && segments[0] !== "apis") return sendText(response, 404, "404 page not found\n");
    if (discover(request, response, segments)) return;
    const { signal } = track(response);
    const connected = connectRoute(registry.resources, connect, segments);
    if (connected) return serveConnect(connected, { request, response, query, user, signal });
    const route = resourceRoute(registry.resources, segments);
    await serveObjects({ registry, now, bookmarkMs }, route, { request, response, query, user, signal });
  }

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      await answer(request, response);
    } catch (error) {
      if (response.destroyed) return; // the client has gone: nobody is left to be told
      const status = statusOf(error);
      if (status === undefined) log.error({ err: error, method: request.method, url: request.url }, "request failed");
      if (response.headersSent) response.destroy();
      else sendStatus(response, status ?? internalError().status);
    }
  };
}

const PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8";
const HEALTH = new Set(["livez", "readyz", "healthz"]);

function parseUrl(url: string): { segments: string[]; query: URLSearchParams } {
  const [path = "", ...query] = url.split("?");
  try {
    const segments = path.split("/").filter((segment) => segment !== "");
    return { segments: segments.map(decodeURIComponent), query: new URLSearchParams(query.join("?")) };
  } catch {
    throw badRequest(`the address ${JSON.stringify(path)} is not encoded as a URL must be`);
  }
}
