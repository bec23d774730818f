import { X509Certificate as Certificate, createPrivateKey, webcrypto } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import type { X509Certificate } from "@peculiar/x509";
import type { ServerTls } from "./http/server.js";

const DAY_MS = 24 * 60 * 60 * 1_000;
const CA_DAYS = 3_650;
const SERVER_DAYS = 365;
/** A server certificate with less left than this is made anew at start. */
const RENEW_DAYS = 30;
/** The clocks of machines that join may be wrong by hours, until they are set. */
const BACKDATE_MS = DAY_MS;
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

export interface PkiOptions {
  /** Made if missing; holds `ca.crt`, `ca.key`, `tls.crt`, `tls.key`, readable by their owner only. */
  folder: string;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Beside localhost, 127.0.0.1, ::1 and this machine's name; other ones make another server certificate. */
  extraNames?: readonly string[];
}

/** The server's TLS files, made at first start and renewed near their end. The CA stays, so kubeconfigs stay good. */
export async function ensurePki(options: PkiOptions): Promise<ServerTls> {
  const { folder } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const found = await readFiles(folder, ["ca.crt", "ca.key", "tls.crt", "tls.key"]);
  const names = new Set(["localhost", "127.0.0.1", "::1", hostname(), ...(options.extraNames ?? [])]);
  const [ca, caKey, cert, key] = found;
  if (ca && cert && key && isGood({ ca, cert, key }, names, options.now())) return { ca, cert, key };
  // Only a run that has to make certificates pays for the library.
  const x509 = await loadX509();
  x509.cryptoProvider.set(webcrypto);
  const authority = ca && caKey ? await readAuthority(ca, caKey) : await makeAuthority(options);
  const server = await makeServer(authority, [...names], options.now());
  await writeFiles(folder, { "tls.key": server.key, "tls.crt": server.cert });
  return { ca: authority.pem, ...server };
}

async function loadX509() {
  await import("reflect-metadata"); // its dependency injection does not load without
  // Its names as the library itself has them: those that Node finds by reading it were, once in many starts, missing.
  return (await import("@peculiar/x509")).default;
}

interface Authority {
  pem: string;
  certificate: X509Certificate;
  key: webcrypto.CryptoKey;
}

async function makeAuthority({ folder, now }: PkiOptions): Promise<Authority> {
  const x509 = await loadX509();
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: "CN=davit-ca",
    ...validity(now(), CA_DAYS),
    signingAlgorithm: ALGORITHM,
    keys: keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const pem = `${certificate.toString("pem")}\n`;
  await writeFiles(folder, { "ca.key": await keyPem(keys.privateKey), "ca.crt": pem });
  return { pem, certificate, key: keys.privateKey };
}

async function readAuthority(pem: string, keyText: string): Promise<Authority> {
  const x509 = await loadX509();
  const der = x509.PemConverter.decodeFirst(keyText);
  const key = await webcrypto.subtle.importKey("pkcs8", der, ALGORITHM, true, ["sign"]);
  return { pem, certificate: new x509.X509Certificate(pem), key };
}

async function makeServer(
  authority: Authority,
  names: readonly string[],
  nowMs: number,
): Promise<{ cert: string; key: string }> {
  const x509 = await loadX509();
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: "CN=davit-apiserver",
    issuer: authority.certificate.subject,
    ...validity(nowMs, SERVER_DAYS),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: authority.key,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isAddress(value) ? ("ip" as const) : ("dns" as const), value })),
      ),
      await x509.AuthorityKeyIdentifierExtension.create(authority.certificate),
    ],
  });
  return { cert: `${certificate.toString("pem")}\n`, key: await keyPem(keys.privateKey) };
}

/** Whether so little of a server certificate's time is left that `ensurePki` would make another. */
export const isNearEnd = (cert: string, nowMs: number): boolean =>
  Date.parse(new Certificate(cert).validTo) - nowMs <= RENEW_DAYS * DAY_MS;

/** Whether the server certificate has its key, comes from this CA, covers these names and no others, and has time left. */
function isGood({ ca, cert, key }: ServerTls, names: ReadonlySet<string>, nowMs: number): boolean {
  try {
    const server = new Certificate(cert);
    const authority = new Certificate(ca);
    const covers = (name: string) => (isAddress(name) ? server.checkIP(name) : server.checkHost(name)) !== undefined;
    const whole = server.verify(authority.publicKey) && server.checkPrivateKey(createPrivateKey(key));
    const exact = server.subjectAltName?.split(", ").length === names.size && [...names].every(covers);
    return whole && !isNearEnd(cert, nowMs) && exact;
  } catch {
    return false; // damaged: made anew
  }
}

const isAddress = (name: string) => name.includes(":") || /^\d+(\.\d+){3}$/.test(name);

const validity = (nowMs: number, days: number) => ({
  notBefore: new Date(nowMs - BACKDATE_MS),
  notAfter: new Date(nowMs + days * DAY_MS),
});

/** Positive, as X.509 asks. */
function serialNumber(): string {
  const bytes = Buffer.from(webcrypto.getRandomValues(new Uint8Array(16)));
  bytes[0] = (bytes[0] ?? 0) & 0x7f;
  return bytes.toString("hex");
}

async function keyPem(key: webcrypto.CryptoKey): Promise<string> {
  const base64 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key)).toString("base64");
  const lines = base64.match(/.{1,64}/g) ?? [];
  return `-----BEGIN PRIVATE KEY-----\n${lines.join("\n")}\n-----END PRIVATE KEY-----\n`;
}

async function readFiles(folder: string, names: readonly string[]): Promise<(string | undefined)[]> {
  return Promise.all(names.map((name) => readFile(join(folder, name), "utf8").catch(() => undefined)));
}

/** Each file appears whole or not at all, so a kill in the middle leaves nothing half-written. */
async function writeFiles(folder: string, files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, name);
    await writeFile(`${file}.new`, text, { mode: 0o600 });
    await rename(`${file}.new`, file);
  }
}
