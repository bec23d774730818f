// Tags: what the kinds' schemas take, and how several sources become one list.
import assert from "node:assert/strict";
import fc from "fast-check";
import type { ApiObject } from "../../api/meta.js";
import { hasTags, MAX_TAGS, managedTags, mergeTags, parseTag, propagatedTags, tagsOf } from "../../api/tags.js";
import type { Kind, Tag } from "../../api/types.gen.js";
import { loadResources } from "../../apiserver/resources/load.js";
import { createValidator } from "../../apiserver/validation/validator.js";

const CONTAINERS = { containerDefinitions: [{ name: "web", image: "nginx", memory: 64 }] };
/** Every kind that can be tagged, with the rest of a good spec. */
const SPECS: Partial<Record<Kind, object>> = {
  Cluster: {},
  TaskDefinition: CONTAINERS,
  TaskDefinitionRevision: { family: "web", revision: 1, contentHash: "a".repeat(64), ...CONTAINERS },
  Service: { taskDefinition: "web" },
  TaskSet: { cluster: "default", service: "web", taskDefinition: "web:1", role: "PRIMARY", desiredCount: 1 },
  Task: { taskDefinition: "web:1" },
  ContainerInstance: {},
};
const KINDS = Object.keys(SPECS) as Kind[];
const validators = new Map(loadResources().all.map((resource) => [resource.kind, createValidator(resource)]));

const objectOf = (kind: Kind, tags: unknown): ApiObject => ({
  apiVersion: "davit.dev/v1",
  kind,
  metadata: {
    name: "web",
    namespace: "default",
    uid: "01234567-89ab-cdef-0123-456789abcdef",
    resourceVersion: "1",
    generation: 1,
    creationTimestamp: "2026-01-01T00:00:00Z",
  },
  spec: { ...SPECS[kind], tags },
});
/** `field: message` of what is wrong, as the API finds it: nulls that mean nothing are dropped before. */
function problems(kind: Kind, tags: unknown): string[] {
  const validator = validators.get(kind);
  assert(validator);
  const { object } = validator.prune(objectOf(kind, tags));
  return validator.check(object as ApiObject).map(({ field, message }) => `${field}: ${message}`);
}
const many = (count: number): Tag[] => Array.from({ length: count }, (_, i) => ({ key: `k${i}`, value: "v" }));

