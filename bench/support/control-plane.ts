// The control plane in this process, wired as `davit server` wires it, with a nats-server of its own and a count of
// what it writes.
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApiServer } from "../../apiserver/index.js";
import { connectBus } from "../../bus/connect.js";
import { createControlBus } from "../../bus/control.js";
import { inboxPrefix } from "../../bus/subjects.js";
import type { ObjectClient } from "../../client/object-client.js";
import { startControllers } from "../../controllers/manager.js";
import { startEvents } from "../../events/index.js";
import { openLmdbStore } from "../../store/lmdb/lmdb-store.js";
import type { Key, Store } from "../../store/store.js";
import { startNatsServer } from "../../test/support/nats-server.js";
import { quiet } from "./quiet.js";

export interface Writes {
  /** Since the last reset. */
  total(): number;
  /** By the resource: `tasks.davit.dev` → how many. */
  byResource(): Readonly<Record<string, number>>;
  /** How often each key of a resource was written. */
  ofEach(resource: string): ReadonlyMap<Key, number>;
  reset(): void;
}

export interface ControlPlane {
  /** For people's input: everything is checked, as over HTTP. */
  readonly client: ObjectClient;
  readonly writes: Writes;
  readonly natsUrl: string;
  /** Bytes over the control plane's connection to the bus so far, both ways. */
  busBytes(): number;
  fleetCredentials(): Promise<string>;
  stop(): Promise<void>;
}

export async function startControlPlane(): Promise<ControlPlane> {
  const folder = mkdtempSync(join(tmpdir(), "davit-bench-"));
  const log = quiet("server");
  const closing: (() => Promise<unknown> | unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
  const stop = async (): Promise<void> => {
    for (const close of closing.splice(0).reverse()) await close();
  };
  try {
    const nats = await startNatsServer({ folder: join(folder, "nats") });
    closing.push(() => nats.stop());
    const store = await openLmdbStore({ folder: join(folder, "store") });
    closing.push(() => store.close());
    const writes = createWrites();
    const shared = { now: Date.now, random: Math.random, newUid: randomUUID, log };
    const api = createApiServer({ ...shared, store: counted(store, writes.wrote) });
    await api.bootstrap();
    closing.push(() => api.close());
    const connection = connectBus({
      servers: nats.url,
      credentials: { text: await nats.authority.control() },
      name: "bench server",
      inboxPrefix: inboxPrefix("control"),
      log,
    });
    closing.push(() => connection.close());
    const client = await connection.whenConnected(10_000);
    const bus = createControlBus({ connection, log });
    closing.push(() => bus.close());
    const events = startEvents({
      ...shared,
      connection,
      client: api.trustedClient,
      identity: store.id,
      onAcknowledged: (revision) => store.hold(revision),
    });
    closing.push(() => events.stop());
    const controllers = startControllers({ ...shared, client: api.trustedClient, bus });
    closing.push(() => controllers.stop());
    await controllers.ready;
    return {
      client: api.client,
      writes,
      natsUrl: nats.url,
      busBytes: () => client.stats().inBytes + client.stats().outBytes,
      fleetCredentials: () => nats.authority.fleet(),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function createWrites(): Writes & { wrote(key: Key): void } {
  let byKey = new Map<Key, number>();
  const resourceOf = (key: Key): string => key.slice(0, key.indexOf("/"));
  return {
    wrote: (key) => void byKey.set(key, (byKey.get(key) ?? 0) + 1),
    total: () => [...byKey.values()].reduce((sum, count) => sum + count, 0),
    byResource: () => {
      const totals: Record<string, number> = {};
      for (const [key, count] of byKey) totals[resourceOf(key)] = (totals[resourceOf(key)] ?? 0) + count;
      return totals;
    },
    ofEach: (resource) => new Map([...byKey].filter(([key]) => resourceOf(key) === resource)),
    reset: () => {
      byKey = new Map();
    },
  };
}

/** Counts only what was written: a lost race costs no write. */
function counted(store: Store, wrote: (key: Key) => void): Store {
  const after = async <T>(key: Key, write: Promise<T>): Promise<T> => {
    const done = await write;
    wrote(key);
    return done;
  };
  return {
    id: store.id,
    get: (key) => store.get(key),
    list: (prefix) => store.list(prefix),
    create: (key, object) => after(key, store.create(key, object)),
    update: (key, object, expected) => after(key, store.update(key, object, expected)),
    delete: (key, expected) => after(key, store.delete(key, expected)),
    watch: (prefix, since, options) => store.watch(prefix, since, options),
    revision: () => store.revision(),
    size: () => store.size(),
    hold: (revision) => store.hold(revision),
    close: () => store.close(),
  };
}
