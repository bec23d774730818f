// Who may use the bus: a nats-server of our own, or somebody else's with a signing key.
import { readFileSync } from "node:fs";
import type { Signer } from "../../bus/credentials.js";
import { Failure, messageOf, UsageError } from "../failure.js";
import { checkNats } from "./checks.js";
import { credentials } from "./children.js";
import type { DataFolder } from "./data-folder.js";

export interface Nats {
  command: string;
  args: readonly string[];
}

export interface Bus {
  url: string;
  controlCredentials: string;
  /** Writes keys, configuration and credentials; says what to start, if it is ours to start. */
  open(): Promise<{ nats?: Nats }>;
}

interface AgentCredentials {
  instances: readonly string[];
  fleet: boolean;
}

/** A nats-server that `davit up` starts itself, with keys of its own. @throws Failure if there is none to start */
export async function ownBus(folder: DataFolder, port: number, agents: AgentCredentials): Promise<Bus> {
  const { findNatsServer, natsCommand } = await import("../../bus/server.js");
  await findNatsServer().catch((error: unknown) => {
    throw new Failure(`${messageOf(error)}.`);
  });
  const { control } = credentials(folder);
  return {
    url: `nats://127.0.0.1:${port}`,
    controlCredentials: control,
    async open() {
      const { command, args, authority } = await natsCommand({ folder: folder.nats, port });
      await writeCredentials(control, () => authority.control());
      await writeUsers(folder, authority, agents);
      return { nats: { command, args } };
    },
  };
}

export interface ExternalBus {
  url: string;
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
  return { url: bus.url, controlCredentials: bus.credentialsFile, open: async () => ({}) };
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
