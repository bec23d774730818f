import assert from "node:assert/strict";
import { type Applied, type LoadedFile, plan } from "../../gitops/plan.js";

const idOf = (name: string) => `Service/default/${name}`;
const manifest = (name: string) => ({ apiVersion: "davit.dev/v1", kind: "Service", metadata: { name } });
const file = (path: string, names: string[], errors: string[] = []): LoadedFile => ({
  path,
  objects: names.map((name, index) => ({
    id: idOf(name),
    manifest: manifest(name),
    origin: `${path}#${index + 1}`,
    where: `${path}: document ${index + 1}`,
  })),
  errors,
});
const applied = (names: string[], path = "all.yaml"): Applied[] =>
  names.map((name) => ({ id: idOf(name), path, uid: `uid-${name}` }));
const names = (objects: readonly { id: string }[]) => objects.map(({ id }) => id.split("/")[2]).join("");

const ten = [..."abcdefghij"];

describe("gitops plan", () => {
  for (const [what, files, wanted] of [
    ["nothing left", [file("all.yaml", ten)], { prune: "" }],
    ["3 of 10 left: pruned", [file("all.yaml", ten.slice(3))], { prune: "abc" }],
    ["4 of 10 left: held", [file("all.yaml", ten.slice(4))], { held: "abcd" }],
    ["all files gone: held", [], { held: "abcdefghij" }],
    ["the folder is unreadable: nothing", undefined, { prune: "" }],
    ["the file is broken: kept", [file("all.yaml", [], ["all.yaml: line 3"])], { prune: "" }],
    ["moved to another file: nothing", [file("other.yaml", ten)], { prune: "" }],
  ] as const)
    it(what, () => {
      const result = plan({ files: files as readonly LoadedFile[] | undefined, applied: applied(ten) });
      assert.deepEqual(
        { prune: names(result.prune), held: names(result.held?.objects ?? []) },
        { prune: "", held: "", ...wanted },
      );
    });

  it("two files that define one object are an error naming both", () => {
    const { errors, apply } = plan({ files: [file("a.yaml", ["x", "y"]), file("b/c.yaml", ["x"])], applied: [] });
    assert.deepEqual(errors, ["Service/default/x is defined more than once: in a.yaml#1 and in b/c.yaml#1"]);
    assert.equal(names(apply), "y");
  });

  it("the reason says how many of how many", () => {
    const { held } = plan({ files: [file("all.yaml", ten.slice(5))], applied: applied(ten) });
    assert.equal(held?.reason, "5 of 10 objects left the folder at once, more than 30 %");
  });
});
