import type { ServerResponse } from "node:http";
import { ApiError, type Status } from "../../client/object-client.js";

export function sendJson(
  response: ServerResponse,
  code: number,
  value: unknown,
  headers: Record<string, string> = {},
): void {
  const text = Buffer.from(JSON.stringify(value));
  response.writeHead(code, { "Content-Type": "application/json", "Content-Length": text.length, ...headers });
  response.end(text);
}

export function sendText(
  response: ServerResponse,
  code: number,
  text: string,
  type = "text/plain; charset=utf-8",
): void {
  response.writeHead(code, { "Content-Type": type, "X-Content-Type-Options": "nosniff" });
  response.end(text);
}

export function sendStatus(response: ServerResponse, status: Status): void {
  // The client may still be sending a body that nobody will read.
  sendJson(response, status.code, status, {
    ...(status.code === 413 && { Connection: "close" }),
    ...(status.code === 401 && { "WWW-Authenticate": 'Bearer realm="davit"' }),
  });
}

const MAX_WARNING_CHARACTERS = 1_000;

/** RFC 7234's header, in the one form that Kubernetes' clients read. */
export function addWarning(response: ServerResponse, text: string): void {
  const safe = [...text]
    .slice(0, MAX_WARNING_CHARACTERS)
    .map((c) => (c < " " || c === "\x7f" ? " " : c))
    .join("");
  const quoted = Buffer.from(safe.replace(/["\\]/g, "\\$&")).toString("latin1"); // Node writes headers so, byte by byte
  response.appendHeader("Warning", `299 - "${quoted}"`);
}

export const statusOf = (error: unknown): Status | undefined => (error instanceof ApiError ? error.status : undefined);
