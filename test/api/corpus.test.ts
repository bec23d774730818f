// Real task definitions through the front door, the schema, and the table of fields.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { fieldsWithoutEffect } from "../../api/fields.js";
import { describePlace, importDocuments } from "../../api/import/index.js";
import { revisionSpec } from "../../api/normal-form.js";
import type { TaskDefinitionSpec } from "../../api/types.gen.js";
import { loadResources } from "../../apiserver/resources/load.js";
import { createValidator } from "../../apiserver/validation/validator.js";

const FOLDER = new URL("../../../test/fixtures/corpus/task-definitions/", import.meta.url);
const WRONG = ["tomcat_ec2.json", "kibana_ec2.json"];
const NO_JSON = "firelens-fluent-bit_dynatrace_task-definition.json";
const RUN_TASK = "firelens-fluent-bit_config-file-type-file_runtask_firelens.json";

const files = readdirSync(FOLDER);
const definitions = files.filter((file) => file !== NO_JSON && file !== RUN_TASK);
const read = (file: string) => importDocuments(readFileSync(new URL(file, FOLDER), "utf8"), file, { runs: true });

const resource = loadResources().byKind("davit.dev/v1", "TaskDefinition");
assert.ok(resource);
const validator = createValidator(resource);
const META = {
  namespace: "default",
  uid: "u",
  resourceVersion: "1",
  generation: 1,
  creationTimestamp: "2026-01-01T00:00:00Z",
};

function definitionOf(file: string): { spec: TaskDefinitionSpec; problems: string[]; unknown: string[] } {
  const { objects, errors } = read(file);
  assert.deepEqual(errors.map(describePlace), []);
  const [imported, ...others] = objects;
  assert.ok(imported && others.length === 0);
  const { manifest } = imported;
  const object = { ...manifest, metadata: { ...META, ...manifest.metadata } };
  return {
    spec: manifest.spec as TaskDefinitionSpec,
    problems: validator.check(object).map(({ field, message }) => `${field}: ${message}`),
    unknown: validator.prune(object).unknown,
  };
}

describe("39 real documents", () => {
  it("are all there", () => assert.equal(files.length, 39));

  for (const file of definitions.filter((name) => !WRONG.includes(name)))
    it(`${file} is good, and runs or says what is not implemented`, () => {
      const { spec, problems, unknown } = definitionOf(file);
      assert.deepEqual([...problems, ...unknown], []);
      const revision = revisionSpec(spec.family ?? "", 1, spec);
      const { notImplemented } = fieldsWithoutEffect("TaskDefinitionRevision", revision);
      const runs = spec.networkMode !== "awsvpc" && spec.volumes?.length !== 1;
      assert.equal(notImplemented === undefined, runs, notImplemented);
    });

  for (const file of WRONG)
    it(`${file} is wrong by 02-6, and the field is named`, () => {
      const { problems } = definitionOf(file);
      assert.equal(problems.length, 1);
      assert.match(problems[0] ?? "", /^spec\.containerDefinitions: .*hostPort must be left out/);
    });

  it("the one that is no JSON gets line and column", () =>
    assert.deepEqual(read(NO_JSON).errors.map(describePlace), [
      `${NO_JSON}: document 1, line 34, column 20: is no JSON: expected "," or "}"`,
    ]));

  it("the RunTask request is a run", () => {
    const { runs } = read(RUN_TASK);
    assert.deepEqual(
      runs.map(({ spec, count }) => [spec.taskDefinition, spec.cluster, count]),
      [["firelens-amazon-es-bug-bash:4", "default", 1]],
    );
  });
});
