import assert from "node:assert/strict";
import type { CustomResourceDefinition, Schema } from "../../api/crd.js";
import type { ApiObject } from "../../api/meta.js";
import { namespaceDefinition } from "../../apiserver/resources/core.js";
import { resourcesOf } from "../../apiserver/resources/resource.js";
import { type Validator, validatorOf } from "../../apiserver/validation/validator.js";

/** A kind whose spec has the given properties. */
function validatorWith(properties: Record<string, Schema>, rest: Partial<Schema> = {}): Validator {
  const definition: CustomResourceDefinition = {
    ...namespaceDefinition,
    metadata: { name: "widgets.test.dev" },
    spec: {
      group: "test.dev",
      scope: "Namespaced",
      names: { ...namespaceDefinition.spec.names, plural: "widgets", kind: "Widget" },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          additionalPrinterColumns: [],
          schema: {
            openAPIV3Schema: { type: "object", properties: { spec: { type: "object", properties, ...rest } } },
          },
        },
      ],
    },
  };
  const [resource] = resourcesOf([definition]).all;
  assert(resource);
  return validatorOf(resource);
}

const widget = (spec: unknown, metadata: Partial<ApiObject["metadata"]> = {}) =>
  ({ apiVersion: "test.dev/v1", kind: "Widget", metadata: { name: "w", ...metadata }, spec }) as ApiObject;
const causesOf = (validator: Validator, spec: unknown, old?: unknown) =>
  validator
    .check(widget(spec), old === undefined ? undefined : widget(old))
    .map(({ field, message }) => `${field}: ${message}`);

describe("validation by schema", () => {
  const named: Schema = { type: "object", required: ["name"], properties: { name: { type: "string" } } };
  const table: [title: string, schema: Schema, value: unknown, wanted: string | undefined][] = [
    [
      "a string for an integer",
      { type: "integer" },
      "x",
      'Invalid value: "x": spec.a in body must be of type integer: "string"',
    ],
    [
      "a fraction for an integer",
      { type: "integer" },
      1.5,
      'Invalid value: 1.5: spec.a in body must be of type integer: "number"',
    ],
    ["null that is allowed", { type: "string", nullable: true }, null, undefined],
    ["an integer for int-or-string", { "x-kubernetes-int-or-string": true }, 5, undefined],
    ["a string for int-or-string", { "x-kubernetes-int-or-string": true }, "5", undefined],
    [
      "a boolean for int-or-string",
      { "x-kubernetes-int-or-string": true },
      true,
      'Invalid value: true: spec.a in body must be of type integer or string: "boolean"',
    ],
    [
      "another value than the enum's",
      { type: "string", enum: ["a", "b"] },
      "c",
      'Unsupported value: "c": supported values: "a", "b"',
    ],
    ["a text that is too long", { type: "string", maxLength: 3 }, "four", "Too long: may not be more than 3 bytes"],
    [
      "a text that is too short",
      { type: "string", minLength: 1 },
      "",
      'Invalid value: "": spec.a in body should be at least 1 chars long',
    ],
    [
      "a text of another pattern",
      { type: "string", pattern: "^[a-z]+$" },
      "A1",
      "Invalid value: \"A1\": spec.a in body should match '^[a-z]+$'",
    ],
    [
      "a number below the minimum",
      { type: "integer", minimum: 0 },
      -1,
      "Invalid value: -1: spec.a in body should be greater than or equal to 0",
    ],
    [
      "a number above the maximum",
      { type: "integer", maximum: 9 },
      10,
      "Invalid value: 10: spec.a in body should be less than or equal to 9",
    ],
    [
      "the excluded minimum",
      { type: "integer", minimum: 0, exclusiveMinimum: true },
      0,
      "Invalid value: 0: spec.a in body should be greater than 0",
    ],
    [
      "too many items",
      { type: "array", maxItems: 1, items: { type: "string" } },
      ["a", "b"],
      "Too many: 2: must have at most 1 items",
    ],
    [
      "too few items",
      { type: "array", minItems: 1, items: { type: "string" } },
      [],
      "Invalid value: 0: spec.a in body should have at least 1 items",
    ],
    [
      "no date",
      { type: "string", format: "date-time" },
      "soon",
      'Invalid value: "soon": spec.a in body must be of type date-time: "soon"',
    ],
    [
      "none of anyOf",
      {
        anyOf: [
          { type: "object", required: ["x"] },
          { type: "object", required: ["y"] },
        ],
      },
      {},
      'Invalid value: "object": spec.a in body must validate at least one schema (anyOf)',
    ],
    ["a name missing in a list", { type: "array", items: named }, [{ name: "a" }, {}], undefined],
  ];
  for (const [title, schema, value, wanted] of table)
    it(title, () => {
      const expected = title.startsWith("a name missing")
        ? ["spec.a[1].name: Required value"]
        : wanted
          ? [`spec.a: ${wanted}`]
          : [];
      assert.deepEqual(causesOf(validatorWith({ a: schema }), { a: value }), expected);
    });

  it("finds every error at once", () => {
    const validator = validatorWith(
      { a: { type: "integer", minimum: 0 }, b: { type: "string", enum: ["x"] } },
      { required: ["c"] },
    );
    assert.deepEqual(causesOf(validator, { a: -1, b: "y" }), [
      "spec.c: Required value",
      "spec.a: Invalid value: -1: spec.a in body should be greater than or equal to 0",
      'spec.b: Unsupported value: "y": supported values: "x"',
    ]);
  });

  it("shows no more of a long value than helps", () => {
    const [cause = ""] = causesOf(validatorWith({ a: { type: "integer" } }), { a: "x".repeat(10_000) });
    assert(cause.length < 400, cause);
  });

  it("does not hold against a write what it leaves as it was", () => {
    const stricter = validatorWith({ a: { type: "integer", maximum: 1 } });
    assert.deepEqual(stricter.check(widget({ a: 5 }, { labels: { x: "y" } }), widget({ a: 5 })), []);
    assert.equal(stricter.check(widget({ a: 6 }), widget({ a: 5 })).length, 1);
  });
});

