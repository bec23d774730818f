import assert from "node:assert/strict";
import type { ApiObject } from "../../api/meta.js";
import { controllerOf, controllerReference, isControlledBy, keyOf, parseKey } from "../../api/references.js";

const object = (name: string, uid: string, owners: ApiObject["metadata"]["ownerReferences"] = []): ApiObject => ({
  apiVersion: "davit.dev/v1",
  kind: "Service",
  metadata: {
    name,
    namespace: "default",
    uid,
    resourceVersion: "1",
    generation: 1,
    creationTimestamp: "2026-01-01T00:00:00Z",
    ownerReferences: owners,
  },
});

describe("references", () => {
  it("name the owner by uid", () => {
    const owner = object("web", "u1");
    const owned = object("web-1", "u2", [
      { ...controllerReference(owner), controller: false },
      controllerReference(owner),
    ]);
    assert.deepEqual(controllerOf(owned), {
      apiVersion: "davit.dev/v1",
      kind: "Service",
      name: "web",
      uid: "u1",
      controller: true,
      blockOwnerDeletion: true,
    });
    assert.ok(isControlledBy(owned, owner));
    assert.ok(!isControlledBy(owned, object("web", "u3")), "an object of the same name is another one");
    assert.ok(!isControlledBy(owner, owned));
  });

  it("have a key", () => {
    assert.equal(keyOf({ namespace: "default", name: "web.prod" }), "default/web.prod");
    assert.deepEqual(parseKey("default/web.prod"), { namespace: "default", name: "web.prod" });
    for (const bad of ["web", "/web", "default/"]) assert.throws(() => parseKey(bad), /no namespace\/name/);
  });
});
