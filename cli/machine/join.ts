// `davit join`: from the command line to an agent that runs in this process until it is told to end.
import { X509Certificate } from "node:crypto";
import { hostname } from "node:os";
import path from "node:path";
import type { Log } from "../../api/log.js";
import { acquireLock, LockHeld } from "../../store/lock.js";
import { EXIT, Failure } from "../failure.js";
import type { JoinOptions } from "../join.js";
import { createLog } from "../log.js";
import { checkDocker } from "../supervisor/checks.js";
import { boundLog } from "../supervisor/log-file.js";
import { enrol, joinToken } from "./enrol.js";
import {
  type Identity,
  type MachineFolder,
  machineFolder,
  openMachineFolder,
  readIdentity,
  writeIdentity,
} from "./folder.js";
import { fingerprintOf, serverUrl } from "./https.js";
import { machineId } from "./machine-id.js";
import { type MachineOptions, machineOptions } from "./options.js";
import { runAgent } from "./run.js";

/** `davit join [URL --token T]` in the foreground: resolves when the agent has ended in order. */
export async function join(url: string | undefined, options: JoinOptions): Promise<void> {
  const folder = machineFolder(options.dataDir);
  await locked(folder, async () => {
    const identity = await identityFor(folder, checkTyped(url, options), options);
    const onReady = () => tell(`${hostname()} is connected as instance ${identity.instance}.`);
    const end = await runAgent(folder, identity, { log: logFor(folder), onReady });
    tell(
      end === "left"
        ? "This machine has left; nothing of it is kept."
        : "The agent has ended; containers keep running.",
    );
  });
}

/** Joins, or goes on with what is there, and runs nothing. */
export async function joinOnly(url: string | undefined, options: JoinOptions): Promise<Identity> {
  const folder = machineFolder(options.dataDir);
  return locked(folder, () => identityFor(folder, checkTyped(url, options), options));
}

/** On standard output, for a service; where a person sits, in a file, and what is wrong also in words. */
function logFor({ logs }: MachineFolder): Log {
  if (process.stdout.isTTY !== true) return createLog("agent");
  const file = path.join(logs, "agent.log");
  boundLog(file);
  tell(`The log is in ${file}; Ctrl-C ends the agent, and containers run on.`);
  const log = createLog("agent", file);
  const aloud = (level: "warn" | "error") => (fields: object, message: string) => {
    const { error, reason } = fields as { error?: unknown; reason?: unknown };
    const why = error ?? reason;
    tell(why === undefined ? message : `${message}: ${String(why)}`);
    log[level](fields, message);
  };
  return { info: (fields, message) => log.info(fields, message), warn: aloud("warn"), error: aloud("error") };
}

/** Standard output is for the log. */
const tell = (line: string): void => void process.stderr.write(`${line}\n`);

interface Wanted {
  join?: { server: string; token: ReturnType<typeof joinToken>; machineId: string };
  machine: MachineOptions;
}

/** Everything that can be wrong about the line itself, before anything is touched. */
export function checkTyped(url: string | undefined, options: JoinOptions): Wanted {
  const machine = machineOptions(options);
  if (url === undefined && options.token === undefined) return { machine };
  if (url === undefined || options.token === undefined)
    throw new Failure(
      `${url === undefined ? "--token needs the address too" : "joining needs a token too"}: ` +
        "`davit join https://HOST:PORT --token T`, as `davit token create` prints it.",
      EXIT.usage,
    );
  const join = { server: serverUrl(url), token: joinToken(options.token), machineId: machineId(options.machineId) };
  return { join, machine };
}

/** Who this machine is: as it joined before, or joins now. */
async function identityFor(folder: MachineFolder, { join, machine }: Wanted, options: JoinOptions): Promise<Identity> {
  const known = readIdentity(folder);
  if (!join) {
    if (!known)
      throw new Failure(
        `this machine has not joined yet (nothing in ${folder.root}): ` +
          "run `davit join https://HOST:PORT --token T`, as `davit token create` prints it.",
        EXIT.fatal,
      );
    return updated(folder, known, machine);
  }
  if (known && known.token === join.token.name) return updated(folder, known, machine);
  if (known) checkSameDavit(folder, known, join);
  if ((machine.runtime ?? "docker") === "docker") await checkDocker();
  const cluster = options.cluster ?? (process.env.ECS_CLUSTER || undefined);
  const joining = { ...join, ...(cluster !== undefined && { cluster }), options: { ...known?.options, ...machine } };
  const identity = await enrol(folder, joining, Date.now);
  tell(`Joined ${identity.server}: this machine is instance ${identity.instance} of cluster ${identity.cluster}.`);
  return identity;
}

/** Joining anew at the same Davit is fine: the machine was deregistered, or its credential taken back. */
function checkSameDavit(folder: MachineFolder, known: Identity, { token }: NonNullable<Wanted["join"]>): void {
  if (fingerprintOf(new X509Certificate(known.ca).raw) === token.caFingerprint) return;
  throw new Failure(
    `this machine belongs to the Davit at ${known.server} (instance ${known.instance}, in ${folder.root}) and the token is another Davit's: ` +
      "leave that one first with `davit leave`, or run a second agent with a --data-dir and --machine-id of its own.",
  );
}

/** Options given later replace those of the same name. */
function updated(folder: MachineFolder, known: Identity, machine: MachineOptions): Identity {
  if (Object.keys(machine).length === 0) return known;
  const identity = { ...known, options: { ...known.options, ...machine } };
  writeIdentity(folder, identity);
  return identity;
}

/** Another process holds the machine's folder. */
export class AgentRuns extends Failure {
  override readonly name = "AgentRuns";
}

/** @throws AgentRuns if the agent of this folder runs */
export async function locked<T>(folder: MachineFolder, action: () => Promise<T>): Promise<T> {
  openMachineFolder(folder);
  const lock = await acquireLock(folder.root, "join").catch((error: unknown) => {
    if (!(error instanceof LockHeld)) throw error;
    throw new AgentRuns(
      `the agent of ${folder.root} runs already${error.pid === undefined ? "" : ` (process ${error.pid})`}: ` +
        "end it first, or run a second one with a --data-dir and --machine-id of its own.",
    );
  });
  try {
    return await action();
  } finally {
    await lock.release();
  }
}
