import assert from "node:assert/strict";
import fc from "fast-check";
import {
  clusterNameOf,
  familyOf,
  isDnsLabel,
  objectName,
  parseRevisionReference,
  revisionObjectName,
  serviceNameOf,
  serviceObjectName,
} from "../../api/names.js";

const ecsName = fc.stringMatching(/^[a-zA-Z0-9_-]{1,255}$/);

describe("object names", () => {
  it("keeps a DNS label as it is", () => {
    assert.equal(objectName("web-1"), "web-1");
    assert.equal(objectName("a".repeat(63)), "a".repeat(63));
  });

  for (const [exact, stem] of [
    ["Web", "web"],
    ["my_service", "my-service"],
    ["-odd-", "odd"],
    ["___", "x"],
    ["A".repeat(255), "a".repeat(54)],
  ] as const)
    it(`derives from ${exact.slice(0, 12)} a label that begins with ${stem.slice(0, 12)}`, () =>
      assert.match(objectName(exact), new RegExp(`^${stem}-[0-9a-f]{8}$`)));

  it("always gives a DNS label, and never one name to two ECS names", () => {
    fc.assert(
      fc.property(ecsName, ecsName, (a, b) => {
        assert.ok(isDnsLabel(objectName(a)));
        if (a !== b) assert.notEqual(objectName(a), objectName(b));
        assert.equal(objectName(a), objectName(a));
      }),
    );
  });

  it("puts the cluster behind a service's name, except for the default one", () => {
    assert.equal(serviceObjectName("web"), "web");
    assert.equal(serviceObjectName("web", "default"), "web");
    assert.equal(serviceObjectName("web", "prod"), "web.prod");
    assert.match(serviceObjectName("web", "Prod"), /^web\.prod-[0-9a-f]{8}$/);
  });

  it("finds a service's ECS name again", () => {
    assert.equal(serviceNameOf({ metadata: { name: "web" }, spec: {} }), "web");
    assert.equal(serviceNameOf({ metadata: { name: "web.prod" }, spec: { cluster: "prod" } }), "web");
    assert.equal(
      serviceNameOf({
        metadata: { name: "web.prod" },
        spec: { cluster: "arn:aws:ecs:local:000000000000:cluster/prod" },
      }),
      "web",
    );
    assert.equal(serviceNameOf({ metadata: { name: "web-1234" }, spec: { serviceName: "Web" } }), "Web");
  });

  it("names a revision's object after family and number", () => {
    assert.equal(revisionObjectName("web", 3), "web.3");
    assert.equal(familyOf({ metadata: { name: "web" }, spec: {} }), "web");
    assert.equal(familyOf({ metadata: { name: "web-1234" }, spec: { family: "Web" } }), "Web");
  });
});

describe("references by name or ARN", () => {
  for (const [text, expected] of [
    ["web", { family: "web" }],
    ["web:3", { family: "web", revision: 3 }],
    ["arn:aws:ecs:us-east-1:123456789012:task-definition/Web_1:12", { family: "Web_1", revision: 12 }],
    ["arn:aws-cn:ecs:cn-north-1:123456789012:task-definition/web", { family: "web" }],
    ["web:0", undefined],
    ["web:", undefined],
    ["web:latest", undefined],
    ["", undefined],
    ["arn:aws:ecs:us-east-1:123456789012:service/web", undefined],
  ] as const)
    it(`reads ${text === "" ? "nothing" : text}`, () => assert.deepEqual(parseRevisionReference(text), expected));

  it("reads a cluster", () => {
    assert.equal(clusterNameOf(undefined), "default");
    assert.equal(clusterNameOf("prod"), "prod");
    assert.equal(clusterNameOf("arn:aws:ecs:us-east-1:123456789012:cluster/prod"), "prod");
  });
});
