// A thin HTTPS client for the command line: it starts in milliseconds, where a full client library takes most of a second.
import type { IncomingMessage } from "node:http";
import { request as httpRequest } from "node:http";
import { Agent, request as httpsRequest } from "node:https";
import { createInterface } from "node:readline";
import { ApiError, type Status } from "../../client/object-client.js";
import { codeOf, Failure, messageOf } from "../failure.js";
import type { Access } from "./kubeconfig.js";

export interface Call {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  accept?: string;
  contentType?: string;
  body?: unknown;
  signal?: AbortSignal;
}

export interface Api {
  readonly url: string;
  /** The parsed answer. @throws ApiError for an answer that is no success; Failure if nobody answers */
  call(path: string, call?: Call): Promise<unknown>;
  /** The answer's lines as they come: a watch, or a log. Ends with the signal or with the server. */
  lines(path: string, call?: Call): AsyncIterable<string>;
  /** What the server said in Warning headers since this was last asked. */
  takeWarnings(): string[];
  close(): void;
}

export function createApi(access: Access): Api {
  const secure = access.url.startsWith("https:");
  const agent = secure
    ? new Agent({ keepAlive: true, ca: access.ca, cert: access.clientCert, key: access.clientKey })
    : undefined;
  let warnings: string[] = [];

  const open = (path: string, call: Call): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const payload = call.body === undefined ? undefined : JSON.stringify(call.body);
      const headers = {
        accept: call.accept ?? "application/json",
        "user-agent": "davit",
        ...(access.token && { authorization: `Bearer ${access.token}` }),
        ...(payload !== undefined && {
          "content-type": call.contentType ?? "application/json",
          "content-length": Buffer.byteLength(payload),
        }),
      };
      const options = { method: call.method ?? "GET", headers, ...(call.signal && { signal: call.signal }) };
      const target = new URL(path, access.url);
      const sent = secure ? httpsRequest(target, { ...options, agent }) : httpRequest(target, options);
      sent.once("response", resolve).once("error", reject).end(payload);
    });

  async function answer(path: string, call: Call = {}): Promise<IncomingMessage> {
    let response: IncomingMessage;
    try {
      response = await open(path, call);
    } catch (error) {
      if (call.signal?.aborted) throw error;
      throw unreachable(access.url, error);
    }
    warnings.push(...warningsIn(response.headers.warning));
    if ((response.statusCode ?? 500) < 300) return response;
    throw refusal(response.statusCode ?? 500, await text(response));
  }

  return {
    url: access.url,
    async call(path, call) {
      const body = await text(await answer(path, call));
      return body === "" ? undefined : parseJson(body);
    },
    async *lines(path, call) {
      const response = await answer(path, call);
      try {
        yield* createInterface({ input: response, crlfDelay: Number.POSITIVE_INFINITY });
      } catch (error) {
        if (!call?.signal?.aborted && codeOf(error) !== "ECONNRESET") throw error;
      } finally {
        response.destroy();
      }
    },
    takeWarnings() {
      const taken = warnings;
      warnings = [];
      return taken;
    },
    close: () => agent?.destroy(),
  };
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body; // /readyz and the like answer in plain text
  }
}

async function text(response: IncomingMessage): Promise<string> {
  response.setEncoding("utf8");
  let body = "";
  for await (const chunk of response) body += chunk;
  return body;
}

function unreachable(url: string, error: unknown): Failure {
  const code = codeOf(error);
  if (code === "ECONNREFUSED" || code === "ENOTFOUND" || code === "ECONNRESET" || code === "ETIMEDOUT")
    return new Failure(
      `no Davit answers at ${url} (${code}): start it with \`davit up\`, or point --kubeconfig elsewhere.`,
    );
  return new Failure(`no answer from ${url}: ${messageOf(error)}`);
}

function refusal(code: number, body: string): Error {
  const parsed = parseJson(body);
  if (typeof parsed === "object" && parsed !== null && "kind" in parsed && parsed.kind === "Status")
    return new ApiError(parsed as Status);
  return new Failure(`the server answers ${code}: ${body.trim().slice(0, 500)}`);
}

/** `299 - "text"`, several in one header or in several. */
function warningsIn(header: string | undefined): string[] {
  return [...(header ?? "").matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, quoted]) =>
    (quoted ?? "").replace(/\\(.)/g, "$1"),
  );
}
