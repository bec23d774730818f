// A real registry (Debian's docker-registry) on loopback, with a switch in front that answers as a busy one.
import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import { type AddressInfo, createServer as createSocket } from "node:net";
import { join } from "node:path";
import { temporaryFolder } from "../../support/folder.js";
import { eventually } from "../../support/wait.js";

export interface Registry {
  /** `127.0.0.1:<port>`: Docker takes loopback without TLS. */
  readonly host: string;
  /** The next manifest requests are answered with this status. */
  fail(times: number, status: number): void;
  readonly manifestRequests: number;
  setReachable(reachable: boolean): Promise<void>;
  close(): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createSocket().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export async function startRegistry(): Promise<Registry> {
  const folder = temporaryFolder("registry");
  const behind = await freePort();
  writeFileSync(
    join(folder.path, "config.yml"),
    JSON.stringify({
      version: 0.1,
      log: { level: "error" },
      storage: { filesystem: { rootdirectory: join(folder.path, "data") } },
      http: { addr: `127.0.0.1:${behind}` },
    }),
  );
  const child = spawn("docker-registry", ["serve", join(folder.path, "config.yml")], { stdio: "ignore" });
  await eventually("the registry answers", async () => (await fetch(`http://127.0.0.1:${behind}/v2/`)).ok);

  let failures = 0;
  let status = 429;
  let manifestRequests = 0;
  const answer = (): Server =>
    createServer((incoming, outgoing) => {
      if (incoming.method !== "PUT" && incoming.url?.includes("/manifests/")) {
        manifestRequests += 1;
        if (failures > 0) {
          failures -= 1;
          outgoing.writeHead(status, { "Content-Type": "application/json" });
          outgoing.end(JSON.stringify({ errors: [{ code: "TOOMANYREQUESTS", message: "slow down" }] }));
          return;
        }
      }
      const { method, url, headers } = incoming;
      const onward = request({ host: "127.0.0.1", port: behind, method, path: url, headers }, (reply) => {
        outgoing.writeHead(reply.statusCode ?? 500, reply.headers);
        reply.pipe(outgoing);
      });
      onward.on("error", () => outgoing.destroy());
      incoming.pipe(onward);
    });
  const port = await freePort();
  let front: Server | undefined;
  const open = async () => {
    front = answer().listen(port, "127.0.0.1");
    await new Promise((resolve) => front?.once("listening", resolve));
  };
  const shut = async () => {
    front?.closeAllConnections();
    await new Promise((resolve) => (front ? front.close(resolve) : resolve(undefined)));
    front = undefined;
  };
  await open();

  return {
    host: `127.0.0.1:${port}`,
    get manifestRequests() {
      return manifestRequests;
    },
    fail(times, with_) {
      failures = times;
      status = with_;
    },
    setReachable: (reachable) => (reachable ? open() : shut()),
    async close() {
      await shut();
      await ended(child);
      folder.remove();
    },
  };
}

function ended(child: ChildProcess): Promise<unknown> {
  const over = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  return over;
}