describe("list types", () => {
  const map: Schema = {
    type: "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["port", "protocol"],
    items: { type: "object", properties: { port: { type: "integer" }, protocol: { type: "string", default: "tcp" } } },
  };
  it("names the second item of a map with the same keys, defaults counted", () => {
    const value = { a: [{ port: 1 }, { port: 1, protocol: "udp" }, { port: 1, protocol: "tcp" }] };
    assert.deepEqual(causesOf(validatorWith({ a: map }), value), [
      'spec.a[2]: Duplicate value: {"port":1,"protocol":"tcp"}',
    ]);
  });
  it("names the second of a set's equal items", () => {
    const set: Schema = { type: "array", "x-kubernetes-list-type": "set", items: { type: "string" } };
    assert.deepEqual(causesOf(validatorWith({ a: set }), { a: ["x", "y", "x"] }), ['spec.a[2]: Duplicate value: "x"']);
  });
});

describe("CEL rules", () => {
  const rule = (fields: Record<string, unknown>, properties: Record<string, Schema> = {}) =>
    validatorWith(
      { min: { type: "integer" }, max: { type: "integer" }, ...properties },
      { "x-kubernetes-validations": [fields as { rule: string }] },
    );
  const minMax = "!has(self.min) || !has(self.max) || self.min <= self.max";

  it("lets good objects pass, and counts whole numbers as such", () => {
    assert.deepEqual(causesOf(rule({ rule: minMax }), { min: 1, max: 2 }), []);
    assert.deepEqual(causesOf(rule({ rule: "self.min % 2 == 0" }), { min: 4 }), []);
  });
  it("says the rule where there is no message", () => {
    assert.deepEqual(causesOf(rule({ rule: minMax }), { min: 3, max: 2 }), [
      `spec: Invalid value: "object": failed rule: ${minMax}`,
    ]);
  });
  it("takes message, fieldPath and reason", () => {
    const full = rule({ rule: minMax, message: "min is above max", fieldPath: ".min", reason: "FieldValueForbidden" });
    assert.deepEqual(full.check(widget({ min: 3, max: 2 })), [
      { reason: "FieldValueForbidden", field: "spec.min", message: "Forbidden: min is above max" },
    ]);
  });
  it("prefers messageExpression, and falls back when that breaks", () => {
    const good = rule({
      rule: minMax,
      messageExpression: "'min ' + string(self.min) + ' is above max'",
      message: "no",
    });
    assert.match(causesOf(good, { min: 3, max: 2 })[0] ?? "", /min 3 is above max$/);
    const broken = rule({ rule: minMax, messageExpression: "self.nothing", message: "min is above max" });
    assert.match(causesOf(broken, { min: 3, max: 2 })[0] ?? "", /min is above max$/);
  });
  it("looks at transition rules on update only", () => {
    const fixed = rule({ rule: "self.min == oldSelf.min", message: "min is fixed" });
    assert.deepEqual(causesOf(fixed, { min: 1 }), []);
    assert.deepEqual(causesOf(fixed, { min: 1, max: 2 }, { min: 1 }), []);
    assert.deepEqual(causesOf(fixed, { min: 2 }, { min: 1 }), ['spec: Invalid value: "object": min is fixed']);
  });
  it("follows the items of a map list by their keys", () => {
    const items: Schema = {
      type: "object",
      properties: { name: { type: "string" }, size: { type: "integer" } },
      "x-kubernetes-validations": [{ rule: "self.size >= oldSelf.size", message: "may not shrink" }],
    };
    const validator = validatorWith({
      a: { type: "array", items, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] },
    });
    const old = {
      a: [
        { name: "x", size: 5 },
        { name: "y", size: 1 },
      ],
    };
    assert.deepEqual(
      causesOf(
        validator,
        {
          a: [
            { name: "y", size: 2 },
            { name: "new", size: 0 },
            { name: "x", size: 4 },
          ],
        },
        old,
      ),
      ['spec.a[2]: Invalid value: "object": may not shrink'],
    );
  });
  it("counts a rule that cannot be evaluated as broken", () => {
    assert.match(
      causesOf(rule({ rule: "self.max > 1" }), { min: 1 })[0] ?? "",
      /rule evaluation error: No such key: max/,
    );
  });
});

