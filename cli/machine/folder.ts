// What a joined machine keeps on its disk: who it is, and where its Davit is.
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { EXIT, Failure, messageOf } from "../failure.js";
import type { MachineOptions } from "./options.js";

/** All of it for its owner only. */
export interface MachineFolder {
  root: string;
  /** Identity, as JSON: there whole, or the machine has not joined. */
  identity: string;
  /** Seed of the key that a join under way asks a credential for: tried again, it is the same machine that asks. */
  key: string;
  /** NATS credentials, written anew at each renewal. */
  credentials: string;
  /** What runs now: see running.ts. */
  state: string;
  control: string;
  /** There if the machine itself stops: by it an agent knows that can't ask systemd, being in a container. */
  stopping: string;
  /** When the control plane was last heard: see agent/contact.ts. */
  contact: string;
  logs: string;
}

export interface Identity {
  format: typeof FORMAT;
  /** `https://host:port` of the API. */
  server: string;
  /** PEM. */
  ca: string;
  /** metadata.name of the token that it joined with: the same line typed again changes nothing. */
  token: string;
  /** Of its nkey. */
  seed: string;
  instance: string;
  namespace: string;
  /** The ECS name. */
  cluster: string;
  machineId: string;
  busUrls: string[];
  /** PEM, where it is not the system's that vouch for the bus. */
  busCa?: string;
  /** Of the credential, Unix epoch, by this machine's clock. */
  expiresAtMs: number;
  issuedAtMs: number;
  /** As given when it joined, or later. */
  options: MachineOptions;
}

/** Rises when an older Davit could not read what a newer one wrote. */
const FORMAT = 1;

/** `--data-dir`, else $DAVIT_DATA_DIR, else /var/lib/davit-agent for root and ~/.davit-agent for everybody else. */
export function machineFolder(dataDir: string | undefined): MachineFolder {
  const usual = process.getuid?.() === 0 ? "/var/lib/davit-agent" : join(homedir(), ".davit-agent");
  const root = resolve(dataDir ?? (process.env.DAVIT_DATA_DIR || usual));
  const at = (name: string) => join(root, name);
  return {
    root,
    identity: at("identity.json"),
    key: at("joining.nk"),
    credentials: at("agent.creds"),
    state: at("state.json"),
    control: at("control.sock"),
    stopping: at("stopping"),
    contact: at("contact"),
    logs: at("logs"),
  };
}

const OURS =
  /^(identity\.json|joining\.nk|agent\.creds|state\.json|control\.sock|stopping|contact|logs|join\.lock\..*|.*\.tmp)$/;

/** Makes the folder. @throws Failure if somebody else's files are in it */
export function openMachineFolder({ root, logs }: MachineFolder): void {
  const other = existsSync(root) ? readdirSync(root).find((name) => !OURS.test(name)) : undefined;
  if (other !== undefined)
    throw new Failure(
      `${root} holds something else (${other}): name an empty or new folder for this machine's agent with --data-dir.`,
      EXIT.fatal,
    );
  for (const path of [root, logs]) mkdirSync(path, { recursive: true, mode: 0o700 });
  // Docker makes the folder of a volume for everybody.
  chmodSync(root, 0o700);
}

/** undefined if this machine has not joined. @throws Failure if what is there can't be read */
export function readIdentity({ identity }: MachineFolder): Identity | undefined {
  if (!existsSync(identity)) return undefined;
  try {
    const found: unknown = JSON.parse(readFileSync(identity, "utf8"));
    if (isIdentity(found)) return found;
    throw new Error(`it is of another format than this Davit's (${FORMAT})`);
  } catch (error) {
    throw new Failure(
      `${identity} can't be used: ${messageOf(error)}. Use the Davit that wrote it, or remove the folder and join anew.`,
      EXIT.fatal,
    );
  }
}

const TEXTS = ["server", "ca", "token", "seed", "instance", "namespace", "cluster", "machineId"] as const;
function isIdentity(value: unknown): value is Identity {
  const found = Object(value) as Partial<Record<keyof Identity, unknown>>;
  return (
    found.format === FORMAT &&
    TEXTS.every((name) => typeof found[name] === "string") &&
    Array.isArray(found.busUrls) &&
    typeof found.expiresAtMs === "number" &&
    typeof found.options === "object"
  );
}

/** Credentials first: whoever finds an identity finds them too. */
export function writeIdentity(folder: MachineFolder, identity: Omit<Identity, "format">, jwt?: string): void {
  if (jwt !== undefined) writeDurably(folder.credentials, credentialsText(jwt, identity.seed));
  writeDurably(folder.identity, `${JSON.stringify({ format: FORMAT, ...identity }, null, 2)}\n`);
}

/** Whole or not at all, also when the power fails: a machine that lost its key has to join anew. */
export function writeDurably(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, text, { mode: 0o600, flush: true });
  renameSync(temporary, path);
  const folder = openSync(dirname(path), "r");
  fsyncSync(folder);
  closeSync(folder);
}

/** The machine has left: nothing here can speak for it any more. */
export function removeIdentity(folder: MachineFolder): void {
  for (const path of [folder.identity, folder.credentials, folder.key, folder.state]) rmSync(path, { force: true });
}

/** As NATS clients read it. */
const credentialsText = (jwt: string, seed: string): string => `-----BEGIN NATS USER JWT-----
${jwt}
------END NATS USER JWT------

-----BEGIN USER NKEY SEED-----
${seed}
------END USER NKEY SEED------
`;
