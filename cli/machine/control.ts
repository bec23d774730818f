// How `davit leave` speaks with the agent that runs on a folder: a socket in it, so also from outside a container that
// the agent runs in. One line asks, lines of JSON answer, the end of the stream is the end.
import { once } from "node:events";
import { existsSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { basename, dirname } from "node:path";
import { createInterface } from "node:readline";
import { openSocketFolder } from "../../store/lock.js";
import { codeOf, messageOf } from "../failure.js";

export type Progress =
  /** Tasks that are not down yet. */
  { waitingFor: number } | { left: true } | { failed: string };

/** @param leave says how it goes, until `left` or `failed`; its signal is aborted when who asked has gone. The folder's
 *  lock must be held. @returns the way to end it */
export async function serveControl(
  path: string,
  leave: (unasked: AbortSignal) => AsyncIterable<Progress>,
): Promise<() => Promise<void>> {
  // From a former process: whoever holds the lock is the only one to listen.
  rmSync(path, { force: true });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const unasked = new AbortController();
    socket
      .on("error", () => {})
      .once("close", () => {
        sockets.delete(socket);
        unasked.abort();
      });
    createInterface(socket).once("line", (line) => {
      if (line === "leave") void answer(socket, leave(unasked.signal));
      else socket.end();
    });
  });
  const within = openSocketFolder(dirname(path));
  try {
    server.listen(within.path(basename(path)));
    await once(server, "listening");
  } finally {
    within.close();
  }
  server.unref();
  return async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    // What was said last is to arrive.
    for (const socket of sockets) socket.end();
    const late = setTimeout(() => {
      for (const socket of sockets) socket.destroy();
    }, 1_000);
    await closed;
    clearTimeout(late);
    rmSync(path, { force: true });
  };
}

async function answer(socket: Socket, steps: AsyncIterable<Progress>): Promise<void> {
  try {
    // On to the end, also when nobody listens any more.
    for await (const step of steps) if (socket.writable) socket.write(`${JSON.stringify(step)}\n`);
  } catch (error) {
    if (socket.writable) socket.write(`${JSON.stringify({ failed: messageOf(error) })}\n`);
  }
  socket.end();
}

/** Asks the agent that runs on this folder to leave. undefined if none runs. */
export async function askToLeave(path: string): Promise<AsyncIterable<Progress> | undefined> {
  if (!existsSync(path)) return undefined;
  const within = openSocketFolder(dirname(path));
  try {
    const socket = connect(within.path(basename(path)));
    await once(socket, "connect");
    socket.write("leave\n");
    return progressFrom(socket);
  } catch (error) {
    if (codeOf(error) === "ECONNREFUSED" || codeOf(error) === "ENOENT") return undefined;
    throw error;
  } finally {
    within.close();
  }
}

async function* progressFrom(socket: Socket): AsyncIterable<Progress> {
  socket.on("error", () => {});
  for await (const line of createInterface(socket)) yield JSON.parse(line) as Progress;
}
