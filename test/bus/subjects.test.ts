import assert from "node:assert/strict";
import fc from "fast-check";
import {
  decodeToken,
  encodeToken,
  eventAddress,
  eventSubject,
  isAnswerSubject,
  isInboxOf,
  permissions,
  senderOf,
} from "../../bus/subjects.js";
import { id } from "./support.js";

describe("subjects", () => {
  for (const [text, token] of [
    ["web", "web"],
    ["", "%"],
    ["service:web", "service%3Aweb"],
    ["a.b", "a%2Eb"],
    ["a b", "a%20b"],
    ["*", "%2A"],
    [">", "%3E"],
    ["%", "%25"],
    ["é", "%C3%A9"],
    ["$JS", "%24JS"],
    ["a\r\nPUB x 0\r\n", "a%0D%0APUB%20x%200%0D%0A"],
  ] as const)
    it(`encodes ${JSON.stringify(text)} as ${token}`, () => {
      assert.equal(encodeToken(text), token);
      assert.equal(decodeToken(token), text);
    });

  it("round-trips any text in one clean token", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 50 }), (text) => {
        const token = encodeToken(text);
        assert.match(token, /^[0-9A-Za-z_%-]+$/);
        assert.equal(decodeToken(token), text);
      }),
    );
  });

  it("keeps two texts apart and any subject short, however long they are", () => {
    const long = "é".repeat(2000);
    assert.notEqual(encodeToken(long), encodeToken(`${long}x`));
    assert.equal(decodeToken(encodeToken(long)), undefined);
    assert.ok(
      eventSubject({ namespace: long, cluster: long, kind: "Task", group: long, id: long }).length < 4096 - 1000,
    );
  });

  it("decodes only what it encodes: no two tokens mean the same", () => {
    for (const token of ["%2a", "%41", "a.b", "%", "%zz", "", "é"]) {
      if (token !== "%") assert.equal(decodeToken(token), undefined, token);
    }
  });

  it("reads an event's address back from its subject", () => {
    const address = { namespace: "default", cluster: "prod.eu", kind: "Task", group: "service:web", id: id(1) };
    assert.equal(eventSubject(address), `davit.v1.event.default.prod%2Eeu.Task.service%3Aweb.${id(1)}`);
    assert.deepEqual(eventAddress(eventSubject(address)), address);
    assert.equal(eventAddress("davit.v1.event._epoch"), undefined);
  });

  it("takes only a subject below the owner's inbox for its inbox", () => {
    assert.ok(isInboxOf(id(1), `_INBOX_${id(1)}.x.1`));
    for (const reply of [
      "",
      "$JS.API.STREAM.PURGE.EVENTS",
      `_INBOX_${id(1)}`,
      `_INBOX_${id(1)}.`,
      `_INBOX_${id(1)}.>`,
      `_INBOX_${id(1)}.a.*`,
      `_INBOX_${id(1)}x.1`,
      `_INBOX_${id(2)}.1`,
      `davit.v1.event.default.default.Task.g.${id(1)}`,
      `_INBOX_${id(1)}.${"x".repeat(300)}`,
    ])
      assert.equal(isInboxOf(id(1), reply), false, reply);
    assert.ok(isAnswerSubject(id(1), `davit.v1.up.${id(1)}.r.n`));
    assert.equal(isAnswerSubject(id(1), `davit.v1.up.${id(2)}.r.n`), false);
    assert.equal(isAnswerSubject(id(1), `davit.v1.up.${id(1)}.report`), false);
  });

  it("knows the sender by the subject alone", () => {
    assert.equal(senderOf(`davit.v1.up.${id(3)}.sync`), id(3));
    assert.equal(senderOf("davit.v1.up.web.sync"), undefined);
    assert.equal(senderOf(`davit.v1.down.${id(3)}.sync`), undefined);
  });

  it("gives an agent its three subjects and nothing else", () => {
    assert.deepEqual(permissions.agent(id(1)), {
      pub: { allow: [`davit.v1.up.${id(1)}.>`] },
      sub: { allow: [`davit.v1.down.${id(1)}.>`, `_INBOX_${id(1)}.>`] },
    });
  });
});
