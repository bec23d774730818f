// What must be there before anything is started; each failure is one sentence that says what to do.
import { request } from "node:http";
import { connect, createServer } from "node:net";
import { codeOf, EXIT, Failure, messageOf } from "../failure.js";

/** A port of that address that is free now; `wanted` itself unless it is 0. @throws Failure if `wanted` is taken */
export async function freePort(host: string, wanted: number, option: string): Promise<number> {
  const server = createServer();
  try {
    return await new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host, port: wanted, exclusive: true }, () => {
        const address = server.address();
        resolve(typeof address === "object" && address ? address.port : wanted);
      });
    });
  } catch (error) {
    if (codeOf(error) === "EADDRINUSE")
      throw new Failure(`port ${wanted} is taken: free it, or choose another with ${option} N (0 = any free one).`);
    if (codeOf(error) === "EACCES")
      throw new Failure(`port ${wanted} is not yours to open: choose one above 1023 with ${option} N.`);
    if (codeOf(error) === "EADDRNOTAVAIL")
      throw new Failure(`--bind ${host} is no address of this machine: give one that is, or 0.0.0.0 for all of them.`);
    throw error;
  } finally {
    server.close();
  }
}

export const dockerSocket = (): string => (process.env.DOCKER_HOST ?? "/var/run/docker.sock").replace(/^unix:\/\//, "");

/** @throws Failure if no Docker Engine answers */
export async function checkDocker(socketPath = dockerSocket()): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      const ping = request({ socketPath, path: "/_ping", timeout: 5_000 }, (response) => {
        response.resume();
        if (response.statusCode === 200) resolve();
        else reject(new Error(`it answers ${response.statusCode}`));
      });
      ping.once("timeout", () => ping.destroy(new Error("no answer in 5 s")));
      ping.once("error", reject).end();
    });
  } catch (error) {
    const denied = codeOf(error) === "EACCES";
    throw new Failure(
      denied
        ? `Docker's socket ${socketPath} is not open to you: join the group docker, or run this as root.`
        : `no Docker Engine answers at ${socketPath} (${codeOf(error) ?? messageOf(error)}): ` +
            "install and start Docker, or try Davit without containers with --runtime simulated.",
    );
  }
}

/** @throws Failure if nothing listens there */
export async function checkNats(url: string): Promise<void> {
  const { hostname, port } = parseNatsUrl(url);
  try {
    await new Promise<void>((resolve, reject) => {
      const socket = connect({ host: hostname, port, timeout: 5_000 }, () => {
        socket.destroy();
        resolve();
      });
      socket.once("timeout", () => socket.destroy(new Error("no answer in 5 s")));
      socket.once("error", reject);
    });
  } catch (error) {
    throw new Failure(
      `no NATS server answers at ${url} (${codeOf(error) ?? messageOf(error)}): ` +
        "start it or correct --nats-url, or leave that out and Davit starts its own.",
    );
  }
}

function parseNatsUrl(url: string): { hostname: string; port: number } {
  try {
    const { hostname, port } = new URL(url.includes("://") ? url : `nats://${url}`);
    return { hostname: hostname.replace(/^\[|\]$/g, ""), port: port === "" ? 4222 : Number(port) };
  } catch {
    throw new Failure(`--nats-url ${url} is no address: write it as nats://HOST:PORT.`, EXIT.usage);
  }
}
