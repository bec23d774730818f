// The CRDs themselves: what Kubernetes asks of them, and what makes them pleasant to use.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Schema } from "../../api/crd.js";
import { FIELDS } from "../../api/field-table.js";
import { KINDS, type Kind } from "../../api/types.gen.js";
import { ROOT, readCrds } from "../../scripts/generate/crds.js";
import { withTables } from "../../scripts/generate/status.js";
import { schemaOf, typesFile } from "../../scripts/generate/types.js";

const crds = readCrds();
const kindSchema = (kind: string): Schema => {
  const crd = crds.find(({ spec }) => spec.names.kind === kind);
  assert.ok(crd, kind);
  return schemaOf(crd);
};

/** Every schema node with its path. */
function* nodes(schema: Schema, path: string): Generator<[path: string, node: Schema]> {
  yield [path, schema];
  for (const [name, property] of Object.entries(schema.properties ?? {})) yield* nodes(property, `${path}.${name}`);
  if (schema.items) yield* nodes(schema.items, `${path}[]`);
  if (typeof schema.additionalProperties === "object") yield* nodes(schema.additionalProperties, `${path}{}`);
}
const all = crds.flatMap((crd) => [...nodes(schemaOf(crd), crd.spec.names.kind)]);

describe("the CRDs", () => {
  it("are one for each kind", () => {
    assert.deepEqual(crds.map(({ spec }) => spec.names.kind).sort(), Object.keys(KINDS).sort());
  });

  for (const crd of crds)
    it(`${crd.spec.names.kind} is named and served as the conventions ask`, () => {
      const { group, scope, names, versions } = crd.spec;
      assert.equal(crd.metadata.name, `${names.plural}.${group}`);
      assert.deepEqual([group, scope, names.categories], ["davit.dev", "Namespaced", ["davit"]]);
      assert.deepEqual([names.singular, names.listKind], [names.kind.toLowerCase(), `${names.kind}List`]);
      const [version, ...others] = versions;
      assert.deepEqual([version?.name, version?.served, version?.storage, others.length], ["v1", true, true, 0]);
      const { status, scale, shortNames } = KINDS[names.kind as Kind];
      assert.deepEqual(names.shortNames, shortNames);
      assert.equal(status, schemaOf(crd).properties?.status !== undefined);
      assert.equal(scale, version?.subresources?.scale !== undefined);
      assert.equal(version?.additionalPrinterColumns?.filter(({ type }) => type === "date").length, 1);
    });

  it("have a short name each that is nobody else's", () => {
    const names = crds.flatMap(({ spec }) => spec.names.shortNames ?? []);
    assert.equal(new Set(names).size, names.length);
    const kubernetes =
      "po svc deploy rs ds sts job cj cm ns no ev pv pvc sa ing ep rc quota limits crd hpa pdb netpol".split(" ");
    assert.deepEqual(
      names.filter((name) => kubernetes.includes(name)),
      [],
    );
  });

  it("explain every field", () => {
    const silent = all.filter(
      ([path, { description }]) => /\.\w+$/.test(path) && !/\.(metadata)$/.test(path) && !description,
    );
    assert.deepEqual(
      silent.map(([path]) => path),
      [],
    );
  });

  it("are structural: every node has a type, or is int-or-string, or free", () => {
    const shapeless = all.filter(
      ([, node]) => !node.type && !node["x-kubernetes-int-or-string"] && !node["x-kubernetes-preserve-unknown-fields"],
    );
    assert.deepEqual(
      shapeless.map(([path]) => path),
      [],
    );
  });

  it("key their map lists by fields that are always there", () => {
    for (const [path, node] of all) {
      if (node["x-kubernetes-list-type"] !== "map") continue;
      for (const key of node["x-kubernetes-list-map-keys"] ?? []) {
        const known = node.items?.required?.includes(key) || node.items?.properties?.[key]?.default !== undefined;
        assert.ok(known, `${path}: ${key} must be required or have a default`);
      }
    }
  });

  it("key the lists that people share", () => {
    const shared = "containerDefinitions volumes secrets mountPoints environment tags".split(" ");
    const inSpec = [...nodes(kindSchema("TaskDefinition"), "")];
    for (const name of shared) {
      const lists = inSpec.filter(([path]) => path.endsWith(`.${name}`));
      assert.ok(lists.length > 0, name);
      for (const [path, node] of lists) assert.equal(node["x-kubernetes-list-type"], "map", path);
    }
  });

  it("say with each rule what to do", () => {
    const rules = all.flatMap(([path, node]) =>
      (node["x-kubernetes-validations"] ?? []).map((rule) => ({ path, rule })),
    );
    assert.ok(rules.length >= 20);
    for (const { path, rule } of rules) assert.ok((rule.message ?? "").length > 20, `${path}: ${rule.rule}`);
  });

  it("have no defaults in a task definition: the user's text stays the user's (decision A6)", () => {
    const defaults = [...nodes(kindSchema("TaskDefinition"), "")].filter(([, node]) => node.default !== undefined);
    assert.deepEqual(
      defaults.map(([path]) => path),
      [],
    );
  });

  it("have no default for desiredCount: a scaler's count must survive an apply (decision A32)", () => {
    assert.equal(kindSchema("Service").properties?.spec?.properties?.desiredCount?.default, undefined);
  });

  it("give a revision the shape of its task definition, with sizes as text", () => {
    const bare = (schema: Schema | undefined): unknown =>
      JSON.parse(
        JSON.stringify(schema, (key, value: unknown) => (key === "x-kubernetes-validations" ? undefined : value)),
      );
    const definition = kindSchema("TaskDefinition").properties?.spec?.properties ?? {};
    const revision = kindSchema("TaskDefinitionRevision").properties?.spec?.properties ?? {};
    const own = ["family", "revision", "contentHash", "cpu", "memory"];
    assert.deepEqual(
      Object.keys(revision).filter((name) => !(name in definition)),
      ["revision", "contentHash"],
    );
    for (const [name, property] of Object.entries(definition))
      if (!own.includes(name)) assert.deepEqual(bare(revision[name]), bare(property), name);
    assert.deepEqual([revision.cpu?.type, revision.memory?.type], ["string", "string"]);
  });
});

