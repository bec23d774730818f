// Who may join and who may stay, case by case; no I/O.
import assert from "node:assert/strict";
import { hashOfSecret } from "../../api/access-token.js";
import type { AccessToken, AccessTokenSpec, ContainerInstance } from "../../api/types.gen.js";
import { decideJoin, decideRenew, type JoinView } from "../../controllers/enrolment/decide.js";
import { instanceIdOf } from "../../controllers/enrolment/identity.js";
import type { RefusalReason } from "../../controllers/enrolment/refusal.js";
import { joinedSpec, joinedStatus } from "../../controllers/enrolment/status.js";
import { sweepTokens, tokensToDelete } from "../../controllers/enrolment/tokens.js";
import { startServer } from "../apiserver/support/server.js";
import { recordingLog } from "../bus/support.js";
import { eventually } from "../support/wait.js";

const NOW = Date.parse("2026-01-01T12:00:00Z");
const iso = (ms: number): string => new Date(ms).toISOString();
const MINUTE = 60_000;
const id = instanceIdOf("default", "machine-1");
const metadata = (name: string) => ({
  ...{ name, namespace: "default", uid: name, resourceVersion: "1", generation: 1 },
  creationTimestamp: iso(NOW),
});

function token(spec: Partial<AccessTokenSpec> = {}, status?: AccessToken["status"]): AccessToken {
  const full = { use: "Join" as const, hash: hashOfSecret("s"), expiresAt: iso(NOW + 60 * MINUTE), ...spec };
  return {
    apiVersion: "davit.dev/v1",
    kind: "AccessToken",
    metadata: metadata("t"),
    spec: full,
    ...(status && { status }),
  };
}
function instance(
  status: ContainerInstance["status"] = {},
  spec: Partial<ContainerInstance["spec"]> = {},
  name: string = id,
): ContainerInstance {
  const base = { cluster: "default", status: "ACTIVE" as const };
  return {
    ...{ apiVersion: "davit.dev/v1", kind: "ContainerInstance", metadata: metadata(name) },
    spec: { ...base, ...spec },
    status: { status: "ACTIVE", machineId: "machine-1", publicKey: "U-old", hostname: "one", ...status },
  };
}
const request = (more: Partial<JoinView["request"]> = {}): JoinView["request"] => ({
  ...{ machineId: "machine-1", bootId: "b", hostname: "one", agentVersion: "1.4.0", publicKey: "U-new" },
  ...more,
});
const view = (more: Partial<JoinView> = {}): JoinView => ({
  ...{ token: token(), request: request(), id, instance: undefined, keyHolder: undefined },
  ...{ clusterExists: true, serverVersion: "1.4.2", nowMs: NOW },
  ...more,
});
const used = { usedAt: iso(NOW - MINUTE), usedBy: id, publicKey: "U-new" };

