import assert from "node:assert/strict";
import { applyPatch, LAST_APPLIED, type Manifest, withLastApplied } from "../../gitops/last-applied.js";

const manifest = (spec: object, metadata: object = {}): Manifest => ({
  apiVersion: "davit.dev/v1",
  kind: "Service",
  metadata: { name: "web", ...metadata },
  spec,
});
/** What the server holds after `first` was applied and others have changed it. */
const live = (first: Manifest, change: (object: { spec: Record<string, unknown> }) => void = () => undefined) => {
  const object = structuredClone(withLastApplied(first)) as unknown as { spec: Record<string, unknown> };
  change(object);
  return object;
};
const specPatch = (wanted: Manifest, now: object) => applyPatch(wanted, now)?.spec;

describe("apply: three-way merge", () => {
  const first = manifest({ taskDefinition: "web", desiredCount: 3, deploymentConfiguration: { maximumPercent: 150 } });

  it("the same text again is nothing to do", () => assert.equal(applyPatch(first, live(first)), undefined));

  it("a changed field is set", () =>
    assert.deepEqual(
      specPatch(
        manifest({ taskDefinition: "web:2", desiredCount: 3, deploymentConfiguration: { maximumPercent: 150 } }),
        live(first),
      ),
      {
        taskDefinition: "web:2",
      },
    ));

  it("what the text no longer has is removed", () =>
    assert.deepEqual(specPatch(manifest({ taskDefinition: "web", deploymentConfiguration: {} }), live(first)), {
      desiredCount: null,
      deploymentConfiguration: { maximumPercent: null },
    }));

  it("what others have set and the text never had stays", () => {
    const noCount = manifest({ taskDefinition: "web" });
    const scaled = live(noCount, ({ spec }) => {
      spec.desiredCount = 7;
    });
    assert.equal(applyPatch(noCount, scaled), undefined);
  });

  it("a drift is healed", () => {
    const drifted = live(first, ({ spec }) => {
      spec.desiredCount = 9;
    });
    assert.deepEqual(applyPatch(first, drifted), { spec: { desiredCount: 3 } });
  });

  it("without a record nothing is removed", () => {
    const foreign = { ...manifest({ taskDefinition: "old", desiredCount: 5 }) };
    assert.deepEqual(specPatch(manifest({ taskDefinition: "web" }), foreign), { taskDefinition: "web" });
  });

  it("lists are replaced whole", () =>
    assert.deepEqual(
      specPatch(manifest({ tags: [{ key: "a" }] }), live(manifest({ tags: [{ key: "a" }, { key: "b" }] }))),
      {
        tags: [{ key: "a" }],
      },
    ));

  it("the record is kubectl's own: sorted keys, escaped, without itself, with a line's end", () => {
    const recorded = withLastApplied(manifest({ b: "<&>", a: 1 }));
    assert.equal(
      recorded.metadata.annotations?.[LAST_APPLIED],
      '{"apiVersion":"davit.dev/v1","kind":"Service","metadata":{"annotations":{},"name":"web"},"spec":{"a":1,"b":"\\u003c\\u0026\\u003e"}}\n',
    );
    assert.deepEqual(withLastApplied(recorded), recorded);
  });
});
