// A real nats-server in a folder of its own, and ends of the bus that close with it.

import type { Log } from "../../api/log.js";
import { type BusConnection, connectBus } from "../../bus/connect.js";
import type { SyncRequest, TaskReport } from "../../bus/messages.js";
import { inboxPrefix } from "../../bus/subjects.js";
import { temporaryFolder } from "../support/folder.js";
import { type RunningNats, startNatsServer } from "../support/nats-server.js";

export interface TestBus {
  nats: RunningNats;
  folder: string;
  log: Log & { lines: { fields: object; message: string }[] };
  /** A connection with these credentials, closed at the end. */
  connect(credentials: string, owner?: string): BusConnection;
  restart(between?: () => void, kill?: "kill"): Promise<void>;
  close(): Promise<void>;
}

export function recordingLog(): TestBus["log"] {
  const lines: { fields: object; message: string }[] = [];
  const record = (fields: object, message: string) => void lines.push({ fields, message });
  return { lines, info: record, warn: record, error: record };
}

export async function startTestBus(name: string): Promise<TestBus> {
  const folder = temporaryFolder(name);
  const log = recordingLog();
  const connections: BusConnection[] = [];
  let nats = await startNatsServer({ folder: folder.path });
  const port = Number(new URL(nats.url).port);
  return {
    get nats() {
      return nats;
    },
    folder: folder.path,
    log,
    connect: (text, owner = "test") => {
      const connection = connectBus({
        servers: nats.url,
        credentials: { text },
        name: `test ${owner}`,
        inboxPrefix: inboxPrefix(owner),
        log,
      });
      connections.push(connection);
      return connection;
    },
    restart: async (between = () => {}, kill) => {
      await nats.stop(kill);
      between();
      nats = await startNatsServer({ folder: folder.path, port });
    },
    close: async () => {
      await Promise.all(connections.map((connection) => connection.close()));
      await nats.stop();
      folder.remove();
    },
  };
}

/** `1` gives 32 hex digits that end in 1. */
export const id = (number: number): string => number.toString(16).padStart(32, "0");

export const syncRequest = (instance: string, more: Partial<SyncRequest> = {}): SyncRequest => ({
  type: "davit.v1.SyncRequest",
  instance,
  namespace: "default",
  cluster: "default",
  hostname: "host",
  address: "127.0.0.1",
  agentVersion: "0",
  resources: [
    { name: "CPU", type: "INTEGER", integerValue: 1024 },
    { name: "MEMORY", type: "INTEGER", integerValue: 1024 },
  ],
  attributes: [],
  tasks: [],
  ...more,
});

export const taskReport = (task: string, more: Partial<TaskReport> = {}): TaskReport => ({
  task,
  namespace: "default",
  name: "web-1",
  seq: 1,
  state: "RUNNING",
  containers: [
    { name: "web", image: "web:1", lastStatus: "RUNNING", health: "UNKNOWN", networkBindings: [], startedAtMs: 1 },
  ],
  observedAtMs: 1,
  ...more,
});