describe("what the API takes for tags", () => {
  for (const [what, tags, error] of [
    ["none", [], undefined],
    ["[07-45] an empty value", [{ key: "a", value: "" }], undefined],
    ["no value", [{ key: "a" }], undefined],
    [
      "letters of any script, digits, spaces and + - = . _ : / @",
      [{ key: "Größe 7 漢字", value: "+-=._:/@ x" }],
      undefined,
    ],
    ["50 of them", many(MAX_TAGS), undefined],
    ["[07-45][09-25] 51 of them", many(MAX_TAGS + 1), /^spec\.tags: Too many: 51: must have at most 50 items$/],
    ["a key of 128 characters", [{ key: "𝒳".repeat(128) }], undefined],
    ["[07-45] a key of 129 characters", [{ key: "k".repeat(129) }], /^spec\.tags\[0\]\.key: Too long: .*128/],
    ["a value of 256 characters", [{ key: "k", value: "v".repeat(256) }], undefined],
    [
      "[07-45] a value of 257 characters",
      [{ key: "k", value: "v".repeat(257) }],
      /^spec\.tags\[0\]\.value: Too long: .*256/,
    ],
    [
      "[07-45] a value that is null",
      [{ key: "k", value: null }],
      /^spec\.tags\[0\]\.value: .*must be text: .*not null$/,
    ],
    ["a value that is a number", [{ key: "k", value: 7 }], /^spec\.tags\[0\]\.value: .*of type string/],
    ["an empty key", [{ key: "" }], /^spec\.tags\[0\]\.key: .*at least 1 chars/],
    ["no key", [{ value: "v" }], /^spec\.tags\[0\]\.key: Required value$/],
    ["another character", [{ key: "a*b" }], /^spec\.tags\[0\]\.key: .*should match/],
    ["a key twice", [{ key: "a" }, { key: "a", value: "b" }], /^spec\.tags\[1\]: Duplicate value: \{"key":"a"\}$/],
    ["a key in both cases", [{ key: "a" }, { key: "A" }], undefined],
    [
      "[07-46] a key that begins with aws:",
      [{ key: "b" }, { key: "AwS:x" }],
      /^spec\.tags\[1\]\.key: Forbidden: "AwS:x": the prefix aws: is kept for the system's own/,
    ],
    [
      "[07-46] a value that begins with aws:",
      [{ key: "b", value: "AWS:x" }],
      /^spec\.tags\[0\]\.value: Forbidden: "AWS:x": the prefix aws: is kept/,
    ],
    ["aws without a colon", [{ key: "aws", value: "my aws: x" }], undefined],
  ] as const)
    it(`${what}: ${error === undefined ? "taken" : "refused"}, on every kind`, () => {
      for (const kind of KINDS) {
        const found = problems(kind, tags);
        if (error === undefined) assert.deepEqual(found, [], kind);
        else {
          assert.equal(found.length, 1, `${kind}: ${found.join("; ")}`);
          assert.match(found[0] ?? "", error, kind);
        }
      }
    });

  const character = fc.constantFrom(..."abzAZ09 _.:/=+-@éß漢ñ");
  const text = (min: number, max: number) => fc.string({ unit: character, minLength: min, maxLength: max });
  const goodTag = fc
    .record<Tag>({ key: text(1, 128), value: text(0, 256) }, { requiredKeys: ["key"] })
    .filter(({ key, value = "" }) => !/^aws:/i.test(key) && !/^aws:/i.test(value));
  const goodTags = fc.uniqueArray(goodTag, { selector: ({ key }) => key, maxLength: MAX_TAGS });

  it("property: any good list is taken, and with one reserved key among them it is not", () => {
    fc.assert(
      fc.property(goodTags, text(0, 20), fc.mixedCase(fc.constant("aws:")), (tags, rest, prefix) => {
        assert.deepEqual(problems("Service", tags), []);
        const reserved = [...tags.slice(0, MAX_TAGS - 1), { key: prefix + rest }];
        assert.match(problems("Service", reserved).join(), /the prefix aws: is kept/);
      }),
      { numRuns: 60 },
    );
  });

  it("property: merging keeps every key once, the first list's values, and adds nothing of its own", () => {
    fc.assert(
      fc.property(goodTags, goodTags, (first, second) => {
        const merged = mergeTags(first, second) ?? [];
        assert.equal(new Set(merged.map(({ key }) => key)).size, merged.length);
        for (const tag of first) assert(merged.includes(tag));
        for (const tag of merged) assert(first.includes(tag) || second.includes(tag));
        assert(second.every(({ key }) => merged.some((tag) => tag.key === key)));
        assert.equal(mergeTags(merged, second), merged);
      }),
    );
  });
});

describe("where tags come from", () => {
  const service = [{ key: "from", value: "service" }];
  const definition = [{ key: "from", value: "definition" }];
  for (const [from, expected] of [
    [undefined, undefined],
    ["NONE", undefined],
    ["SERVICE", service],
    ["TASK_DEFINITION", definition],
  ] as const)
    it(`propagateTags ${from}`, () => assert.equal(propagatedTags(from, { service, definition }), expected));

  it("an object's own win over propagated ones, and the system's come with them", () => {
    const spec = { tags: [{ key: "team", value: "blue" }] };
    assert.equal(tagsOf({ spec, status: {} }), spec.tags);
    assert.equal(tagsOf({}), undefined);
    const status = {
      propagatedTags: [{ key: "team", value: "red" }, { key: "env" }],
      managedTags: managedTags("arn:aws:ecs:local:000000000000:cluster/prod", "web"),
    };
    assert.deepEqual(tagsOf({ spec, status }), [
      { key: "team", value: "blue" },
      { key: "env" },
      { key: "aws:ecs:clusterName", value: "prod" },
      { key: "aws:ecs:serviceName", value: "web" },
    ]);
    assert.deepEqual(managedTags(undefined), [{ key: "aws:ecs:clusterName", value: "default" }]);
  });

  for (const [typed, tag] of [
    ["team=blue", { key: "team", value: "blue" }],
    ["team=", { key: "team", value: "" }],
    ["team", { key: "team" }],
    ["expr=a=b", { key: "expr", value: "a=b" }],
    ["=x", { key: "", value: "x" }],
  ] as const)
    it(`${typed} as it is typed`, () => assert.deepEqual(parseTag(typed), tag));

  it("several wanted tags must all be there; without a value any will do", () => {
    const object = { spec: { tags: [{ key: "a", value: "1" }, { key: "b" }] } };
    for (const [wanted, met] of [
      [[], true],
      [["a"], true],
      [["a=1", "b"], true],
      [["a=2"], false],
      [["b="], true],
      [["a=1", "c"], false],
      [["A"], false],
    ] as const)
      assert.equal(hasTags(object, wanted.map(parseTag)), met, wanted.join());
    assert.equal(hasTags({}, [{ key: "a" }]), false);
  });
});
