// The small pure parts, as tables.
import assert from "node:assert/strict";
import fc from "fast-check";
import { formOf } from "../../apiserver/http/accept.js";
import { humanDuration } from "../../apiserver/http/age.js";
import { duplicateFields } from "../../apiserver/http/duplicate-fields.js";
import { compileJsonPath } from "../../apiserver/http/json-path.js";
import { jsonEqual } from "../../apiserver/json.js";
import { parseLabelSelector } from "../../apiserver/registry/label-selector.js";
import { mergePatch } from "../../apiserver/registry/patch.js";
import { parseTokens } from "../../apiserver/tokens.js";

describe("label selectors", () => {
  const labels = { app: "web", tier: "front", empty: "" };
  for (const [selector, wanted] of [
    ["", true],
    ["app", true],
    ["!app", false],
    ["!other", true],
    ["app=web", true],
    ["app==web", true],
    ["app=db", false],
    ["app!=db", true],
    ["other!=x", true],
    ["app in (db, web)", true],
    ["app in (db)", false],
    ["app notin (db,x)", true],
    ["other notin (a)", true],
    ["app=web,tier in (front),!other", true],
    ["app=web,tier=back", false],
    ["empty=", true],
    ["app=", false],
    ["empty in ()", true],
    [" app = web , tier ", true],
    ["davit.dev/owner", false],
  ] as const)
    it(`${JSON.stringify(selector)} -> ${wanted}`, () => {
      assert.equal(parseLabelSelector(selector)?.(labels) ?? true, wanted);
    });
  for (const selector of ["app in", "app in (a", "app in a)", "=x", "app=b c", "app>1", "a,,b", "app=@", ",", "app,"])
    it(`${JSON.stringify(selector)} is refused`, () => {
      assert.throws(() => parseLabelSelector(selector), { code: 400 });
    });
});

describe("ages", () => {
  const s = 1_000;
  const m = 60 * s;
  const h = 60 * m;
  const d = 24 * h;
  for (const [ms, wanted] of [
    [-5 * s, "<invalid>"],
    [-1 * s, "0s"],
    [0, "0s"],
    [119 * s, "119s"],
    [2 * m, "2m"],
    [5 * m + 30 * s, "5m30s"],
    [10 * m + 5 * s, "10m"],
    [179 * m, "179m"],
    [3 * h, "3h"],
    [3 * h + 7 * m, "3h7m"],
    [47 * h, "47h"],
    [2 * d, "2d"],
    [7 * d + 5 * h, "7d5h"],
    [8 * d + 5 * h, "8d"],
    [729 * d, "729d"],
    [2 * 365 * d + 3 * d, "2y3d"],
    [9 * 365 * d, "9y"],
  ] as const)
    it(`${ms} ms is ${wanted}`, () => assert.equal(humanDuration(ms), wanted));
});

describe("JSONPath of printer columns", () => {
  const object = {
    metadata: { labels: { "davit.dev/x": "label" } },
    spec: { list: [{ name: "a" }, { name: "b" }], n: 0, no: false, nothing: null },
    status: {
      conditions: [
        { type: "Ready", status: "True" },
        { type: "Placed", status: "False" },
      ],
    },
  };
  for (const [path, wanted] of [
    [".spec.n", [0]],
    [".spec.no", [false]],
    [".spec.nothing", []],
    [".spec.absent.deeper", []],
    [".spec.list[0].name", ["a"]],
    [".spec.list[-1].name", ["b"]],
    [".spec.list[*].name", ["a", "b"]],
    [".spec.list[9].name", []],
    ['.status.conditions[?(@.type=="Ready")].status', ["True"]],
    [".status.conditions[?(@.type=='Placed')].status", ["False"]],
    ['.status.conditions[?(@.type!="Ready")].type', ["Placed"]],
    [".metadata.labels.davit\\.dev/x", ["label"]],
    [".metadata.labels['davit.dev/x']", ["label"]],
    ["{.spec.n}", [0]],
  ] as const)
    it(path, () => assert.deepEqual(compileJsonPath(path)(object), wanted));
  it("refuses what it does not know", () => {
    for (const path of ["spec", ".a[?(@.b>1)]", "..a", ".a[1:2]"])
      assert.throws(() => compileJsonPath(path), /cannot read/);
  });
});