describe("defaults and pruning", () => {
  const properties: Record<string, Schema> = {
    a: { type: "integer", default: 5 },
    b: { type: "object", properties: { c: { type: "string", default: "x" } } },
    d: { type: "array", items: { type: "object", properties: { e: { type: "boolean", default: true } } } },
    f: { type: "object", additionalProperties: { type: "string" } },
    g: { type: "string", nullable: true },
    h: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
  };
  const validator = validatorWith(properties);

  it("fills in defaults, also within lists, but makes no object to put one in", () => {
    assert.deepEqual(validator.applyDefaults(widget({ d: [{}, { e: false }] })).spec, {
      a: 5,
      d: [{ e: true }, { e: false }],
    });
    assert.deepEqual(validator.applyDefaults(widget({ b: {}, a: 0 })).spec, { a: 0, b: { c: "x" } });
  });
  it("gives back the same object when there is nothing to fill in", () => {
    const whole = widget({ a: 1 });
    assert.equal(validator.applyDefaults(whole), whole);
  });
  it("drops unknown fields and names each path", () => {
    const given = widget({
      a: 1,
      nope: 1,
      b: { c: "y", no: {} },
      d: [{ e: true }, { no: 1 }],
      f: { any: "x" },
      h: { any: [1] },
    });
    const { object, unknown } = validator.prune(given);
    assert.deepEqual(unknown, ["spec.nope", "spec.b.no", "spec.d[1].no"]);
    assert.deepEqual((object as ApiObject).spec, {
      a: 1,
      b: { c: "y" },
      d: [{ e: true }, {}],
      f: { any: "x" },
      h: { any: [1] },
    });
    assert.deepEqual(Object.keys(given.spec as object), ["a", "nope", "b", "d", "f", "h"], "the argument is as it was");
  });
  it("knows the fields of metadata", () => {
    assert.deepEqual(validator.prune(widget({}, { nmae: "x" } as object)).unknown, ["metadata.nmae"]);
  });
  it("drops null where it means nothing, and keeps it where it is allowed", () => {
    const { object, unknown } = validator.prune(widget({ a: null, g: null, b: null }));
    assert.deepEqual([(object as ApiObject).spec, unknown], [{ g: null }, []]);
  });
});

describe("metadata", () => {
  const validator = validatorWith({});
  const fields = (metadata: Partial<ApiObject["metadata"]>) =>
    validator.check(widget({}, metadata)).map(({ field, message }) => `${field}: ${message}`);
  it("takes Kubernetes' names only", () => {
    assert.deepEqual(fields({ name: "web.prod-1" }), []);
    assert.match(
      fields({ name: "Web" })[0] ?? "",
      /^metadata.name: Invalid value: "Web": a lowercase RFC 1123 subdomain must/,
    );
    assert.match(fields({ name: "a".repeat(254) })[0] ?? "", /must be no more than 253 characters$/);
  });
  it("checks labels, annotations and finalizers", () => {
    assert.match(
      fields({ labels: { "a b": "x" } })[0] ?? "",
      /^metadata.labels: Invalid value: "a b": name part must consist of/,
    );
    assert.match(
      fields({ labels: { a: "x y" } })[0] ?? "",
      /^metadata.labels: Invalid value: "x y": a valid label must be/,
    );
    assert.deepEqual(fields({ annotations: { "Davit.dev/Any": "x y" } }), []);
    assert.deepEqual(fields({ annotations: { a: "x".repeat(262_145) } }), [
      "metadata.annotations: Too long: may not be more than 262144 bytes",
    ]);
    assert.match(fields({ finalizers: ["a/b/c"] })[0] ?? "", /^metadata.finalizers/);
  });
});
