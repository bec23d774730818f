import assert from "node:assert/strict";
import { describePlace, type ImportResult, importDocuments } from "../../../api/import/index.js";

const SERVICE = "apiVersion: davit.dev/v1\nkind: Service\nmetadata: { name: web }\nspec: { taskDefinition: web }\n";
const names = ({ objects }: ImportResult): string[] =>
  objects.map(({ manifest }) => `${manifest.kind}/${manifest.metadata.name}`);
const errors = (result: ImportResult): string[] => result.errors.map(describePlace);

describe("importing manifests", () => {
  it("takes every document of a file, in order, with its place", () => {
    const text = `# a comment\n---\n${SERVICE}---\n# nothing here\n---\n${SERVICE.replace("Service", "Cluster")}`;
    const result = importDocuments(text, "a.yaml");
    assert.deepEqual(names(result), ["Service/web", "Cluster/web"]);
    assert.deepEqual(
      result.objects.map(({ place }) => [place.document, place.line]),
      [
        [1, 3],
        [2, 10],
      ],
    );
    assert.deepEqual([...result.errors, ...result.notes], []);
  });

  it("takes JSON, Windows line ends and a byte order mark", () => {
    const json = `{"apiVersion":"davit.dev/v1","kind":"Cluster","metadata":{"name":"a"},"spec":{}}`;
    assert.deepEqual(names(importDocuments(json, "a.json")), ["Cluster/a"]);
    assert.deepEqual(names(importDocuments(`\uFEFF${SERVICE.replaceAll("\n", "\r\n")}---\r\n${SERVICE}`, "a.yml")), [
      "Service/web",
      "Service/web",
    ]);
  });

  it("takes the items of a List", () => {
    const item = { apiVersion: "davit.dev/v1", kind: "Cluster", metadata: { name: "a" } };
    const list = JSON.stringify({ apiVersion: "v1", kind: "List", items: [item, item] });
    assert.deepEqual(names(importDocuments(list, "-")), ["Cluster/a", "Cluster/a"]);
    const broken = JSON.stringify({ apiVersion: "v1", kind: "List", items: [item, { ...item, kind: "Clusters" }] });
    const result = importDocuments(broken, "-");
    assert.deepEqual(names(result), [], "nothing of a document with an error is taken");
    assert.match(errors(result)[0] ?? "", /items\[1\]\.kind: there is no kind "Clusters"; did you mean Cluster\?$/);
  });

  it("takes merge keys and anchors", () => {
    const text = `${SERVICE}x-base: &base { a: 1 }\ny: { <<: *base, b: 2 }\n`;
    assert.deepEqual(importDocuments(text, "a.yaml").objects[0]?.manifest.y, { a: 1, b: 2 });
  });

  it("leaves out nulls and says so", () => {
    const { objects, notes } = importDocuments(`${SERVICE}status: null\nx: [1, ~]\n`, "a.yaml");
    assert.ok(objects[0] && !("status" in objects[0].manifest));
    assert.deepEqual(objects[0].manifest.x, [1]);
    assert.deepEqual(notes.map(describePlace), [
      "a.yaml: document 1, line 1, column 1: left out what is null: status, x[1]",
    ]);
  });

  it("takes the good documents beside a bad one", () => {
    for (const bad of ["a: [", "a: 1\na: 2", "kind: Servic"]) {
      const result = importDocuments(`${SERVICE}---\n${bad}\n---\n${SERVICE}`, "a.yaml");
      assert.deepEqual(names(result), ["Service/web", "Service/web"], bad);
      assert.deepEqual(
        result.errors.map(({ document }) => document),
        [2],
        bad,
      );
    }
  });
});

