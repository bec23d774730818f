// nats-server and `davit server` as `davit up` starts them, each a process of its own that can be measured and
// restarted alone.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../bus/server.js";
import { dataFolder } from "../../cli/supervisor/data-folder.js";
import { createHttpClient } from "../../client/http-client.js";
import { createTransport } from "../../client/http-transport.js";
import { readKubeconfig } from "../../client/kubeconfig.js";
import type { ObjectClient } from "../../client/object-client.js";
import { temporaryFolder } from "../../test/support/folder.js";
import { type RunningNats, startNatsServer } from "../../test/support/nats-server.js";
import { eventually } from "../../test/support/wait.js";

const DAVIT = new URL("../../cli/davit.js", import.meta.url).pathname;

/** What nats-server holds for its clients. */
export interface BusHoldings {
  connections: number;
  subscriptions: number;
  streams: number;
  consumers: number;
}

export interface FleetPlane {
  readonly client: ObjectClient;
  readonly natsUrl: string;
  pid(role: "server" | "nats"): number;
  agentCredentials(instance: string): Promise<string>;
  holdings(): Promise<BusHoldings>;
  /** kill -9, and started again. Resolves when it is ready. */
  restart(role: "server" | "nats"): Promise<void>;
  stop(): Promise<void>;
}

export interface FleetPlaneOptions {
  /** A folder for CPU profiles of the control plane: one for each of its processes, written when it ends. */
  profile?: string;
}

export async function startFleetPlane({ profile }: FleetPlaneOptions = {}): Promise<FleetPlane> {
  const folder = temporaryFolder("fleet");
  const natsFolder = join(folder.path, "nats");
  const data = dataFolder(join(folder.path, "davit"));
  mkdirSync(natsFolder);
  const [natsPort, monitorPort, apiPort] = [await freePort(), await freePort(), await freePort()];
  const startNats = () =>
    startNatsServer({ folder: natsFolder, port: natsPort, args: ["--http_port", String(monitorPort)] });
  let nats: RunningNats | undefined;
  let server: ChildProcess | undefined;

  const startServer = async (): Promise<void> => {
    const flags = profile ? ["--cpu-prof", `--cpu-prof-dir=${profile}`] : [];
    const started = spawn(
      process.execPath,
      [
        ...["--max-semi-space-size=8", ...flags, DAVIT, "server", "--data-dir", data.root],
        ...["--api-port", String(apiPort), "--nats-url", `nats://127.0.0.1:${natsPort}`],
        ...["--nats-creds", join(folder.path, "control.creds"), "--nats-keys", join(natsFolder, "keys")],
      ],
      // Its log goes where no figures go.
      { stdio: ["ignore", 2, 2], env: { ...process.env, DAVIT_LOG_LEVEL: "error" } },
    );
    server = started;
    await eventually("the API is ready", async () => {
      if (started.exitCode !== null) throw new Error("davit server ended");
      const api = createTransport((await readKubeconfig({ path: data.kubeconfig })).connection);
      try {
        return await api.text("/readyz");
      } finally {
        api.close();
      }
    });
  };
  const endServer = async (signal: NodeJS.Signals): Promise<void> => {
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    server.kill(signal);
    await once(server, "exit");
  };
  const stop = async (): Promise<void> => {
    await endServer("SIGTERM");
    await nats?.stop();
    folder.remove();
  };

  try {
    nats = await startNats();
    writeFileSync(join(folder.path, "control.creds"), await nats.authority.control(), { mode: 0o600 });
    await startServer();
    const { connection } = await readKubeconfig({ path: data.kubeconfig });
    const client = createHttpClient({ connection, fieldManager: "bench" });
    const { authority, url } = nats;
    return {
      client,
      natsUrl: url,
      pid: (role) => (role === "nats" ? nats?.pid : server?.pid) ?? 0,
      agentCredentials: (instance) => authority.agent(instance),
      holdings: () => holdings(monitorPort),
      async restart(role) {
        if (role === "server") {
          await endServer("SIGKILL");
          await startServer();
        } else {
          await nats?.stop("kill");
          nats = await startNats();
        }
      },
      async stop() {
        client.close();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function holdings(monitorPort: number): Promise<BusHoldings> {
  const ask = async (path: string): Promise<Record<string, number>> =>
    (await (await fetch(`http://127.0.0.1:${monitorPort}${path}`)).json()) as Record<string, number>;
  const [connz, subsz, jsz] = await Promise.all([ask("/connz?limit=1"), ask("/subsz"), ask("/jsz")]);
  return {
    connections: connz.total ?? Number.NaN,
    subscriptions: subsz.num_subscriptions ?? Number.NaN,
    streams: jsz.streams ?? Number.NaN,
    consumers: jsz.consumers ?? Number.NaN,
  };
}
