// Where other machines find this Davit, as `davit token create` asks for it.
import { X509Certificate } from "node:crypto";

/** `GET`, for whoever has a token of a person: where machines join. */
export const ADDRESS_PATH = "/davit/v1/address";
export interface Address {
  /** `https://host:port` under which other machines reach the API. */
  api: string;
  /** Only this machine does. */
  loopback: boolean;
  /** SHA-256 of the CA certificate's DER, base64url. */
  caFingerprint: string;
}

export const fingerprintOf = (ca: string): string =>
  Buffer.from(new X509Certificate(ca).fingerprint256.replaceAll(":", ""), "hex").toString("base64url");
