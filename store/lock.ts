import { randomUUID } from "node:crypto";
import { closeSync, linkSync, openSync, readdirSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";

/** Another living process has the lock. */
export class LockHeld extends Error {
  override readonly name = "LockHeld";
  constructor(
    readonly folder: string,
    /** Of the holder, if it said so. */
    readonly pid: number | undefined,
  ) {
    const holder = pid === undefined ? "another process" : `process ${pid}`;
    super(`${folder} is in use by ${holder}: stop it, or give another data folder`);
  }
}

export interface Lock {
  /** Lets go. The socket files stay behind and refuse connections, which is what tells that the lock is free. */
  release(): Promise<void>;
}

// The holder listens on a socket file in the folder, so the lock dies with its process, whatever kills it; a pid or
// an abstract socket would mean nothing across containers that share the folder. Socket files are numbered
// `<name>.lock.<n>`, the highest counts, and one that refuses connections is never taken away or replaced, only
// outnumbered: making the next number is the compare-and-set that two takers can't both win.

/** Takes the lock `name` of a folder. @throws LockHeld. */
export async function acquireLock(folder: string, name: string): Promise<Lock> {
  const candidate = `${name}.lock.new.${process.pid}.${randomUUID()}`;
  const within = openSocketFolder(folder);
  try {
    const server = await listen(within.path(candidate));
    try {
      await claim(folder, name, candidate, within.path);
    } catch (error) {
      await close(server);
      throw error;
    }
    return { release: () => close(server) };
  } finally {
    rmSync(join(folder, candidate), { force: true });
    within.close();
  }
}

/** Links the listening candidate under the next number, unless the present highest answers. */
async function claim(folder: string, name: string, candidate: string, path: (file: string) => string): Promise<void> {
  for (;;) {
    const highest = Math.max(0, ...numbers(folder, name));
    const answer = highest === 0 ? "gone" : await ask(path(`${name}.lock.${highest}`));
    if (answer !== "gone") throw new LockHeld(folder, answer.pid);
    const mine = highest + 1;
    try {
      linkSync(join(folder, candidate), join(folder, `${name}.lock.${mine}`));
    } catch (error) {
      if (codeOf(error) === "EEXIST") continue;
      throw error;
    }
    // A slow taker may link a number that a faster one has passed and cleaned away.
    if (numbers(folder, name).some((number) => number > mine)) {
      rmSync(join(folder, `${name}.lock.${mine}`), { force: true });
      continue;
    }
    for (const number of numbers(folder, name))
      if (number < mine) rmSync(join(folder, `${name}.lock.${number}`), { force: true });
    return;
  }
}

function numbers(folder: string, name: string): number[] {
  const prefix = `${name}.lock.`;
  return readdirSync(folder)
    .filter((file) => file.startsWith(prefix) && /^\d+$/.test(file.slice(prefix.length)))
    .map((file) => Number(file.slice(prefix.length)));
}

/** "gone" only if nobody listens. A holder that is too busy, or stopped, to say its pid holds all the same. */
function ask(path: string): Promise<{ pid: number | undefined } | "gone"> {
  return new Promise((resolve) => {
    const socket = connect(path);
    let said = "";
    const answer = (value: { pid: number | undefined } | "gone") => {
      socket.destroy();
      resolve(value);
    };
    socket.setTimeout(1_000, () => answer({ pid: undefined }));
    socket.on("data", (chunk) => {
      said += chunk;
    });
    socket.on("end", () => answer({ pid: Number(said) || undefined }));
    socket.on("error", (error) => {
      const code = codeOf(error);
      answer(code === "ECONNREFUSED" || code === "ENOENT" ? "gone" : { pid: undefined });
    });
  });
}

function listen(path: string): Promise<Server> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.end(String(process.pid));
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.unref();
      resolve(server);
    });
  });
}

/** From the next turn on the socket refuses. Who is still being answered is not waited for. */
function close(server: Server): Promise<void> {
  server.close();
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** A socket's path may have only about 100 bytes: Linux lets us name a folder of any length by its open descriptor. */
export function openSocketFolder(folder: string): { path(file: string): string; close(): void } {
  if (Buffer.byteLength(folder) <= 50) return { path: (file) => join(folder, file), close: () => {} };
  const descriptor = openSync(folder, "r");
  return { path: (file) => `/proc/self/fd/${descriptor}/${file}`, close: () => closeSync(descriptor) };
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
