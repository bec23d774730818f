// Answers a request for a task's logs from the runtime, all its containers in one stream.
import type { LogsChunk, LogsRequest } from "../bus/messages.js";
import type { Engine } from "./engine/engine.js";
import { Queue } from "./runtimes/queue.js";
import type { Runtime } from "./runtimes/runtime.js";

type Line = LogsChunk["lines"][number];

/** Lines in one message, and lines read ahead of a slow reader. */
const MAX_LINES = 200;
const MAX_WAITING = 1_000;

export async function* streamLogs(
  deps: { engine: Pick<Engine, "containersOf">; runtime: Pick<Runtime, "logs"> },
  request: LogsRequest,
  signal: AbortSignal,
): AsyncGenerator<LogsChunk, void, undefined> {
  const ids = deps.engine.containersOf(request.task);
  if (!ids) return yield last(`Task ${request.task} has no containers on this machine (any more)`);
  const names = request.container === undefined ? [...ids.keys()] : [request.container];
  if (request.container !== undefined && !ids.has(request.container))
    return yield last(
      `Task ${request.task} has no container ${request.container}; it has ${[...ids.keys()].join(", ")}`,
    );

  const queue = new Queue<Line | { error: string }>();
  const { follow, tail, sinceMs } = request;
  const follows = names.map(async (container) => {
    const options = { follow, signal, ...(tail !== undefined && { tail }), ...(sinceMs !== undefined && { sinceMs }) };
    try {
      for await (const line of deps.runtime.logs(ids.get(container) ?? "", options)) {
        queue.push({ container, ...line });
        await queue.room(MAX_WAITING);
      }
    } catch (error) {
      if (!signal.aborted)
        queue.push({ error: `${container}: ${error instanceof Error ? error.message : String(error)}` });
    }
  });
  void Promise.all(follows).then(() => queue.end());

  let error: string | undefined;
  for await (const batch of queue.batches()) {
    for (const item of batch) if ("error" in item) error = item.error;
    const lines = batch.filter((item): item is Line => "text" in item);
    for (let from = 0; from < lines.length; from += MAX_LINES)
      yield { type: "davit.v1.LogsChunk", lines: lines.slice(from, from + MAX_LINES) };
  }
  yield last(error);
}

const last = (error: string | undefined): LogsChunk => ({
  type: "davit.v1.LogsChunk",
  lines: [],
  end: true,
  ...(error !== undefined && { error }),
});
