// HTTPS to a Davit of which so far only the CA's fingerprint is known. Nothing is sent before its certificate has been
// checked against that.
import { createHash, X509Certificate } from "node:crypto";
import { request } from "node:https";
import { isIP, type Socket } from "node:net";
import { connect, type DetailedPeerCertificate } from "node:tls";
import { codeOf, Failure, messageOf, UsageError } from "../failure.js";

const TIMEOUT_MS = 15_000;

/** `https://host:port`, and nothing behind it. @throws UsageError */
export function serverUrl(typed: string): string {
  const url = URL.canParse(typed) ? new URL(typed) : undefined;
  const plain = url && url.pathname === "/" && url.search === "" && url.hash === "" && url.username === "";
  if (url?.protocol === "https:" && plain) return url.origin;
  throw new UsageError(`"${typed}" is not where a Davit can be joined: write https://HOST:PORT.`);
}

/** The CA that a server shows, as PEM, if it has this fingerprint: SHA-256 of its DER, base64url. Sends nothing.
 *  @throws Failure if it is another one, shows none, or nobody answers */
export async function fetchCa(server: string, fingerprint: string): Promise<string> {
  const chain = await shownCertificates(server);
  const found = chain.find((der) => fingerprintOf(der) === fingerprint);
  if (found) return new X509Certificate(found).toString();
  const last = chain.at(-1);
  throw new Failure(
    `${server} is not the Davit that made this token: the CA behind its certificate has the fingerprint ` +
      `${last ? fingerprintOf(last) : "(none)"}, the token's is ${fingerprint}. ` +
      "Either the address is another Davit's, or somebody stands in between. The token was not sent.",
  );
}

/** As it stands in a token. */
export const fingerprintOf = (der: Uint8Array): string => createHash("sha256").update(der).digest("base64url");

/** DER, the server's own first. The names on them are not looked at. */
function shownCertificates(server: string): Promise<Buffer[]> {
  const { hostname, port } = addressOf(server);
  return new Promise((resolve, reject) => {
    const options = {
      host: hostname,
      port,
      rejectUnauthorized: false,
      ...(isIP(hostname) ? {} : { servername: hostname }),
    };
    const socket = connect(options, () => {
      const chain: Buffer[] = [];
      let next: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
      while (next?.raw && !chain.some((der) => der.equals(next?.raw ?? der))) {
        chain.push(next.raw);
        next = next.issuerCertificate;
      }
      socket.destroy();
      resolve(chain);
    });
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
    socket.once("error", (error) => reject(unreachable(server, error)));
  });
}

export interface Answer {
  status: number;
  body: unknown;
  /** The address that this machine has towards the server. */
  localAddress: string | undefined;
}

/** @throws Failure if the server's certificate is not from this CA or for another name, or nobody answers */
export function post(
  { server, ca }: { server: string; ca: string },
  path: string,
  body: object,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const { hostname, port } = addressOf(server);
  const text = JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const options = {
      ...{ method: "POST", hostname, port, path, ca, agent: false, timeout: TIMEOUT_MS },
      headers: { "content-type": "application/json", "content-length": Buffer.byteLength(text), ...headers },
    };
    const call = request(options, (response) => {
      let said = "";
      const localAddress = (response.socket as Socket).localAddress;
      response.setEncoding("utf8").on("data", (chunk: string) => {
        said += chunk;
      });
      response.once("error", (error) => reject(unreachable(server, error)));
      response.once("end", () => resolve({ status: response.statusCode ?? 0, body: parse(said), localAddress }));
    });
    call.once("timeout", () => call.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
    call.once("error", (error) => reject(unreachable(server, error)));
    call.end(text);
  });
}

function addressOf(server: string): { hostname: string; port: number } {
  const { hostname, port } = new URL(server);
  return { hostname: hostname.replace(/^\[|\]$/g, ""), port: Number(port || 443) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Nobody is there, or not the one who should be. A renewal tries again later. */
export class Unreachable extends Failure {
  override readonly name = "Unreachable";
}

function unreachable(server: string, error: unknown): Unreachable {
  const code = codeOf(error) ?? "";
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID")
    return new Unreachable(
      `the certificate of ${server} is not for that name (${messageOf(error)}): use a name or address that is, ` +
        "or start Davit there with --advertise or --tls-san for this one.",
    );
  if (code === "CERT_NOT_YET_VALID" || code === "CERT_HAS_EXPIRED")
    return new Unreachable(
      `by this machine's clock (${new Date().toISOString()}) the certificate of ${server} ` +
        `${code === "CERT_HAS_EXPIRED" ? "has expired" : "is not good yet"}: set the clock (\`timedatectl set-ntp true\`); ` +
        "if it is right, restart Davit there, which makes another. Nothing was sent.",
    );
  if (/CERT|SELF_SIGNED|VERIFY|UNABLE_TO/.test(code))
    return new Unreachable(
      `the certificate of ${server} was not made by the CA that this machine trusts (${messageOf(error)}): ` +
        "either the address is another Davit's, or somebody stands in between. Nothing was sent.",
    );
  return new Unreachable(
    `no Davit answers at ${server} (${code || messageOf(error)}): check the address and the way there, ` +
      "and that Davit was started with --bind for others to reach it.",
  );
}
