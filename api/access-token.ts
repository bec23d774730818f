// The text of a token, and how its secret is checked. Only the hash of the secret is ever kept.
import { createHash, timingSafeEqual } from "node:crypto";

/** `davit.<name>.<secret>[.<SHA-256 of the CA certificate's DER, base64url>]`. The fingerprint is there for joining: a
 *  machine that knows nothing yet knows by it whom it speaks to. */
export interface TokenText {
  /** Of the AccessToken. */
  name: string;
  /** 32 random bytes, base64url. */
  secret: string;
  caFingerprint?: string;
}

export const formatToken = ({ name, secret, caFingerprint }: TokenText): string =>
  ["davit", name, secret, ...(caFingerprint === undefined ? [] : [caFingerprint])].join(".");

/** undefined if it is no token's text. */
export function parseToken(text: string): TokenText | undefined {
  const match = /^davit\.([a-z0-9-]{1,63})\.([A-Za-z0-9_-]{43})(?:\.([A-Za-z0-9_-]{43}))?$/.exec(text);
  const [, name, secret, caFingerprint] = match ?? [];
  if (name === undefined || secret === undefined) return undefined;
  return { name, secret, ...(caFingerprint !== undefined && { caFingerprint }) };
}

/** What an AccessToken keeps of its secret: SHA-256, 64 hex digits. */
export const hashOfSecret = (secret: string): string => createHash("sha256").update(secret).digest("hex");

/** In a time that does not depend on where they differ. */
export function isSecretOf(hash: string, secret: string): boolean {
  const known = Buffer.from(hash, "hex");
  const given = createHash("sha256").update(secret).digest();
  return known.length === given.length && timingSafeEqual(known, given);
}
