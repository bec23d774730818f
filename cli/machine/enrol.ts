// The machine's side of JOIN_PATH and RENEW_PATH: it makes its key itself and shows the public half.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import {
  type Credential,
  JOIN_PATH,
  type JoinRequest,
  parseToken,
  RENEW_PATH,
  type RenewRequest,
  renewalText,
  type TokenText,
} from "../../bus/enrolment.js";
import { createUser, fromSeed, type KeyPair } from "../../bus/nkeys.js";
import { Failure } from "../failure.js";
import { ownVersion } from "../own-version.js";
import { type Identity, type MachineFolder, writeDurably, writeIdentity } from "./folder.js";
import { fetchCa, post, Unreachable } from "./https.js";
import { bootId } from "./machine-id.js";
import type { MachineOptions } from "./options.js";

/** The control plane says no: trying again at once would change nothing. */
export class Refused extends Failure {
  override readonly name = "Refused";
}

export interface Joining {
  /** `https://host:port` */
  server: string;
  token: TokenText & { caFingerprint: string };
  machineId: string;
  cluster?: string;
  options: MachineOptions;
}

/** @throws Failure if it is no token's text, or one that can't be joined with safely */
export function joinToken(text: string): Joining["token"] {
  const token = parseToken(text.trim());
  if (!token) throw new Failure("that is no token: it begins with `davit.`; make one with `davit token create`.");
  const { caFingerprint } = token;
  if (caFingerprint === undefined)
    throw new Failure(
      "that token is not for joining: it does not say whose it is (no CA fingerprint). Make one with `davit token create`.",
    );
  return { ...token, caFingerprint };
}

/** Joins, and writes who this machine is now. Nothing is written if it is refused; cut off half way, it is simply
 *  tried again with the same token, as the key is kept. */
export async function enrol(folder: MachineFolder, joining: Joining, now: () => number): Promise<Identity> {
  const { server, token, machineId, cluster, options } = joining;
  const ca = await fetchCa(server, token.caFingerprint);
  const key = joiningKey(folder);
  const request: JoinRequest = {
    machineId,
    bootId: bootId(),
    hostname: options.hostname ?? hostname(),
    agentVersion: ownVersion(),
    ...(cluster !== undefined && { cluster }),
    publicKey: key.getPublicKey(),
  };
  const authorization = `Bearer ${token.name}.${token.secret}`;
  const credential = await credentialFrom({ server, ca }, JOIN_PATH, request, { authorization });
  const seed = Buffer.from(key.getSeed()).toString("utf8");
  const identity = { server, ca, token: token.name, seed, machineId, options, ...kept(credential, now) };
  writeIdentity(folder, identity, credential.jwt);
  rmSync(folder.key, { force: true });
  return { format: 1, ...identity };
}

/** Another credential for the same key. @throws Refused, or Unreachable */
export async function renew(folder: MachineFolder, identity: Identity, now: () => number): Promise<Identity> {
  const key = fromSeed(Buffer.from(identity.seed));
  const unsigned = {
    instance: identity.instance,
    publicKey: key.getPublicKey(),
    agentVersion: ownVersion(),
    atMs: now(),
  };
  const signature = Buffer.from(key.sign(Buffer.from(renewalText(unsigned)))).toString("base64");
  const request: RenewRequest = { ...unsigned, signature };
  const credential = await credentialFrom(identity, RENEW_PATH, request);
  const renewed = { ...identity, ...kept(credential, now) };
  writeIdentity(folder, renewed, credential.jwt);
  return renewed;
}

/** Times by this machine's clock, whatever the control plane's says. */
function kept({ instance, namespace, cluster, busUrls, busCa, expiresAtMs, jwt }: Credential, now: () => number) {
  const issuedAtMs = now();
  const lifeMs = lifeOf(jwt) ?? expiresAtMs - issuedAtMs;
  return {
    ...{ instance, namespace, cluster, busUrls, issuedAtMs },
    ...(busCa !== undefined && { busCa }),
    expiresAtMs: issuedAtMs + lifeMs,
  };
}

function lifeOf(jwt: string): number | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString("utf8"));
    const { iat, exp } = Object(claims) as { iat?: unknown; exp?: unknown };
    return typeof iat === "number" && typeof exp === "number" && exp > iat ? (exp - iat) * 1_000 : undefined;
  } catch {
    return undefined;
  }
}

function joiningKey({ key }: MachineFolder): KeyPair {
  if (existsSync(key)) return fromSeed(readFileSync(key));
  const made = createUser();
  writeDurably(key, Buffer.from(made.getSeed()).toString("utf8"));
  return made;
}

async function credentialFrom(
  at: { server: string; ca: string },
  path: string,
  request: object,
  headers: Record<string, string> = {},
): Promise<Credential> {
  const { status, body } = await post(at, path, request, headers);
  if (status < 300 && isCredential(body)) return body;
  const said = messageIn(body);
  if (status >= 400 && status < 500 && said !== undefined) throw new Refused(said);
  throw new Unreachable(`${at.server}${path} answers ${status}${said === undefined ? "" : `: ${said}`}.`);
}

const messageIn = (body: unknown): string | undefined => {
  const { message } = Object(body) as { message?: unknown };
  return typeof message === "string" && message !== "" ? message : undefined;
};

function isCredential(body: unknown): body is Credential {
  const found = Object(body) as Partial<Record<keyof Credential, unknown>>;
  const texts = ["instance", "namespace", "cluster", "jwt"] as const;
  return (
    texts.every((name) => typeof found[name] === "string") &&
    typeof found.expiresAtMs === "number" &&
    Array.isArray(found.busUrls) &&
    found.busUrls.length > 0 &&
    found.busUrls.every((url) => typeof url === "string")
  );
}