describe("fields given twice", () => {
  for (const [text, wanted] of [
    ['{"a":1,"b":1}', []],
    ['{"a":1,"a":2}', ["a"]],
    ['{"a":{"b":1,"c":{"b":1},"b":2}}', ["a.b"]],
    ['{"l":[{"a":1},{"a":1,"a":2}]}', ["l[1].a"]],
    ['[[],[{"x":1,"x":2}]]', ["[1][0].x"]],
    ['{"a":"{\\"a\\":1,","b":"a","c":"b"}', []],
    ['{"a":"x:y,z","a\\"":1,"a":[]}', ["a"]],
    ['{"a":["a","a"],"b":{"a":"a"}}', []],
  ] as const)
    it(text, () => assert.deepEqual(duplicateFields(text), wanted));
  it("finds none in what JSON.stringify wrote", () => {
    fc.assert(fc.property(fc.json(), (json) => duplicateFields(json).length === 0));
  });
});

describe("merge patch", () => {
  // The examples of RFC 7386, appendix A.
  for (const [target, patch, wanted] of [
    [{ a: "b" }, { a: "c" }, { a: "c" }],
    [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
    [{ a: "b" }, { a: null }, {}],
    [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
    [{ a: ["b"] }, { a: "c" }, { a: "c" }],
    [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
    [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
    [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
    [
      ["a", "b"],
      ["c", "d"],
      ["c", "d"],
    ],
    [{ a: "b" }, ["c"], ["c"]],
    [{ a: "foo" }, null, null],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: "b", c: null }, { a: "b" }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])
    it(`${JSON.stringify(target)} + ${JSON.stringify(patch)}`, () => {
      const before = JSON.stringify(target);
      assert.deepEqual(mergePatch(target, patch), wanted);
      assert.equal(JSON.stringify(target), before, "the target is as it was");
    });
});

describe("equality of JSON values", () => {
  it("agrees with the text, whatever the order of keys", () => {
    const shuffled = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(shuffled);
      if (typeof value !== "object" || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([k, v]) => [k, shuffled(v)]),
      );
    };
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => jsonEqual(value, shuffled(value))));
  });
  it("tells apart", () => {
    for (const [a, b] of [
      [1, "1"],
      [[], {}],
      [{ a: 1 }, { b: 1 }],
      [{ a: 1 }, { a: 1, b: 1 }],
      [[1], [1, 2]],
      [null, {}],
      [0, false],
    ])
      assert.equal(jsonEqual(a, b), false, JSON.stringify([a, b]));
    assert(jsonEqual({ a: undefined }, {}));
  });
});

describe("what a client accepts", () => {
  for (const [accept, wanted] of [
    [undefined, "object"],
    ["*/*", "object"],
    ["application/json", "object"],
    ["application/json;as=Table;v=v1;g=meta.k8s.io,application/json", "Table"],
    ["application/json;as=Table;v=v1beta1;g=meta.k8s.io, application/json", "object"],
    ["application/vnd.kubernetes.protobuf,application/json", "object"],
    ["application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", "PartialObjectMetadata"],
  ] as const)
    it(String(accept), () => assert.equal(formOf(accept), wanted));
  it("nothing that is served", () => assert.throws(() => formOf("application/vnd.kubernetes.protobuf"), { code: 406 }));
});

describe("token files", () => {
  it("reads Kubernetes' form", () => {
    const text = '# comment\nabc,admin,1,"system:masters,other"\n\ndef,bob,2\nghi,eve,3,davit:viewers\n';
    assert.deepEqual(parseTokens(text, "f"), [
      { token: "abc", user: "admin", groups: ["system:masters", "other"] },
      { token: "def", user: "bob", groups: [] },
      { token: "ghi", user: "eve", groups: ["davit:viewers"] },
    ]);
  });
  it("names the line that is wrong", () =>
    assert.throws(() => parseTokens("a,b,c\nnonsense\n", "tokens"), /^Error: tokens: line 2 /));
});
