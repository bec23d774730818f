import assert from "node:assert/strict";
import * as plain from "@nats-io/nkeys";
import { credsAuthenticator } from "nats";
import { createAuthenticator } from "../../bus/authenticator.js";
import { createUser, fromPublic, fromSeed } from "../../bus/nkeys.js";

const text = Buffer.from("what is signed");
const credentials = (seed: Uint8Array, jwt = "eyJ0.eyJq.c2ln") =>
  Buffer.from(
    `-----BEGIN NATS USER JWT-----\n${jwt}\n------END NATS USER JWT------\n\n` +
      `-----BEGIN USER NKEY SEED-----\n${Buffer.from(seed)}\n------END USER NKEY SEED------\n`,
  );

describe("nkeys in native code", () => {
  const pair = plain.createUser();

  for (const [what, each] of Object.entries({
    user: pair,
    account: plain.createAccount(),
    operator: plain.createOperator(),
    server: plain.createServer(),
  }))
    it(`have the names and signatures, to the last bit, of those in JavaScript: ${what}`, () => {
      const mine = fromSeed(each.getSeed());
      assert.equal(mine.getPublicKey(), each.getPublicKey());
      assert.deepEqual(Buffer.from(mine.getPrivateKey()), Buffer.from(each.getPrivateKey()));
      assert.deepEqual(Buffer.from(mine.sign(text)), Buffer.from(each.sign(text)));
      assert.ok(plain.fromPublic(mine.getPublicKey()).verify(text, mine.sign(text)));
    });

  it("verify what the key has signed, and nothing else", () => {
    const verifier = fromPublic(pair.getPublicKey());
    const signature = pair.sign(text);
    assert.equal(verifier.verify(text, signature), true);
    assert.equal(verifier.verify(Buffer.from("something else"), signature), false);
    assert.equal(fromPublic(createUser().getPublicKey()).verify(text, signature), false);
    assert.equal(verifier.verify(text, signature.subarray(1)), false, "a signature that is too short");
  });

  it("refuse what is no key, and sign nothing with a public key or after they were cleared", () => {
    assert.throws(() => fromPublic("UABC"));
    assert.throws(() => fromSeed(Buffer.from("SUABC")));
    assert.throws(() => fromPublic(pair.getPublicKey()).sign(text));
    const cleared = createUser();
    cleared.sign(text);
    cleared.clear();
    assert.throws(() => cleared.sign(text));
  });

  it("answer a server's nonce as nats.js does, with renewed credentials as soon as there are some", () => {
    const authenticate = createAuthenticator();
    const first = credentials(pair.getSeed());
    assert.deepEqual(authenticate(first, "nonce"), credsAuthenticator(first)("nonce"));
    const renewed = credentials(plain.createUser().getSeed(), "eyJ0.eyJx.c2ln");
    assert.deepEqual(authenticate(renewed, "nonce"), credsAuthenticator(renewed)("nonce"));
    assert.throws(() => authenticate(Buffer.from("nothing"), "nonce"), /no NATS user JWT/);
  });
});
