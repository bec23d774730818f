import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import type { Log } from "../api/log.js";
import { createApiServer, ensurePki, ensureTokens, kubeconfig } from "../apiserver/index.js";
import { connectBus } from "../bus/connect.js";
import { createControlBus } from "../bus/control.js";
import { inboxPrefix } from "../bus/subjects.js";
import { startControllers } from "../controllers/manager.js";
import { type RunningEvents, startEvents } from "../events/index.js";
import { startFolderSync } from "../gitops/sync.js";
import { openLmdbStore } from "../store/lmdb/lmdb-store.js";
import { LockHeld } from "../store/lock.js";
import type { Store } from "../store/store.js";
import { collect, port } from "./arguments.js";
import { BACKUP_PATH, serveBackup } from "./backup/serve.js";
import { crashOnBugs, untilTold } from "./child-process.js";
import { writeDavitContext } from "./davit-context.js";
import { DIAGNOSIS_PATH, serveDiagnosis } from "./doctor/diagnosis.js";
import { type Address, fingerprintOf } from "./enrolment/address.js";
import { openBusKeys } from "./enrolment/keys.js";
import { serveEnrolment } from "./enrolment/serve.js";
import { EXIT, Failure, messageOf } from "./failure.js";
import { instanceProbe } from "./instance-probe.js";
import { createLog } from "./log.js";
import { parseManifest } from "./manifests.js";
import { createMetrics } from "./metrics.js";
import { ownVersion } from "./own-version.js";
import { inUrl } from "./supervisor/binding.js";
import { type DataFolder, dataFolder, openDataFolder, writeWhole } from "./supervisor/data-folder.js";
import { taskLogs } from "./task-logs.js";

export interface ServerOptions {
  dataDir: string;
  apiPort: number;
  bind: string;
  local?: string;
  advertise?: string;
  tlsSan?: string[];
  natsUrl: string;
  natsCa?: string;
  natsCreds: string;
  natsKeys?: string;
  natsSigningKey?: string;
  busUrl?: string;
  kubeconfig?: string;
  manifests?: string;
}

export function define(command: Command): void {
  command
    .requiredOption("--data-dir <D>", "data folder")
    .requiredOption("--api-port <N>", "port of the API", port)
    .option("--bind <ADDR>", "where the API listens", "127.0.0.1")
    .option("--local <ADDR>", "where this machine reaches it (default: that of --bind)")
    .option("--advertise <ADDR>", "how other machines reach it")
    .option("--tls-san <NAME>", "further name in its certificate; may be repeated", collect)
    .requiredOption("--nats-url <URL>", "the bus")
    .option("--nats-ca <F>", "CA of the bus's certificate, for tls://")
    .requiredOption("--nats-creds <F>", "the control plane's credentials")
    .option("--nats-keys <D>", "the bus's keys: make agents' credentials, and revoke them")
    .option("--nats-signing-key <F>", "signing key of somebody else's bus: makes agents' credentials")
    .option("--bus-url <URL>", "the bus, as machines that join reach it (default: that of --nats-url)")
    .option("--kubeconfig <F>", "a further kubeconfig to write the context into")
    .option("--manifests <DIR>", "folder to follow")
    .action(server);
}