describe("bad input is an error with its place", () => {
  for (const [what, text, expected] of [
    [
      "an unknown kind",
      SERVICE.replace("Service", "Servce"),
      `line 2, column 7: kind: there is no kind "Servce"; did you mean Service?`,
    ],
    [
      "a kind of nobody",
      SERVICE.replace("Service", "Deployment"),
      /kind: there is no kind "Deployment"; there are Cluster, .*Namespace$/,
    ],
    [
      "another version",
      SERVICE.replace("v1", "v2"),
      `line 1, column 13: apiVersion: must be davit.dev/v1 for a Service, not "davit.dev/v2"`,
    ],
    ["no kind", "apiVersion: davit.dev/v1\n", /line 1, column 1: kind: is required/],
    ["no name", SERVICE.replace("name: web", "{}").replace("{ {} }", "{}"), /metadata\.name: is required/],
    ["a name that is no text", SERVICE.replace("name: web", "name: 5"), /metadata\.name: must be text/],
    ["no metadata", "apiVersion: davit.dev/v1\nkind: Task\n", /metadata: is required/],
    [
      "a duplicate key",
      `${SERVICE}spec: {}\n`,
      "line 5, column 1: spec: the key stands twice in one mapping: remove one of them",
    ],
    [
      "a duplicate key below",
      SERVICE.replace("taskDefinition: web", "a: [{ b: 1, b: 2 }]"),
      /spec\.a\[0\]\.b: the key stands twice/,
    ],
    ["a tab", "kind:\n\ta: 1\n", "line 2, column 1: tabs must not be used for indentation: use spaces"],
    ["an unknown anchor", "a: *b\n", /line 1, column 5: is no YAML: unidentified alias "b"/],
    ["an anchor within itself", "a: &a [*a]\n", /an anchor must not be used within itself/],
    ["no YAML", "a: b: c\n", /line 1, column 5: is no YAML/],
    ["a list", "- a\n", /is a list: an object is wanted/],
    ["a word", "a\n", /is a single value: an object is wanted/],
    ["something else", "a: 1\nb: 2\n", /is neither a manifest .*its keys are a, b$/],
    ["nothing", "# nothing\n", /holds no document/],
    ["an unknown tag", "a: !foo b\n", /line 1, column 4: is no YAML: unknown scalar tag/],
  ] as const)
    it(what, () => {
      const result = importDocuments(text, "a.yaml");
      assert.deepEqual(names(result), []);
      const [error = "", ...more] = errors(result);
      assert.deepEqual(more, []);
      assert.ok(error.startsWith("a.yaml: document 1, line "), error);
      if (typeof expected === "string") assert.ok(error.endsWith(`document 1, ${expected}`), error);
      else assert.match(error, expected);
    });

  it("an anchor bomb, before it goes off", () => {
    const level = (n: number) =>
      `l${n}: &l${n} [${Array(9)
        .fill(n === 0 ? "lol" : `*l${n - 1}`)
        .join(", ")}]`;
    const text = Array.from({ length: 9 }, (_, n) => level(n)).join("\n");
    const result = importDocuments(`${text}\n`, "bomb.yaml");
    assert.match(errors(result)[0] ?? "", /line 6, column \d+: l5\[1\]: the document has more than 100000 values/);
  });

  it("2 MB of YAML", () => {
    const result = importDocuments(`${SERVICE}x: ${"y".repeat(2_000_000)}\n`, "big.yaml");
    assert.match(errors(result)[0] ?? "", /has 20000\d\d bytes; at most 1572864 \(1\.5 MiB\) are taken: split it/);
  });

  for (const [text, line, column] of [
    ['{\n  "a": 1\n  "b": 2\n}', 3, 3],
    ['{"a": 1,}', 1, 9],
    ['{"a": }', 1, 7],
    ["{'a': 1}", 1, 2],
    ['{"a" 1}', 1, 6],
    ['{"a": [1, 2}', 1, 12],
    ['{"a": "b\n"}', 1, 7],
    ['{"a": 1} x', 1, 10],
    ['{"a": 1', 1, 8],
    ['{"a": 01}', 1, 8],
    ["", 1, 1],
  ] as const)
    it(`no JSON: ${JSON.stringify(text)}`, () => {
      const [error] = importDocuments(text, "a.json").errors;
      assert.deepEqual([error?.line, error?.column], [line, column]);
    });
});
