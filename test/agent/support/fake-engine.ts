// A Docker Engine that says what a test wants about its machine, and has no containers.
import { createServer } from "node:http";
import { join } from "node:path";
import { type Agent, createAgent } from "../../../agent/agent.js";
import type { AgentOptions } from "../../../agent/options.js";
import { createDockerRuntime } from "../../../agent/runtimes/docker/docker.js";
import type { Log } from "../../../api/log.js";
import type { SyncRequest } from "../../../bus/messages.js";
import { temporaryFolder } from "../../support/folder.js";
import { eventually } from "../../support/wait.js";
import { hex, quiet } from "./builders.js";
import { createControl } from "./control.js";
import { FAST } from "./machine.js";

export interface FakeMachine {
  /** The first sync. */
  registered(): Promise<SyncRequest>;
  syncs(): number;
  /** Changes what the Engine says from now on. */
  info: Record<string, unknown>;
  agent: Agent;
  close(): Promise<void>;
}

/** An agent on such an Engine; its start is under way. */
export async function fakeMachine(
  info: Record<string, unknown>,
  options: Partial<AgentOptions> = {},
  log: Log = quiet,
): Promise<FakeMachine> {
  const folder = temporaryFolder("fake-engine");
  const socket = join(folder.path, "docker.sock");
  const said: Record<string, unknown> = {
    NCPU: 2,
    MemTotal: 4096 * 2 ** 20,
    ServerVersion: "24.0.7",
    KernelVersion: "6.1.0-18-amd64",
    ...info,
  };
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    if (path === "/version") response.end('{"ApiVersion":"1.43","Version":"24.0.7"}');
    else if (path.endsWith("/info")) response.end(JSON.stringify(said));
    else if (path.includes("/containers/json")) response.end("[]");
    // The stream of events stays open, and silent.
    else response.flushHeaders();
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  const control = createControl();
  const bus = control.connect();
  const runtime = createDockerRuntime({ agent: hex("fake"), dockerHost: `unix://${socket}` });
  const agent = createAgent({
    instance: hex("fake"),
    namespace: "default",
    cluster: "default",
    bus,
    runtime,
    options: { ...FAST, ...options },
    now: Date.now,
    random: () => 0.5,
    log,
  });
  void agent.start();
  return {
    agent,
    info: said,
    syncs: () => control.counts.syncs,
    registered: () => eventually("registered", () => control.syncs[0]),
    async close() {
      await agent.stop();
      await runtime.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      folder.remove();
    },
  };
}
