// nkeys in native code. Those of @nats-io/nkeys are JavaScript, in which a signature takes some 12 ms and a key's public
// half 4 ms: too long for a control plane that makes a thousand agents' credentials.
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import type { KeyPair } from "@nats-io/nkeys";
import * as nkeys from "@nats-io/nkeys";

export type { KeyPair };

export const createAccount = (): KeyPair => fromSeed(nkeys.createAccount().getSeed());
export const createOperator = (): KeyPair => fromSeed(nkeys.createOperator().getSeed());
export const createUser = (): KeyPair => fromSeed(nkeys.createUser().getSeed());

/** @throws Error if it is no seed */
export function fromSeed(seed: Uint8Array): KeyPair {
  const checked = nkeys.fromSeed(seed);
  // Two bytes that say what it is for, 32 of key, two of check sum.
  const raw = fromBase32(Buffer.from(seed).toString("ascii"));
  const kind = ((raw.readUInt8(0) & 7) << 5) | (raw.readUInt8(1) >> 3);
  const privateKey = createPrivateKey({
    key: Buffer.concat([PRIVATE_HEADER, raw.subarray(2, 34)]),
    format: "der",
    type: "pkcs8",
  });
  const publicKey = createPublicKey(privateKey);
  const publicBytes = publicKey.export({ format: "der", type: "spki" }).subarray(PUBLIC_HEADER.length);
  const name = nameOf(kind, publicBytes);
  const privateName = Buffer.from(nameOf(nkeys.Prefix.Private, Buffer.concat([raw.subarray(2, 34), publicBytes])));
  const unless = <T>(value: T): T => {
    checked.getSeed(); // throws once it is cleared
    return value;
  };
  return {
    getPublicKey: () => unless(name),
    getPrivateKey: () => unless(privateName),
    getSeed: () => checked.getSeed(),
    sign: (input) => sign(null, input, unless(privateKey)),
    verify: (input, signature) => verify(null, input, unless(publicKey), signature),
    seal: (input, recipient, nonce) => checked.seal(input, recipient, nonce),
    open: (input, sender) => checked.open(input, sender),
    clear: () => checked.clear(),
  };
}

/** It can verify, and nothing else. @throws Error if it is no public key */
export function fromPublic(publicKey: string): KeyPair {
  const checked = nkeys.fromPublic(publicKey);
  // One byte that says what it is for, 32 of key, two of check sum.
  const key: KeyObject = createPublicKey({
    key: Buffer.concat([PUBLIC_HEADER, fromBase32(publicKey).subarray(1, 33)]),
    format: "der",
    type: "spki",
  });
  return {
    getPublicKey: () => checked.getPublicKey(),
    getPrivateKey: () => checked.getPrivateKey(),
    getSeed: () => checked.getSeed(),
    sign: (input) => checked.sign(input),
    verify: (input, signature) => verify(null, input, key, signature),
    seal: (input, recipient, nonce) => checked.seal(input, recipient, nonce),
    open: (input, sender) => checked.open(input, sender),
    clear: () => checked.clear(),
  };
}

/** What stands before the 32 bytes of an Ed25519 key in DER: RFC 8410. */
const PRIVATE_HEADER = Buffer.from("302e020100300506032b657004220420", "hex");
const PUBLIC_HEADER = Buffer.from("302a300506032b6570032100", "hex");
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

function nameOf(kind: number, payload: Uint8Array): string {
  const content = Buffer.concat([Buffer.from([kind]), payload]);
  const sum = Buffer.alloc(2);
  sum.writeUInt16LE(crc16(content));
  return toBase32(Buffer.concat([content, sum]));
}

/** CRC-16/XMODEM. */
function crc16(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) {
    sum ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) sum = (sum & 0x8000 ? (sum << 1) ^ 0x1021 : sum << 1) & 0xffff;
  }
  return sum;
}

/** RFC 4648 without padding. */
function toBase32(bytes: Uint8Array): string {
  let text = "";
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += BASE32.charAt((held >> (bits - 5)) & 31);
  }
  return bits > 0 ? text + BASE32.charAt((held << (5 - bits)) & 31) : text;
}

/** The text was checked before. */
function fromBase32(text: string): Buffer {
  const bytes: number[] = [];
  let held = 0;
  let bits = 0;
  for (const character of text) {
    held = ((held << 5) | BASE32.indexOf(character)) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((held >> bits) & 0xff);
  }
  return Buffer.from(bytes);
}
