// Calls of the Docker Engine API over its unix socket. Every call has a time limit: a hung dockerd must not hang us.
import { Agent, type ClientRequest, type IncomingMessage, request } from "node:http";
import { RuntimeError } from "../runtime.js";

/** The Engine answered, with an error. */
export class DockerApiError extends Error {
  override readonly name = "DockerApiError";
  constructor(
    readonly status: number,
    readonly reason: string,
  ) {
    super(`API error (${status}): ${reason}`);
  }
}

export interface Call {
  method: "GET" | "POST" | "DELETE";
  /** With a version in front, or `/version` itself. */
  path: string;
  query?: Record<string, string>;
  body?: unknown;
  /** Until the whole answer is there; for a stream until its first byte. */
  timeoutMs: number;
}

export interface DockerHttp {
  /** @throws DockerApiError for status 400 and up; RuntimeError DockerTimeoutError; Error if the socket does not answer. */
  call<T>(call: Call): Promise<T>;
  /** As `call`, and the answer's body as it comes. Ends with the signal. */
  stream(call: Call, signal: AbortSignal): Promise<IncomingMessage>;
  close(): void;
}

/** @throws Error for a DOCKER_HOST that is no unix socket. */
export function socketPath(dockerHost = "unix:///var/run/docker.sock"): string {
  if (!dockerHost.startsWith("unix://"))
    throw new Error(
      `DOCKER_HOST=${dockerHost}: the agent talks to its own machine's Engine only; use unix:///path/to/docker.sock`,
    );
  return dockerHost.slice("unix://".length);
}

export function createDockerHttp(socket: string): DockerHttp {
  // Kept connections save dockerd a goroutine and us a connect per call; the bound on work is the caller's.
  const kept = new Agent({ keepAlive: true, maxFreeSockets: 16 });

  function send({ method, path, query, body }: Call, agent: Agent | false, signal?: AbortSignal): ClientRequest {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const outgoing = request({
      socketPath: socket,
      agent,
      method,
      path: query ? `${path}?${new URLSearchParams(query)}` : path,
      ...(signal && { signal }),
      headers: {
        Host: "docker",
        ...(payload !== undefined && {
          "Content-Type": "application/json",
          "Content-Length": Buffer.byteLength(payload),
        }),
      },
    });
    outgoing.end(payload);
    return outgoing;
  }

  /** @param until what the time limit is for: the first byte, or the whole answer. */
  function limit(outgoing: ClientRequest, { method, path, timeoutMs }: Call, until: "response" | "close"): Limit {
    const passed: Limit = { error: undefined };
    const timer = setTimeout(() => {
      const text = `${method} ${path} was not answered within ${Math.round(timeoutMs / 1000)} s`;
      passed.error = new RuntimeError("DockerTimeoutError", text);
      outgoing.destroy();
    }, timeoutMs);
    outgoing.on(until, () => clearTimeout(timer));
    outgoing.on("close", () => clearTimeout(timer));
    return passed;
  }

  const answerOf = (outgoing: ClientRequest): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      outgoing.on("error", reject);
      outgoing.on("close", () => reject(new Error("the connection was closed")));
      outgoing.on("response", resolve);
    });

  return {
    async call<T>(call: Call): Promise<T> {
      const outgoing = send(call, kept);
      const limited = limit(outgoing, call, "close");
      try {
        const answer = await answerOf(outgoing);
        return parse<T>(answer.statusCode ?? 0, await readAll(answer));
      } catch (error) {
        throw limited.error ?? explain(error, socket);
      }
    },
    async stream(call, signal) {
      const outgoing = send(call, false, signal);
      const limited = limit(outgoing, call, "response");
      try {
        const answer = await answerOf(outgoing);
        const status = answer.statusCode ?? 0;
        if (status >= 400) parse(status, await readAll(answer));
        return answer;
      } catch (error) {
        throw limited.error ?? explain(error, socket);
      }
    },
    close: () => kept.destroy(),
  };
}

interface Limit {
  /** Set once the time is over. */
  error: RuntimeError | undefined;
}

function readAll(answer: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    answer.on("data", (chunk: Buffer) => chunks.push(chunk));
    answer.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
    answer.on("error", reject);
  });
}

function parse<T>(status: number, text: string): T {
  if (status < 400) return (text === "" ? undefined : JSON.parse(text)) as T;
  let reason = text.trim();
  try {
    reason = (JSON.parse(text) as { message?: string }).message ?? reason;
  } catch {
    // Not every error of the Engine is JSON.
  }
  throw new DockerApiError(status, reason);
}

function explain(error: unknown, socket: string): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT" || code === "ECONNREFUSED")
    return new Error(
      `Docker does not answer at unix://${socket} (${code}): start the Docker Engine, or point DOCKER_HOST at its socket`,
    );
  if (code === "EACCES")
    return new Error(
      `Docker's socket unix://${socket} may not be opened (EACCES): run as root, or join the group that owns it`,
    );
  return error;
}
