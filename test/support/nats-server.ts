// A nats-server of a test's or a benchmark's own; `davit up` has its supervisor.
import { spawn } from "node:child_process";
import { freePort, type NatsCommand, type NatsServerOptions, natsCommand } from "../../bus/server.js";

export interface RunningNats extends NatsCommand {
  pid: number;
  /** @param kill with SIGKILL, as in a crash */
  stop(kill?: "kill"): Promise<void>;
}

/** Starts one and waits until it is ready.
 *  @throws Error with what the server printed if it ends instead */
export async function startNatsServer(
  options: Omit<NatsServerOptions, "port"> & {
    port?: number;
    /** Further arguments of the command, such as a monitoring port. */
    args?: readonly string[];
  },
): Promise<RunningNats> {
  const nats = await natsCommand({ ...options, port: options.port || (await freePort(options.host)) });
  const child = spawn(nats.command, [...nats.args, ...(options.args ?? [])], { stdio: ["ignore", "ignore", "pipe"] });
  let printed = "";
  child.stderr.on("data", (data) => {
    printed = (printed + data).slice(-4000);
  });
  const abort = new AbortController();
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve(abort.abort())));
  const timer = setTimeout(() => abort.abort(), 10_000);
  try {
    await nats.ready(abort.signal);
  } catch (error) {
    child.kill("SIGKILL");
    await exited;
    throw new Error(`${error instanceof Error ? error.message : error}\n${printed}`);
  } finally {
    clearTimeout(timer);
  }
  return {
    ...nats,
    pid: child.pid ?? 0,
    stop: async (kill) => {
      child.kill(kill ? "SIGKILL" : "SIGTERM");
      await exited;
    },
  };
}
