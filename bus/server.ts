// nats-server as Davit runs it: what to start, with which configuration, and when it is ready.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, constants, mkdirSync, readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { type Authority, openAuthority, writeSecret } from "./credentials.js";

/** Debian 12's. */
const OLDEST = [2, 9] as const;
/** One message: a sync answer with a thousand assignments fits. NATS advises no more. */
const MAX_PAYLOAD_BYTES = 8 * 1024 * 1024;

export interface NatsServerOptions {
  /** Keys, configuration and streams lie here. */
  folder: string;
  /** @default "127.0.0.1" */
  host?: string;
  /** From `freePort()` if any will do: the same one at each restart, or nobody finds the server again. */
  port: number;
  /** PEM files. @default no TLS: for loopback only */
  tls?: { certFile: string; keyFile: string };
  /** Of all streams on disk. @default 4 GiB */
  maxStorageBytes?: number;
}

export interface NatsCommand {
  command: string;
  args: string[];
  /** `nats://host:port`, or `tls://`: under which this machine reaches it. */
  url: string;
  /** Another one where a running server would have to be started again to be as it should. */
  fingerprint: string;
  authority: Authority;
  /** Resolves when this very server (no other on that port) takes connections. @throws Error when the signal aborts */
  ready(signal: AbortSignal): Promise<void>;
}

/** Writes the configuration and says how to start it; whoever starts it also ends it.
 *  @throws Error saying what to install if there is no fit nats-server */
export async function natsCommand(options: NatsServerOptions): Promise<NatsCommand> {
  const { folder, host = "127.0.0.1", port, tls } = options;
  const command = await findNatsServer();
  const authority = await openAuthority(join(folder, "keys"));
  const name = `davit-${authority.account.publicKey.slice(1, 13)}`;
  const configuration = join(folder, "nats-server.conf");
  for (const each of ["jetstream", ACCOUNTS]) mkdirSync(join(folder, each), { recursive: true, mode: 0o700 });
  const fixed = fixedText({ ...options, host }, authority, name);
  writeSecret(configuration, fixed + preloadText(authority));
  const local = reachableHost(host);
  return {
    command,
    args: ["-c", configuration],
    url: busUrl(local, port, tls !== undefined),
    fingerprint: fingerprintOf(fixed, tls),
    authority,
    ready: (signal) => untilReady(local, port, name, signal),
  };
}

const ACCOUNTS = "accounts";

/** Where this machine reaches a server that listens on `host`: on loopback if it listens on all addresses. */
export const reachableHost = (host: string): string =>
  host === "0.0.0.0" ? "127.0.0.1" : /^[0:]+$/.test(host) ? "::1" : host;

/** As clients write it. */
export const busUrl = (host: string, port: number, tls: boolean): string =>
  `${tls ? "tls" : "nats"}://${host.includes(":") ? `[${host}]` : host}:${port}`;

function fingerprintOf(text: string, tls: NatsServerOptions["tls"]): string {
  const hash = createHash("sha256").update(text);
  // The server reads its certificate only when it starts.
  if (tls) hash.update(readFileSync(tls.certFile));
  return hash.digest("hex").slice(0, 16);
}

function fixedText(
  { folder, host, port, tls, maxStorageBytes = 4 * 1024 ** 3 }: NatsServerOptions & { host: string },
  { operatorJwt, systemAccount }: Authority,
  name: string,
): string {
  const tlsText = tls
    ? `tls {
  cert_file: ${JSON.stringify(tls.certFile)}
  key_file: ${JSON.stringify(tls.keyFile)}
}
`
    : "";
  return `# Written by Davit at each start.
server_name: ${name}
host: ${JSON.stringify(host)}
port: ${port}
${tlsText}operator: ${operatorJwt}
system_account: ${systemAccount.publicKey}
# Takes another JWT of an account while it runs, and keeps it: so users are revoked.
resolver: {
  type: full
  dir: ${JSON.stringify(join(folder, ACCOUNTS))}
  allow_delete: false
}
jetstream {
  store_dir: ${JSON.stringify(join(folder, "jetstream"))}
  max_memory_store: 64MB
  max_file_store: ${maxStorageBytes}
}
max_payload: ${MAX_PAYLOAD_BYTES}
max_control_line: 8KB
# A client that vanished without a word is let go after about half a minute.
ping_interval: "10s"
ping_max: 2
`;
}

/** What a server with an empty folder begins with. */
const preloadText = ({ systemAccount, account }: Authority): string => `resolver_preload: {
  ${systemAccount.publicKey}: ${systemAccount.jwt}
  ${account.publicKey}: ${account.jwt}
}
`;

/** On PATH or where Debian puts it. @throws Error saying what to do */
export async function findNatsServer(path = process.env.PATH ?? ""): Promise<string> {
  const folders = [...path.split(delimiter), "/usr/sbin", "/usr/local/sbin", "/usr/local/bin"];
  const command = folders
    .filter(Boolean)
    .map((folder) => join(folder, "nats-server"))
    .find(isExecutable);
  const advice =
    "install Debian's package nats-server (apt-get install nats-server), or name a running one with --nats-url";
  if (command === undefined) throw new Error(`nats-server was not found on PATH: ${advice}`);
  const { stdout, stderr } = await promisify(execFile)(command, ["--version"]);
  const version = parseVersion(stdout + stderr);
  if (!version || compare(version, OLDEST) < 0)
    throw new Error(
      `${command} is version ${version?.join(".") ?? "unknown"}, ${OLDEST.join(".")} or newer is wanted: ${advice}`,
    );
  return command;
}

export function parseVersion(output: string): [number, number] | undefined {
  const [, major, minor] = /v(\d+)\.(\d+)\./.exec(output) ?? [];
  return major === undefined || minor === undefined ? undefined : [Number(major), Number(minor)];
}
const compare = (a: readonly [number, number], b: readonly [number, number]): number => a[0] - b[0] || a[1] - b[1];

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A port that was free a moment ago. */
export function freePort(host = "127.0.0.1"): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject);
    probe.listen(0, host, () => {
      const address = probe.address();
      probe.close(() =>
        address && typeof address === "object" ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}

async function untilReady(host: string, port: number, name: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    const info = await greeting(host, port);
    if (info?.server_name === name && info.jetstream === true) return;
    if (info && info.server_name !== name)
      throw new Error(
        `port ${port} is taken by another NATS server (${String(info.server_name)}): choose another port`,
      );
    if (signal.aborted) throw new Error(`nats-server did not become ready on ${host}:${port}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** What a NATS server says first; undefined if nobody is there yet. */
function greeting(host: string, port: number): Promise<Record<string, unknown> | undefined> {
  return new Promise((resolve) => {
    let heard = "";
    const end = (info?: Record<string, unknown>) => {
      socket.destroy();
      resolve(info);
    };
    const socket = connect({ host, port, timeout: 1000 });
    socket
      .on("error", () => end())
      .on("timeout", () => end())
      .on("close", () => end());
    socket.on("data", (data) => {
      heard += data.toString("utf8");
      const line = /^INFO (.*)\r\n/.exec(heard)?.[1];
      if (line === undefined) return heard.length > 65_536 ? end({}) : undefined;
      try {
        end(JSON.parse(line));
      } catch {
        end({});
      }
    });
  });
}
