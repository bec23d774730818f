import { type Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent, request as httpsRequest, type RequestOptions } from "node:https";
import { ApiError, apiError, type Status } from "./object-client.js";

/** How to reach an API server and who to be there. Certificates and keys are PEM texts. */
export interface Connection {
  /** `https://127.0.0.1:6443`; may have a path. */
  server: string;
  /** Of the server's certificate. The system's if absent. */
  ca?: string;
  /** The name that the server's certificate must have, if not that of `server`. */
  serverName?: string;
  insecureSkipTlsVerify?: boolean;
  token?: string;
  username?: string;
  password?: string;
  clientCertificate?: string;
  clientKey?: string;
  /** Asked before each request, for credentials that expire: headers, certificates. */
  authenticate?: () => Promise<RequestOptions>;
}

/** No answer came: the server is away, or is not the one that the CA knows. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
  constructor(
    readonly server: string,
    what: string,
    options?: ErrorOptions,
  ) {
    super(`${server} ${what}`, options);
  }
}

export interface Call {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  query?: Record<string, string | undefined>;
  accept?: string;
  contentType?: string;
  body?: unknown;
  signal?: AbortSignal;
}

export interface TransportOptions {
  /** What the server says in `Warning` headers, as plain text. */
  onWarning?: (text: string) => void;
  userAgent?: string;
  /** A call with no sign of life for so long has failed. @default 30_000 */
  silenceMs?: number;
  /** A stream with no sign of life for so long has ended: servers send bookmarks at least once a minute.
   *  0: it may be silent for ever. @default 150_000 */
  streamSilenceMs?: number;
}

export interface Transport {
  /** The parsed body of a success. @throws ApiError for any other answer; Unreachable */
  call(path: string, call?: Call): Promise<unknown>;
  /** The body of a success as it is: `/readyz` and the like answer in plain text. @throws as `call` does */
  text(path: string, call?: Call): Promise<string>;
  /** The parsed lines of a body that comes bit by bit, all that came together at a time. Ends with the signal or the
   *  connection. @throws ApiError if the answer is no success; Unreachable if there is none */
  stream(path: string, call?: Call): AsyncIterable<readonly unknown[]>;
  /** The body of a success as it comes, whole or not at all. @throws as `call` does, also when it breaks off */
  bytes(path: string, call?: Call): AsyncIterable<Buffer>;
  /** Cuts what is under way. */
  close(): void;
}

/** JSON over HTTP(S) with connections that stay open. */
export function createTransport(connection: Connection, options: TransportOptions = {}): Transport {
  const { silenceMs = 30_000, streamSilenceMs = 150_000 } = options;
  const secure = new URL(connection.server).protocol === "https:";
  const agent = secure ? new Agent({ keepAlive: true }) : undefined;
  const fixed = fixedOptions(connection, agent);

  async function send(path: string, call: Call, silentForMs: number): Promise<IncomingMessage> {
    const own = await connection.authenticate?.();
    const payload = call.body === undefined ? undefined : JSON.stringify(call.body);
    const requestOptions: RequestOptions = {
      ...(agent && { agent }),
      ...fixed,
      ...own,
      method: call.method ?? "GET",
      signal: call.signal,
      headers: {
        ...fixed.headers,
        ...own?.headers,
        accept: call.accept ?? "application/json",
        "user-agent": options.userAgent ?? "davit",
        ...(payload !== undefined && {
          "content-type": call.contentType ?? "application/json",
          "content-length": Buffer.byteLength(payload),
        }),
      },
    };
    const target = urlOf(connection.server, path, call.query);
    const start = secure ? httpsRequest : httpRequest;
    const exchange = (): Promise<IncomingMessage> =>
      new Promise((resolve, reject) => {
        const request = start(target, requestOptions, resolve);
        request.setTimeout(silentForMs, () => request.destroy(new Error(`no answer in ${silentForMs} ms`)));
        request.once("error", (error) => {
          // The server closed an idle connection just when it was chosen: nothing has been done yet.
          if (request.reusedSocket && requestOptions.method === "GET" && !call.signal?.aborted)
            exchange().then(resolve, reject);
          else reject(error);
        });
        request.end(payload);
      });
    try {
      return await exchange();
    } catch (error) {
      if (call.signal?.aborted) throw error;
      throw new Unreachable(connection.server, `does not answer: ${messageOf(error)}`, { cause: error });
    }
  }

  async function answer(path: string, call: Call, silentForMs: number): Promise<IncomingMessage> {
    const response = await send(path, call, silentForMs);
    for (const warning of warningsOf(response)) options.onWarning?.(warning);
    const { statusCode = 0 } = response;
    if (statusCode >= 200 && statusCode < 300) return response;
    throw refusalOf(statusCode, await textOf(response));
  }

  async function textOf(response: IncomingMessage): Promise<string> {
    try {
      return await whole(response);
    } catch (error) {
      throw brokenOff(error);
    }
  }

  const brokenOff = (error: unknown): Unreachable =>
    new Unreachable(connection.server, `broke off its answer: ${messageOf(error)}`, { cause: error });

  const text = async (path: string, call: Call = {}): Promise<string> => textOf(await answer(path, call, silenceMs));

  return {
    text,
    async call(path, call) {
      const body = await text(path, call);
      try {
        return JSON.parse(body);
      } catch (error) {
        throw new Unreachable(connection.server, "is no API server: its answer is no JSON", { cause: error });
      }
    },
    async *stream(path, call = {}) {
      let response: IncomingMessage;
      try {
        response = await answer(path, call, streamSilenceMs);
      } catch (error) {
        if (call.signal?.aborted) return;
        throw error;
      }
      yield* jsonLines(response);
    },
    async *bytes(path, call = {}) {
      const response = await answer(path, call, silenceMs);
      try {
        yield* response as AsyncIterable<Buffer>;
      } catch (error) {
        throw brokenOff(error);
      } finally {
        response.destroy();
      }
    },
    close: () => agent?.destroy(),
  };
}

