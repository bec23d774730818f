import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type Applied,
  type LoadedFile,
  MAX_UNCONFIRMED_LOSS,
  type ObjectId,
  plan,
  pruneToken,
} from "../../gitops/plan.js";

const id = fc.constantFrom(..."abcdefghij").map((name) => `Service/default/${name}`);
const path = fc.constantFrom("1.yaml", "2.yaml", "sub/3.yaml", "4.json");
const manifestOf = (objectId: ObjectId) => ({
  apiVersion: "davit.dev/v1",
  kind: "Service",
  metadata: { name: objectId.split("/")[2] ?? "" },
});
const file = fc.record({ path, ids: fc.array(id, { maxLength: 6 }), broken: fc.boolean() }).map(
  ({ path, ids, broken }): LoadedFile => ({
    path,
    objects: ids.map((one, index) => ({
      id: one,
      manifest: manifestOf(one),
      origin: `${path}#${index + 1}`,
      where: `${path}: document ${index + 1}`,
    })),
    errors: broken ? [`${path}: it is broken`] : [],
  }),
);
const files = fc.uniqueArray(file, { selector: ({ path }) => path, maxLength: 4 });
const applied = fc.uniqueArray(fc.record({ id, path, uid: fc.uuid() }), { selector: ({ id }) => id, maxLength: 10 });
const look = fc.record({ files: fc.option(files, { nil: undefined }), applied });

const idsOf = (objects: readonly { id: ObjectId }[]) => objects.map(({ id }) => id);

describe("gitops plan: properties", () => {
  const holds = (property: (look: { files: LoadedFile[] | undefined; applied: Applied[] }) => void) =>
    fc.assert(fc.property(look, property), { numRuns: 500 });

  it("nothing is pruned when the folder is empty or unreadable", () =>
    holds(({ applied }) => {
      assert.deepEqual(plan({ files: undefined, applied, unreadable: "EACCES" }).prune, []);
      assert.deepEqual(plan({ files: [], applied }).prune, []);
    }));

  it("unconfirmed, never more than 30 % of what was applied is pruned at once", () =>
    holds((look) => assert.ok(plan(look).prune.length <= look.applied.length * MAX_UNCONFIRMED_LOSS)));

  it("only what was applied, and is in no file, is pruned; with a confirmation too", () =>
    holds((look) => {
      const confirmed = plan(look).held?.token;
      const present = new Set(look.files?.flatMap(({ objects }) => idsOf(objects)));
      for (const { id, uid } of plan({ ...look, confirmed }).prune) {
        assert.ok(!present.has(id));
        assert.ok(look.applied.some((one) => one.id === id && one.uid === uid));
      }
    }));

  it("what a broken file defined is kept", () =>
    holds((look) => {
      const broken = new Set(look.files?.filter(({ errors }) => errors.length > 0).map(({ path }) => path));
      const confirmed = plan(look).held?.token;
      for (const { path } of plan({ ...look, confirmed }).prune) assert.ok(!broken.has(path));
    }));

  it("an object defined twice is neither applied nor pruned, and both places are named", () =>
    holds((look) => {
      const { apply, prune, errors } = plan(look);
      const objects = look.files?.flatMap(({ objects }) => objects) ?? [];
      for (const one of objects) {
        const places = objects.filter(({ id }) => id === one.id).map(({ origin }) => origin);
        if (places.length === 1) continue;
        assert.ok(!idsOf(apply).includes(one.id) && !idsOf(prune).includes(one.id));
        assert.ok(errors.some((error) => places.every((place) => error.includes(place))));
      }
    }));

  it("a confirmation holds for exactly the objects it was given for", () =>
    holds((look) => {
      const { held } = plan(look);
      if (!held) return;
      assert.deepEqual(plan({ ...look, confirmed: held.token }).prune, held.objects);
      assert.equal(held.token, pruneToken(held.objects));
      const fewer = {
        ...look,
        applied: look.applied.filter(({ id }) => id !== held.objects[0]?.id),
        confirmed: held.token,
      };
      assert.ok(plan(fewer).prune.length <= fewer.applied.length * MAX_UNCONFIRMED_LOSS);
    }));
});