describe("the table of fields without effect", () => {
  for (const kind of Object.keys(FIELDS) as Kind[])
    it(`names fields that ${kind} has, each once`, () => {
      const known = new Set([...nodes(kindSchema(kind).properties?.spec ?? {}, "")].map(([path]) => path.slice(1)));
      const rows = [...FIELDS[kind].ignored, ...FIELDS[kind].notImplemented].map(({ path }) => path);
      assert.deepEqual(
        rows.filter((path) => !known.has(path)),
        [],
      );
      assert.equal(new Set(rows).size, rows.length);
    });
});

describe("generated files", () => {
  it("are in step with the CRDs and the table of fields", () => {
    const read = (path: string): string => readFileSync(new URL(path, ROOT), "utf8");
    assert.ok(typesFile(crds) === read("api/types.gen.ts"), "api/types.gen.ts: run `npm run generate`");
    const status = read("docs/status.md");
    assert.ok(withTables(status, crds) === status, "docs/status.md: run `npm run generate`");
  });

  it("have no type that stands for two shapes", () => {
    const copies = structuredClone(crds);
    const first = copies.find(({ spec }) => spec.names.kind === "Cluster");
    assert.ok(first);
    const rest = copies.filter((crd) => crd !== first);
    const tag = schemaOf(first).properties?.spec?.properties?.tags?.items;
    assert.equal(tag?.title, "Tag");
    tag.properties = { ...tag.properties, more: { type: "string" } };
    assert.throws(() => typesFile([first, ...rest]), /two schemas with title Tag differ/);
  });

  it("refuse a table that nobody makes", () => {
    assert.throws(
      () => withTables("<!-- generated: nothing -->\n<!-- /generated -->", crds),
      /no generated part nothing/,
    );
  });
});
