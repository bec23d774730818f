// `GET …/tasks/NAME/log`: the task's logs, asked of its machine's agent over the bus and passed on, so that whoever
// reads them needs the API alone.
import { ecsId } from "../api/arn.js";
import type { Connect, ConnectRequest } from "../apiserver/index.js";
import type { LogsChunk, LogsRequest } from "../bus/messages.js";
import type { ControlBus } from "../bus/transport.js";
import { apiError, type ObjectClient } from "../client/object-client.js";
import { messageOf } from "./failure.js";

export interface TaskLogsOptions {
  client: ObjectClient;
  bus: ControlBus;
  now: () => number;
}

type Line = LogsChunk["lines"][number];

/** Query: `container`, `follow=true`, `tailLines=N`, `sinceSeconds=N`. Plain text, or with
 *  `Accept: application/x-ndjson` one JSON object per line. What goes wrong later is told in the stream. */
export function taskLogs({ client, bus, now }: TaskLogsOptions): Connect {
  return async ({ ref, query, request, response, signal }) => {
    const task = await client.get("Task", ref);
    if (!task) throw apiError(404, "NotFound", `tasks.davit.dev "${ref.name}" not found`);
    const instance = task.spec.containerInstance;
    if (instance === undefined)
      throw apiError(
        400,
        "BadRequest",
        `task ${ref.name} has no machine yet, so no logs (${task.status?.lastStatus ?? "new"})`,
      );
    const asJson = (request.headers.accept ?? "").includes("application/x-ndjson");
    const lines = bus.logs(instance, logsRequest(task.metadata.uid, query, now), signal);
    await stream(lines, response, asJson);
  };
}

async function stream(
  chunks: AsyncIterable<LogsChunk>,
  response: ConnectRequest["response"],
  asJson: boolean,
): Promise<void> {
  const write = async (text: string): Promise<void> => {
    if (!response.write(text))
      await new Promise<void>((resolve) => void response.once("drain", resolve).once("close", resolve));
  };
  const begin = (): void => {
    if (response.headersSent) return;
    response.writeHead(200, { "content-type": asJson ? "application/x-ndjson" : "text/plain; charset=utf-8" });
    response.flushHeaders();
  };
  try {
    for await (const { lines } of chunks) {
      begin();
      if (lines.length > 0) await write(lines.map(asJson ? toJson : toText).join(""));
    }
  } catch (error) {
    if (!response.headersSent) throw apiError(503, "ServiceUnavailable", messageOf(error));
    response.write(asJson ? `${JSON.stringify({ error: messageOf(error) })}\n` : `-- ${messageOf(error)}\n`);
  }
  begin();
  response.end();
}

const toJson = (line: Line): string => `${JSON.stringify(line)}\n`;
const toText = ({ text }: Line): string => `${text}\n`;

function logsRequest(uid: string, query: URLSearchParams, now: () => number): LogsRequest {
  const container = query.get("container");
  const tail = number(query, "tailLines");
  const sinceSeconds = number(query, "sinceSeconds");
  return {
    type: "davit.v1.LogsRequest",
    task: ecsId(uid),
    follow: query.get("follow") === "true",
    ...(container !== null && { container }),
    ...(tail !== undefined && { tail }),
    ...(sinceSeconds !== undefined && { sinceMs: now() - sinceSeconds * 1000 }),
  };
}

function number(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0)
    throw apiError(400, "BadRequest", `${name}: ${JSON.stringify(text)} is no number of 0 or more`);
  return value;
}
