// A real store, API server and nats-server, and an event publisher that can be stopped and started again.
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setImmediate as tick } from "node:timers/promises";
import type { Kind, Task } from "../../api/types.gen.js";
import { KINDS } from "../../api/types.gen.js";
import { type ApiServer, createApiServer } from "../../apiserver/index.js";
import type { BusConnection } from "../../bus/connect.js";
import { type EventEnvelope, HEADERS } from "../../bus/event-messages.js";
import { createEventStream, type EventStream, type StreamLimits } from "../../bus/event-stream.js";
import { type Follower, type FollowOptions, followEvents } from "../../bus/follow.js";
import { EVENTS, eventSubject } from "../../bus/subjects.js";
import { type EventPublisher, startEventPublisher } from "../../events/publisher.js";
import { serveReplays } from "../../events/replay.js";
import { addressOf, describe as describeObject } from "../../events/shapes.js";
import { openLmdbStore } from "../../store/lmdb/lmdb-store.js";
import type { Store } from "../../store/store.js";
import { startTestBus, type TestBus } from "../bus/support.js";
import { temporaryFolder } from "../support/folder.js";

export interface World {
  bus: TestBus;
  api: ApiServer;
  store: Store;
  connection: BusConnection;
  publisher: EventPublisher;
  acknowledged(): number;
  startPublisher(): void;
  stopPublisher(): Promise<void>;
  follow(options?: Partial<FollowOptions>): Promise<Follower & { end(): Promise<void> }>;
  createTask(name: string, more?: Partial<Task>): Promise<Task>;
  /** Writes a status whose version is one higher. */
  moveTask(name: string, status: Partial<Task["status"]>): Promise<Task>;
  /** What a reader who knows everything has. */
  truth(): Promise<Map<string, object>>;
  /** Every message in the stream, oldest first. */
  stored(): Promise<{ subject: string; headers: Record<string, string>; body: EventEnvelope }[]>;
  close(): Promise<void>;
}

const ALL_KINDS = Object.keys(KINDS) as Kind[];

export async function startWorld(
  name: string,
  options: {
    limits?: Partial<StreamLimits>;
    keep?: number;
    now?: () => number;
    /** Stands between the publisher and the stream. */
    fault?: (stream: EventStream) => EventStream;
  } = {},
): Promise<World> {
  const folder = temporaryFolder(`${name}-store`);
  const bus = await startTestBus(name);
  const store = await openLmdbStore({
    folder: join(folder.path, "store"),
    progressMs: 20,
    ...(options.keep !== undefined && { window: { changes: options.keep, hardChanges: options.keep } }),
  });
  const api = createApiServer({ store, now: Date.now, newUid: randomUUID, random: Math.random, log: bus.log });
  await api.bootstrap();
  const connection = bus.connect(await bus.nats.authority.control(), "control");
  await connection.whenConnected(5000);
  let acknowledged = 0;
  let stopReplays = () => {};
  const followers: (Follower & { end(): Promise<void> })[] = [];
  const world: World = {
    bus,
    api,
    store,
    connection,
    publisher: undefined as never,
    acknowledged: () => acknowledged,
    startPublisher: () => {
      world.publisher = startEventPublisher({
        client: api.client,
        stream: (options.fault ?? ((stream) => stream))(createEventStream(connection)),
        connection,
        log: bus.log,
        now: options.now ?? Date.now,
        identity: store.id,
        onAcknowledged: (revision) => {
          acknowledged = revision;
          store.hold(revision);
        },
        cursorEveryMs: 50,
        ...(options.limits && { limits: options.limits }),
      });
      stopReplays = serveReplays({
        connection,
        client: api.client,
        publisher: world.publisher,
        log: bus.log,
        now: Date.now,
        nonce: randomUUID,
      });
    },
    stopPublisher: async () => {
      stopReplays();
      await world.publisher.stop();
    },
    follow: async (more = {}) => {
      const reader = bus.connect(await bus.nats.authority.reader(), "reader");
      const follower = followEvents({ connection: reader, log: bus.log, ...more });
      const both = {
        ...follower,
        end: () => {
          follower.close();
          return reader.close();
        },
      };
      followers.push(both);
      return both;
    },
    createTask: (taskName, more = {}) =>
      api.trustedClient.create("Task", {
        apiVersion: "davit.dev/v1",
        kind: "Task",
        metadata: { name: taskName, namespace: "default" },
        spec: { taskDefinition: "web:1", group: "service:web" },
        status: {
          version: 1,
          lastStatus: "PENDING",
          taskArn: `arn:aws:ecs:local:000000000000:task/default/${taskName}`,
        },
        ...more,
      }),
    moveTask: async (taskName, status) => {
      const task = await api.trustedClient.get("Task", { namespace: "default", name: taskName });
      if (!task) throw new Error(`no task ${taskName}`);
      const version = (task.status?.version ?? 0) + 1;
      return api.trustedClient.updateStatus("Task", { ...task, status: { ...task.status, ...status, version } });
    },
    truth: async () => {
      const result = new Map<string, object>();
      for (const kind of ALL_KINDS)
        for (const object of (await api.client.list(kind)).items)
          result.set(eventSubject(addressOf(object)), plain({ ...describeObject(object), version: undefined }));
      return result;
    },
    stored: async () => {
      const client = await connection.whenConnected(5000);
      const manager = await client.jetstreamManager();
      const { state } = await manager.streams.info(EVENTS);
      const found: Awaited<ReturnType<World["stored"]>> = [];
      for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
        const message = await manager.streams.getMessage(EVENTS, { seq });
        const headers = Object.fromEntries(
          Object.entries(HEADERS).map(([key, header]) => [key, message.header.get(header)]),
        );
        found.push({ subject: message.subject, headers, body: JSON.parse(Buffer.from(message.data).toString()) });
      }
      return found;
    },
    close: async () => {
      for (const follower of followers) await follower.end();
      await world.stopPublisher();
      await api.close();
      await store.close();
      await bus.close();
      folder.remove();
      await tick();
    },
  };
  world.startPublisher();
  return world;
}

const plain = (value: object): object => JSON.parse(JSON.stringify(value));

/** A follower's present in the form of `truth()`: without what tells one delivery from another. */
export function folded(follower: Follower): Map<string, object> {
  const entries = [...follower.present()].map(([subject, { detail }]) => {
    const { version, updatedAt, davit, ...rest } = detail;
    return [subject, rest] as const;
  });
  return new Map(entries);
}

export const sameMaps = (one: ReadonlyMap<string, object>, two: ReadonlyMap<string, object>): boolean =>
  one.size === two.size && [...one].every(([key, value]) => sameJson(value, two.get(key)));
const sameJson = (one: object, two: object | undefined): boolean =>
  JSON.stringify(sorted(one)) === JSON.stringify(sorted(two));
const sorted = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(sorted)
    : value && typeof value === "object"
      ? Object.fromEntries(
          Object.entries(value)
            .sort()
            .map(([key, item]) => [key, sorted(item)]),
        )
      : value;
