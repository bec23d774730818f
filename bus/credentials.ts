// Who may use the bus: nats-server in operator mode, where each user is a JWT signed by the account's key. nothing
// about single users is in the server's configuration, so an agent is let in by handing it a file.
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
// CommonJS without named exports that Node can see.
import jwtLibrary from "@nats-io/jwt";
import type { InstanceId } from "./messages.js";
import { createAccount, createOperator, createUser, fromPublic, fromSeed, type KeyPair } from "./nkeys.js";
import { isInstanceId, permissions } from "./subjects.js";

const { decode, encodeAccount, encodeOperator, encodeUser, fmtCreds } = jwtLibrary;

/** Makes users of one account. */
export interface Signer {
  /** Everything in the account: the control plane. */
  control(): Promise<string>;
  /** One agent. @param expiresAtMs after that the server cuts it off, until it shows a new one */
  agent(instance: InstanceId, expiresAtMs?: number): Promise<string>;
  /** The JWT alone, for the key that the machine itself has made. @param publicKey `U…`
   *  @throws Error if it is no user's public key */
  agentJwt(instance: InstanceId, publicKey: string, expiresAtMs: number): Promise<string>;
  /** Many simulated instances in one process. Its holder may speak as any agent: for tests and laptops. */
  fleet(): Promise<string>;
  /** Reads events and may ask for a replay. A bearer token: the JWT alone opens the door, no key is needed. */
  reader(): Promise<string>;
}

/** What nats-server's configuration needs, and what the keys behind it can do. */
export interface Authority extends Signer {
  operatorJwt: string;
  systemAccount: { publicKey: string; jwt: string };
  account: { publicKey: string; jwt: string };
  /** May hand the server another JWT of an account, and nothing else. */
  system(): Promise<string>;
  /** Davit's account, in which these users are no good: by public key, the second (Unix epoch) up to which what was
   *  signed for them is revoked. Kept, so that a server started later knows it too. */
  revoking(revocations: Readonly<Record<string, number>>): Promise<string>;
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
  const accountJwt = (revocations = {}): Promise<string> =>
    encodeAccount("DAVIT", account, { limits: { ...ACCOUNT, ...STORAGE }, revocations }, { signer: operator });
  const systemUser = signer(system, systemKey);
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
    account: { publicKey: account.getPublicKey(), jwt: await textIn(folder, "account.jwt", accountJwt) },
    system: () => systemUser.user("system", permissions.system()),
    async revoking(revocations) {
      const jwt = await accountJwt(revocations);
      writeSecret(join(folder, "account.jwt"), jwt);
      return jwt;
    },
  };
}

/** Whether `openAuthority` has finished in this folder before: who only uses the keys must not make others. */
export const hasAuthority = (folder: string): boolean => existsSync(join(folder, "account.jwt"));

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

function signer(key: KeyPair, account: string): Signer & { user: MakeUser } {
  const jwtFor = (pair: KeyPair | string, { name, rights, exp }: UserOptions): Promise<string> => {
    // A signing key, unlike the account's own, must say whose users it makes.
    const owner = key.getPublicKey() === account ? {} : { issuer_account: account };
    return encodeUser(name, pair, key, { ...UNLIMITED, ...rights, ...owner }, exp === undefined ? {} : { exp });
  };
  const user: MakeUser = async (name, rights, expiresAtMs) => {
    const pair = createUser();
    const jwt = await jwtFor(pair, { name, rights, ...expiry(expiresAtMs) });
    return Buffer.from(fmtCreds(jwt, pair)).toString("utf8");
  };
  return {
    user,
    control: () => user("control", {}),
    agent: (instance, expiresAtMs) => user(...agentUser(instance), expiresAtMs),
    async agentJwt(instance, publicKey, expiresAtMs) {
      if (!isUserKey(publicKey)) throw new Error(`"${publicKey}" is no user's public key`);
      const [name, rights] = agentUser(instance);
      return jwtFor(publicKey, { name, rights, ...expiry(expiresAtMs) });
    },
    fleet: () => user("fleet", permissions.fleet()),
    reader: () => user("reader", { ...permissions.reader(), bearer_token: true }),
  };
}

type MakeUser = (name: string, rights: object, expiresAtMs?: number) => Promise<string>;
interface UserOptions {
  name: string;
  rights: object;
  /** Unix epoch, seconds. */
  exp?: number;
}
const expiry = (expiresAtMs: number | undefined) =>
  expiresAtMs === undefined ? {} : { exp: Math.floor(expiresAtMs / 1000) };

function agentUser(instance: InstanceId): [name: string, rights: object] {
  if (!isInstanceId(instance)) throw new Error(`"${instance}" is no instance id: 32 hex digits are wanted`);
  return [`agent-${instance}`, permissions.agent(instance)];
}

/** Whether the text is an nkey of a user, `U…`, in the one way to write it: keys are compared as texts. */
export function isUserKey(publicKey: string): boolean {
  if (!/^U[A-Z2-7]{55}$/.test(publicKey)) return false;
  try {
    fromPublic(publicKey);
    return true;
  } catch {
    return false;
  }
}

/** @param signature base64 */
export function isSignedBy(publicKey: string, text: string, signature: string): boolean {
  try {
    return isUserKey(publicKey) && fromPublic(publicKey).verify(Buffer.from(text), Buffer.from(signature, "base64"));
  } catch {
    return false; // nkeys throws where there are too few bytes
  }
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
