// A unix socket in front of the Docker Engine's that counts what is asked. For counting, never for timing.
import { createServer, request } from "node:http";
import { join } from "node:path";

export interface CountingSocket {
  /** For DOCKER_HOST. */
  address: string;
  /** How often each kind of call was made since the last look: `POST /containers/{id}/start` → 50. */
  take(): Record<string, number>;
  close(): void;
}

export async function startCountingSocket(engine: string, folder: string): Promise<CountingSocket> {
  let calls: Record<string, number> = {};
  const server = createServer((incoming, outgoing) => {
    const { method = "", url = "", headers } = incoming;
    const kind = `${method} ${shape(url)}`;
    calls[kind] = (calls[kind] ?? 0) + 1;
    const onward = request({ socketPath: engine, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      // A stream that says nothing yet has been answered all the same.
      outgoing.flushHeaders();
      answer.pipe(outgoing);
    });
    onward.once("error", () => outgoing.destroy());
    outgoing.once("close", () => onward.destroy());
    incoming.pipe(onward);
  });
  const path = join(folder, "docker.sock");
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    address: `unix://${path}`,
    take() {
      const taken = calls;
      calls = {};
      return taken;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** The call without versions, names and filters. */
const shape = (url: string): string =>
  url
    .replace(/\?.*$/, "")
    .replace(/^\/v[\d.]+/, "")
    .replace(/^\/containers\/(?!create$|json$)[^/]+/, "/containers/{id}")
    .replace(/^\/images\/.+\/json$/, "/images/{name}/json");
