// Who may use the bus: nats-server in operator mode, where each user is a JWT signed by the account's key. nothing
// about single users is in the server's configuration, so an agent is let in by handing it a file.
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
// CommonJS without named exports that Node can see.
import jwtLibrary from "@nats-io/jwt";
import type { InstanceId } from "./messages.js";
import { createAccount, createOperator, createUser, fromSeed, type KeyPair } from "./nkeys.js";
import { isInstanceId, permissions } from "./subjects.js";

const { decode, encodeAccount, encodeOperator, encodeUser, fmtCreds } = jwtLibrary;

/** Makes users of one account. */
export interface Signer {
  /** Everything in the account: the control plane. */
  control(): Promise<string>;
  /** One agent. @param expiresAtMs after that the server cuts it off, until it shows a new one */
  agent(instance: InstanceId, expiresAtMs?: number): Promise<string>;
  /** Many simulated instances in one process. Its holder may speak as any agent: for tests and laptops. */
  fleet(): Promise<string>;
  /** Reads events and may ask for a replay. A bearer token: the JWT alone opens the door, no key is needed. */
  reader(): Promise<string>;
}

/** What nats-server's configuration needs. */
export interface Authority extends Signer {
  operatorJwt: string;
  systemAccount: { publicKey: string; jwt: string };
  account: { publicKey: string; jwt: string };
}

const UNLIMITED = { subs: -1, data: -1, payload: -1 };
const ACCOUNT = { ...UNLIMITED, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
const STORAGE = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };

/** The operator, the system account and Davit's account kept in `folder`; made there at the first call. Their keys are
 *  the root of all trust on the bus: files are for their owner only. */
export async function openAuthority(folder: string): Promise<Authority> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const operator = keyIn(folder, "operator", createOperator);
  const system = keyIn(folder, "system", createAccount);
  const account = keyIn(folder, "account", createAccount);
  const systemKey = system.getPublicKey();
  return {
    ...signer(account, account.getPublicKey()),
    operatorJwt: await textIn(folder, "operator.jwt", () =>
      encodeOperator("davit", operator, { system_account: systemKey }),
    ),
    systemAccount: {
      publicKey: systemKey,
      jwt: await textIn(folder, "system.jwt", () =>
        encodeAccount("SYS", system, { limits: ACCOUNT }, { signer: operator }),
      ),
    },
    account: {
      publicKey: account.getPublicKey(),
      jwt: await textIn(folder, "account.jwt", () =>
        encodeAccount("DAVIT", account, { limits: { ...ACCOUNT, ...STORAGE } }, { signer: operator }),
      ),
    },
  };
}

/** For a nats-server that somebody else runs: users of the account that the control plane's credentials belong to.
 *  @param seed a signing key of that account (`SA…`), or the account's own
 *  @throws Error if the seed is no account's key */
export function externalSigner(seed: string, controlCredentials: string): Signer {
  const key = fromSeed(Buffer.from(seed.trim()));
  if (!key.getPublicKey().startsWith("A"))
    throw new Error("the NATS signing key is no account's key: its seed must begin with SA");
  const claims = decode<{ issuer_account: string }>(jwtOf(controlCredentials));
  return signer(key, claims.nats.issuer_account ?? claims.iss);
}

function signer(key: KeyPair, account: string): Signer {
  const user = async (name: string, rights: object, options: { exp?: number } = {}): Promise<string> => {
    const pair = createUser();
    // A signing key, unlike the account's own, must say whose users it makes.
    const owner = key.getPublicKey() === account ? {} : { issuer_account: account };
    const jwt = await encodeUser(name, pair, key, { ...UNLIMITED, ...rights, ...owner }, options);
    return Buffer.from(fmtCreds(jwt, pair)).toString("utf8");
  };
  return {
    control: () => user("control", {}),
    agent: (instance, expiresAtMs) => {
      if (!isInstanceId(instance)) throw new Error(`"${instance}" is no instance id: 32 hex digits are wanted`);
      const options = expiresAtMs === undefined ? {} : { exp: Math.floor(expiresAtMs / 1000) };
      return user(`agent-${instance}`, permissions.agent(instance), options);
    },
    fleet: () => user("fleet", permissions.fleet()),
    reader: () => user("reader", { ...permissions.reader(), bearer_token: true }),
  };
}

/** The JWT in a credentials file. @throws Error if there is none */
export function jwtOf(credentials: string): string {
  const jwt = /-----BEGIN NATS USER JWT-----\s*(\S+)\s*-+END NATS USER JWT-+/.exec(credentials)?.[1];
  if (jwt === undefined)
    throw new Error("no NATS user JWT in the credentials: a file made by `nsc` or Davit is wanted");
  return jwt;
}

/** Writes a secret so that it is there whole or not at all, for its owner only. */
export function writeSecret(file: string, content: string | Uint8Array): void {
  const beside = `${file}.${process.pid}.tmp`;
  writeFileSync(beside, content, { mode: 0o600 });
  chmodSync(beside, 0o600);
  renameSync(beside, file);
}

function keyIn(folder: string, name: string, create: () => KeyPair): KeyPair {
  const file = join(folder, `${name}.nk`);
  if (!existsSync(file)) writeSecret(file, create().getSeed());
  return fromSeed(readFileSync(file));
}

async function textIn(folder: string, name: string, make: () => Promise<string>): Promise<string> {
  const file = join(folder, name);
  if (!existsSync(file)) writeSecret(file, await make());
  return readFileSync(file, "utf8");
}