/** A connection that breaks ends the lines, and so does the signal: the reader knows how far it has got. */
async function* jsonLines(response: IncomingMessage): AsyncGenerator<readonly unknown[]> {
  response.setEncoding("utf8");
  let rest = "";
  try {
    for await (const chunk of response) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      const documents = lines.filter((line) => line !== "").map((line): unknown => JSON.parse(line));
      if (documents.length > 0) yield documents;
    }
  } catch (error) {
    if (error instanceof SyntaxError) throw error;
  } finally {
    response.destroy();
  }
}

function fixedOptions(connection: Connection, agent: HttpAgent | undefined): RequestOptions {
  const { token, username, password } = connection;
  const basic = username === undefined ? undefined : Buffer.from(`${username}:${password ?? ""}`).toString("base64");
  const authorization = token ? `Bearer ${token}` : basic && `Basic ${basic}`;
  return {
    ...(authorization && { headers: { authorization } }),
    ...(agent && {
      ca: connection.ca,
      cert: connection.clientCertificate,
      key: connection.clientKey,
      ...(connection.serverName !== undefined && { servername: connection.serverName }),
      ...(connection.insecureSkipTlsVerify && { rejectUnauthorized: false }),
    }),
  };
}

function urlOf(server: string, path: string, query: Call["query"] = {}): URL {
  const url = new URL(server.replace(/\/+$/, "") + path);
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value);
  return url;
}

/** `299 - "text"`, several of them in one header or in many. */
function warningsOf(response: IncomingMessage): string[] {
  const header = response.headers.warning ?? "";
  return [...header.matchAll(/\d{3} \S+ ("(?:[^"\\]|\\.)*")/g)].map(([, quoted = ""]) =>
    quoted.slice(1, -1).replace(/\\(.)/g, "$1"),
  );
}

async function whole(response: IncomingMessage): Promise<string> {
  response.setEncoding("utf8");
  let text = "";
  for await (const chunk of response) text += chunk;
  return text;
}

/** By the Status in the body, or by what there is, as from a proxy. */
function refusalOf(code: number, text: string): ApiError {
  try {
    const body: unknown = JSON.parse(text);
    if (isStatus(body)) return new ApiError(body);
  } catch {
    // No JSON: told below.
  }
  return apiError(code, "Unknown", text.trim().slice(0, 500) || `the server answered with ${code}`);
}

export function isStatus(value: unknown): value is Status {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "Status" && "code" in value;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
