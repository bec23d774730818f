import assert from "node:assert/strict";
import fc from "fast-check";
import { importDocuments } from "../../../api/import/index.js";
import { jsonProblem } from "../../../api/import/json-syntax.js";
import { withoutNulls } from "../../../api/nulls.js";

const parses = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

describe("JSON syntax", () => {
  it("is what JSON.parse takes, whatever is put into a text or taken out of it", () => {
    const change = fc.record({
      at: fc.nat(),
      drop: fc.nat({ max: 2 }),
      insert: fc.constantFrom("", ...'{}[]:,"\\0-.e tu\n'),
    });
    fc.assert(
      fc.property(fc.json({ maxDepth: 3 }), fc.array(change, { maxLength: 2 }), (json, changes) => {
        const text = changes.reduce((before, { at, drop, insert }) => {
          const place = at % (before.length + 1);
          return before.slice(0, place) + insert + before.slice(place + drop);
        }, json);
        assert.equal(jsonProblem(text) === undefined, parses(text), JSON.stringify(text));
      }),
      { numRuns: 2000 },
    );
  });

  it("names a place within the text", () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), (json, cut) => {
        const text = json.slice(0, cut % (json.length + 1));
        const problem = jsonProblem(text);
        if (problem) assert.ok(problem.offset >= 0 && problem.offset <= text.length);
      }),
    );
  });

  it("means the same through the front door as to JSON.parse", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom(0, 2, "\t"), (value, indent) => {
        const head = { apiVersion: "davit.dev/v1", kind: "Cluster", metadata: { name: "a" } };
        const text = JSON.stringify({ ...head, x: value }, null, indent);
        const { objects, errors } = importDocuments(text, "a.json");
        assert.deepEqual(errors, []);
        const expected: unknown = JSON.parse(text);
        assert.equal(JSON.stringify(objects[0]?.manifest), JSON.stringify(withoutNulls(expected)));
      }),
    );
  });
});