/** One sentence, and what to do about it. */
const isSentence = (message: string): boolean => /^[A-Z].*: .*[a-z`].*\.$/.test(message) && !message.includes("\n");

describe("whether a machine may join", () => {
  for (const [what, more, wanted] of [
    ["with a fresh token", {}, { cluster: "default", createCluster: false, again: false }],
    [
      "with a token for a cluster that is there",
      { token: token({ cluster: "Blue" }) },
      { cluster: "Blue", createCluster: false, again: false },
    ],
    [
      "to cluster default, which it may always make",
      { clusterExists: false },
      { cluster: "default", createCluster: true, again: false },
    ],
    [
      "to a missing cluster that the token may make",
      { clusterExists: false, token: token({ cluster: "x", createCluster: true }) },
      { cluster: "x", createCluster: true, again: false },
    ],
    [
      "where it names the token's cluster itself",
      { token: token({ cluster: "x" }), request: request({ cluster: "x" }) },
      { cluster: "x", createCluster: false, again: false },
    ],
    [
      "once more with the same key, as its answer was lost",
      { token: token({}, used), instance: instance({ publicKey: "U-new" }) },
      { cluster: "default", createCluster: false, again: true },
    ],
    [
      "with another key after it has lost its data folder",
      { instance: instance({ agentConnected: false }) },
      { cluster: "default", createCluster: false, again: false },
    ],
    [
      "again with its own key, connected or not",
      { instance: instance({ agentConnected: true, publicKey: "U-new" }) },
      { cluster: "default", createCluster: false, again: false },
    ],
    [
      "with a new key though it was revoked, silent or not yet",
      { instance: instance({ agentConnected: true }, { revoked: true }) },
      { cluster: "default", createCluster: false, again: false },
    ],
    [
      "another cluster once it is deregistered",
      { token: token({ cluster: "x" }), instance: instance({ status: "INACTIVE" }, { deregister: "Force" }) },
      { cluster: "x", createCluster: false, again: false },
    ],
    [
      "one minor version behind",
      { request: request({ agentVersion: "1.3.9" }) },
      { cluster: "default", createCluster: false, again: false },
    ],
  ] as const satisfies readonly (readonly [string, Partial<JoinView>, object])[])
    it(`yes: ${what}`, () => assert.deepEqual(decideJoin(view(more)), { admitted: wanted }));

  for (const [reason, what, more] of [
    ["TokenForUsers", "a person's token", { token: token({ use: "User", role: "admin" }) }],
    ["TokenExpired", "an expired token", { token: token({ expiresAt: iso(NOW) }) }],
    ["TokenUsed", "a token that another machine has used", { token: token({}, { ...used, usedBy: "other" }) }],
    ["TokenUsed", "its own token with another key", { token: token({}, { ...used, publicKey: "U-x" }) }],
    ["TokenUsed", "its own token after ten minutes", { token: token({}, { ...used, usedAt: iso(NOW - 10 * MINUTE) }) }],
    [
      "TokenUsed",
      "its own token after it was revoked",
      { token: token({}, used), instance: instance({ publicKey: "U-new" }, { revoked: true }) },
    ],
    [
      "TokenUsed",
      "its own token after it was deregistered",
      { token: token({}, used), instance: instance({ publicKey: "U-new", status: "INACTIVE" }) },
    ],
    ["VersionSkew", "an agent that is ahead", { request: request({ agentVersion: "1.5.0" }) }],
    ["VersionSkew", "an agent two minor versions behind", { request: request({ agentVersion: "1.2.0" }) }],
    [
      "WrongCluster",
      "[01-11] a machine that asks for another cluster than the token's",
      { token: token({ cluster: "a" }), request: request({ cluster: "b" }) },
    ],
    [
      "ClusterNotFound",
      "a missing cluster that the token may not make",
      { clusterExists: false, token: token({ cluster: "x" }) },
    ],
    ["Cloned", "a machine id that is at work with another key", { instance: instance({ agentConnected: true }) }],
    ["Cloned", "the key of another machine", { keyHolder: instance({}, {}, "other") }],
    ["Leaving", "a machine that is leaving", { instance: instance({ status: "DEREGISTERING" }) }],
    [
      "Leaving",
      "a machine whose object is being deleted",
      { instance: { ...instance(), metadata: { ...metadata(id), deletionTimestamp: iso(NOW) } } },
    ],
    ["Leaving", "a machine that has just been asked to leave", { instance: instance({}, { deregister: "Force" }) }],
    ["OtherCluster", "a machine of another cluster", { token: token({ cluster: "x" }), instance: instance() }],
    [
      "Revoked",
      "the very key that was revoked",
      { request: request({ publicKey: "U-old" }), instance: instance({}, { revoked: true }) },
    ],
  ] as const satisfies readonly (readonly [RefusalReason, string, Partial<JoinView>])[])
    it(`no: ${what}`, () => {
      const decision = decideJoin(view(more));
      assert.ok("refused" in decision);
      assert.equal(decision.refused.reason, reason);
      assert.ok(isSentence(decision.refused.message), decision.refused.message);
    });
});

describe("whether a credential is renewed", () => {
  const renewal = (publicKey = "U-old") => ({ instance: id, publicKey, agentVersion: "1", atMs: 0, signature: "" });
  it("yes, for the key that the machine joined with, also while it leaves", () => {
    for (const status of ["ACTIVE", "REGISTERING", "DRAINING", "DEREGISTERING"] as const) {
      const there = instance({ status });
      assert.deepEqual(decideRenew(renewal(), there), { admitted: there });
    }
  });
  it("yes, for one that was deregistered by force while it was away: it has to clear what still runs there", () => {
    const there = instance({ status: "INACTIVE" }, { deregister: "Force" });
    assert.deepEqual(decideRenew(renewal(), there), { admitted: there });
  });
  for (const [reason, what, there, key] of [
    [
      "Deregistered",
      "a machine whose containers were orphaned",
      instance({ status: "INACTIVE" }, { deregister: "Orphan" }),
      "U-old",
    ],
    ["Unknown", "a machine that never joined", undefined, "U-old"],
    ["Unknown", "a machine that has no key", instance({ publicKey: undefined }), "U-old"],
    ["Revoked", "a revoked machine", instance({}, { revoked: true }), "U-old"],
    ["Revoked", "a key that was replaced", instance(), "U-older"],
    ["Deregistered", "a machine that has left", instance({ status: "INACTIVE" }), "U-old"],
  ] as const)
    it(`no: ${what}`, () => {
      const decision = decideRenew(renewal(key), there);
      assert.ok("refused" in decision);
      assert.equal(decision.refused.reason, reason);
      assert.ok(isSentence(decision.refused.message), decision.refused.message);
    });
});

describe("a machine's object when it joins", () => {
  const until = NOW + 60 * MINUTE;
  it("begins at REGISTERING, with who it is and until when its credential is good", () => {
    const status = joinedStatus({ metadata: {} }, request(), until, NOW);
    assert.equal(status.status, "REGISTERING");
    assert.deepEqual(
      [status.machineId, status.publicKey, status.credentialExpiresAt, status.agentConnected],
      ["machine-1", "U-new", iso(until), false],
    );
    assert.deepEqual(
      status.conditions?.map(({ type, reason }) => [type, reason]),
      [["Ready", "Registering"]],
    );
  });
  it("keeps what an active machine is, but for its key", () => {
    const there = instance({ status: "DRAINING", epoch: 7, version: 3, registeredAt: iso(1) });
    const status = joinedStatus(there, request(), until, NOW);
    assert.deepEqual(
      [status.status, status.epoch, status.version, status.registeredAt, status.publicKey],
      ["DRAINING", 7, 4, iso(1), "U-new"],
    );
    assert.equal(joinedSpec(there, "default"), undefined);
  });
  it("begins anew where the machine had left, in the same object and with a higher epoch to come", () => {
    const left = instance(
      { status: "INACTIVE", epoch: 7, deregisteredAt: iso(1), statusReason: "gone", disconnectedAt: iso(1) },
      { deregister: "Orphan", drainAt: iso(1), status: "DRAINING", revoked: true, attributes: [{ name: "a" }] },
    );
    assert.deepEqual(joinedSpec(left, "blue"), { cluster: "blue", status: "ACTIVE", attributes: [{ name: "a" }] });
    const { status, epoch, deregisteredAt, statusReason, disconnectedAt } = joinedStatus(left, request(), until, NOW);
    assert.deepEqual(
      [status, epoch, deregisteredAt, statusReason, disconnectedAt],
      ["REGISTERING", 7, undefined, undefined, undefined],
    );
  });
  it("is no longer revoked: a fresh token is the administrator's word", () => {
    assert.deepEqual(joinedSpec(instance({}, { revoked: true }), "default"), { cluster: "default", status: "ACTIVE" });
  });
});

describe("an instance's id", () => {
  it("is the same for ever, and another one in another namespace", () => {
    assert.equal(id, instanceIdOf("default", "machine-1"));
    assert.match(id, /^[0-9a-f]{32}$/);
    assert.notEqual(id, instanceIdOf("other", "machine-1"));
    assert.notEqual(id, instanceIdOf("default", "machine-2"));
  });
});

describe("tokens that are over", () => {
  const DAY = 24 * 60 * MINUTE;
  const over = (name: string, overMs: number): AccessToken => ({
    ...token({ expiresAt: iso(overMs) }),
    metadata: metadata(name),
  });
  it("go after a day, whether expired or used; those that are good stay", () => {
    const usedLongAgo = {
      ...token({ expiresAt: iso(NOW + DAY) }, { usedAt: iso(NOW - DAY) }),
      metadata: metadata("used"),
    };
    const tokens = [over("good", NOW + 1), over("fresh", NOW - DAY + 1), over("old", NOW - DAY), usedLongAgo];
    assert.deepEqual(
      tokensToDelete(tokens, NOW)
        .map(({ metadata: { name } }) => name)
        .sort(),
      ["old", "used"],
    );
  });
  it("never more than a thousand, the oldest go first", () => {
    const tokens = Array.from({ length: 1_002 }, (_, i) => over(`t${i}`, NOW - 1 - i));
    assert.deepEqual(
      tokensToDelete(tokens, NOW)
        .map(({ metadata: { name } }) => name)
        .sort(),
      ["t1000", "t1001"],
    );
  });

  it("are deleted by the control plane", async () => {
    const server = await startServer("token-sweep");
    const client = server.api.trustedClient;
    for (const [name, overMs] of [
      ["old", NOW - DAY],
      ["good", NOW + 1],
    ] as const)
      await client.create("AccessToken", {
        ...token({ expiresAt: iso(overMs) }),
        metadata: { name, namespace: "default" },
      });
    const end = sweepTokens({ client, now: () => NOW, log: recordingLog(), everyMs: 10 });
    const names = async () => (await client.list("AccessToken", {})).items.map(({ metadata: { name } }) => name);
    await eventually("the old one is gone", async () => (await names()).join() === "good");
    end();
    await server.close();
  });
});
