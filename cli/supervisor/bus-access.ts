// Who may use the bus: a nats-server of our own, or somebody else's with a signing key.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Signer } from "../../bus/credentials.js";
import { Failure, messageOf, UsageError } from "../failure.js";
import type { Binding } from "./binding.js";
import { checkNats } from "./checks.js";
import { credentials } from "./children.js";
import type { DataFolder } from "./data-folder.js";

export interface Nats {
  command: string;
  args: readonly string[];
  fingerprint: string;
}

export interface BusAddress {
  /** As this machine's own processes reach it. */
  url: string;
  /** As machines that join reach it. */
  advertisedUrl: string;
  /** CA of the server's certificate, for `tls:`; absent: the system's. */
  caFile?: string;
  /** Folder with the keys of a server of our own. */
  keys?: string;
  /** Of somebody else's server: makes agents' credentials. */
  signingKeyFile?: string;
}

export interface Bus extends BusAddress {
  controlCredentials: string;
  /** Writes keys, configuration and credentials; says what to start, if it is ours to start. */
  open(): Promise<{ nats?: Nats }>;
}

interface AgentCredentials {
  instances: readonly string[];
  fleet: boolean;
}

/** A nats-server that `davit up` starts itself, with keys of its own; with TLS where others can reach it.
 *  @throws Failure if there is none to start */
export async function ownBus(
  folder: DataFolder,
  port: number,
  { host, local, advertised, names }: Binding,
  agents: AgentCredentials,
): Promise<Bus> {
  const { busUrl, findNatsServer, natsCommand } = await import("../../bus/server.js");
  await findNatsServer().catch((error: unknown) => {
    throw new Failure(`${messageOf(error)}.`);
  });
  const { control } = credentials(folder);
  const secure = advertised !== undefined;
  const file = (name: string): string => join(folder.pki, name);
  if (secure) {
    // Before the server starts, which would make them too.
    const { ensurePki } = await import("../../apiserver/pki.js");
    await ensurePki({ folder: folder.pki, now: Date.now, extraNames: names });
  }
  return {
    url: busUrl(local, port, secure),
    advertisedUrl: busUrl(advertised ?? local, port, secure),
    ...(secure && { caFile: file("ca.crt") }),
    keys: join(folder.nats, "keys"),
    controlCredentials: control,
    async open() {
      const tls = secure && { tls: { certFile: file("tls.crt"), keyFile: file("tls.key") } };
      const nats = await natsCommand({ folder: folder.nats, host, port, ...tls });
      const { command, args, fingerprint, authority } = nats;
      await writeCredentials(control, () => authority.control());
      await writeUsers(folder, authority, agents);
      return { nats: { command, args, fingerprint } };
    },
  };
}

export interface ExternalBus {
  url: string;
  caFile?: string;
  credentialsFile?: string;
  signingKeyFile?: string;
}

/** Somebody else's nats-server. @throws Failure if it is not reachable, or a file is missing */
export async function externalBus(folder: DataFolder, bus: ExternalBus, agents: AgentCredentials): Promise<Bus> {
  if (!bus.credentialsFile)
    throw new UsageError(
      "--nats-url needs --nats-creds F too: the credentials of a user that may do everything in Davit's account.",
    );
  const control = read(bus.credentialsFile, "--nats-creds");
  if (bus.caFile !== undefined) read(bus.caFile, "--nats-ca");
  await checkNats(bus.url);
  if (bus.signingKeyFile) {
    const { externalSigner } = await import("../../bus/credentials.js");
    try {
      await writeUsers(folder, externalSigner(read(bus.signingKeyFile, "--nats-signing-key"), control), agents);
    } catch (error) {
      if (error instanceof Failure) throw error;
      throw new Failure(`${messageOf(error)} (--nats-signing-key ${bus.signingKeyFile}).`);
    }
  } else
    throw new UsageError(
      "--nats-url needs --nats-signing-key F too: an account signing key (a seed, SA…) that makes the agents' credentials.",
    );
  const { url, caFile, signingKeyFile, credentialsFile } = bus;
  const ca = caFile === undefined ? {} : { caFile };
  return {
    url,
    advertisedUrl: url,
    ...ca,
    signingKeyFile,
    controlCredentials: credentialsFile,
    open: async () => ({}),
  };
}

async function writeUsers(folder: DataFolder, signer: Signer, { instances, fleet }: AgentCredentials): Promise<void> {
  const { agent, reader } = credentials(folder);
  const [only] = instances;
  await writeCredentials(agent, () => (fleet || only === undefined ? signer.fleet() : signer.agent(only)));
  await writeCredentials(reader, () => signer.reader());
}

/** Anew at each start: the keys behind them may be new, and a running client reads the file again when it connects. */
async function writeCredentials(file: string, make: () => Promise<string>): Promise<void> {
  const { writeSecret } = await import("../../bus/credentials.js");
  writeSecret(file, await make());
}

function read(file: string, option: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Failure(`${option} ${file} can't be read: ${messageOf(error)}.`);
  }
}