async function server(options: ServerOptions): Promise<void> {
  const log = createLog("server");
  crashOnBugs(log);
  const folder = dataFolder(options.dataDir);
  openDataFolder(folder);
  const closing: (() => Promise<unknown> | unknown)[] = [];

  const store = await openStore(folder, log);
  closing.push(() => store.close());
  const api = createApiServer({ store, now: Date.now, newUid: randomUUID, random: Math.random, log });
  await api.bootstrap();
  closing.push(() => api.close());

  // The API works while the bus is away: this connects behind the scenes, and again whenever it must.
  const connection = connectBus({
    servers: options.natsUrl,
    ...(options.natsCa && { tls: { ca: readFileSync(options.natsCa, "utf8") } }),
    credentials: { file: options.natsCreds },
    name: "davit server",
    inboxPrefix: inboxPrefix("control"),
    log,
  });
  closing.push(() => connection.close());
  const bus = createControlBus({ connection, log });
  closing.push(() => bus.close());

  const metrics = createMetrics();
  let events: RunningEvents | undefined;
  const access = await prepareAccess(folder, options);
  const enrolment = serveEnrolment({
    client: api.trustedClient,
    bus: openBusKeys(options, log),
    busUrl: options.busUrl ?? options.natsUrl,
    address: addressOf(options, access.tls.ca),
    log,
  });
  closing.push(() => enrolment.close());
  const listening = await api.listen({
    host: options.bind,
    port: options.apiPort,
    tls: access.tls,
    tokens: access.tokens,
    connect: {
      "tasks/log": taskLogs({ client: api.client, bus, now: Date.now }),
      "containerinstances/probe": instanceProbe({ client: api.client, bus }),
    },
    paths: {
      ...enrolment.paths,
      [BACKUP_PATH]: serveBackup({ folder, store, now: Date.now }),
      [DIAGNOSIS_PATH]: serveDiagnosis({ root: folder.root, store, bus, events: () => events, now: Date.now }),
    },
    metrics: () => metrics.text(),
  });
  closing.push(() => listening.close());
  await writeKubeconfigs(folder, options, access);

  // Closed first, the last first: nothing decides or reports any more once the store goes.
  const controllers = startControllers({
    metrics,
    client: api.trustedClient,
    bus,
    version: ownVersion(),
    now: Date.now,
    random: Math.random,
    newUid: randomUUID,
    log,
  });
  closing.push(() => controllers.stop());
  events = startEvents({
    connection,
    client: api.trustedClient,
    log,
    now: Date.now,
    identity: store.id,
    onAcknowledged: (revision) => store.hold(revision),
  });
  closing.push(() => events?.stop());
  if (options.manifests !== undefined) closing.push(followManifests(options.manifests, api.client, log));
  await untilTold(log, closing);
}

async function openStore(folder: DataFolder, log: Log): Promise<Store> {
  try {
    return await openLmdbStore({
      folder: folder.store,
      fatal(error) {
        log.error({ err: error }, "a commit failed: what is on the disk is unknown, and this process ends now");
        process.exit(EXIT.failed);
      },
      // What is lost is told to subscribers by the event stream itself.
      onGap: (gap) => log.warn(gap, "the change log was cut past the event cursor"),
    });
  } catch (error) {
    // A former server that is still on its way out: started again in a moment.
    if (error instanceof LockHeld) throw error;
    throw new Failure(messageOf(error), EXIT.fatal);
  }
}

type Access = Awaited<ReturnType<typeof prepareAccess>>;

async function prepareAccess(folder: DataFolder, { apiPort, bind, local = bind, tlsSan }: ServerOptions) {
  const tls = await ensurePki({ folder: folder.pki, now: Date.now, ...(tlsSan && { extraNames: tlsSan }) });
  const tokens = await ensureTokens(join(folder.pki, "tokens.csv"));
  const token = tokens.find(({ groups }) => groups.includes("system:masters"))?.token;
  if (token === undefined)
    throw new Failure(
      `${join(folder.pki, "tokens.csv")} has no token of the group system:masters: remove the file, and a new one is made.`,
      EXIT.fatal,
    );
  return { tls, tokens, token, server: `https://${inUrl(local)}:${apiPort}` };
}

const addressOf = ({ bind, advertise, apiPort }: ServerOptions, ca: string): Address => ({
  api: `https://${inUrl(advertise ?? bind)}:${apiPort}`,
  loopback: advertise === undefined,
  caFingerprint: fingerprintOf(ca),
});

/** Ours is written whole; in the one that was named, only our entries. */
async function writeKubeconfigs(
  folder: DataFolder,
  options: ServerOptions,
  { tls: { ca }, token, server }: Access,
): Promise<void> {
  const text = kubeconfig({ server, ca, token });
  if (!isSame(folder.kubeconfig, text)) writeWhole(folder.kubeconfig, text);
  if (options.kubeconfig !== undefined) await writeDavitContext(options.kubeconfig, { server, ca, token });
}

function isSame(path: string, text: string): boolean {
  try {
    return readFileSync(path, "utf8") === text;
  } catch {
    return false;
  }
}

function followManifests(
  root: string,
  client: Parameters<typeof startFolderSync>[0]["client"],
  log: Log,
): () => Promise<void> {
  const sync = startFolderSync({ root, client, parse: parseManifest, log, now: Date.now, newBatchId: randomUUID });
  return () => sync.close();
}
