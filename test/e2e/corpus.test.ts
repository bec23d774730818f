// Real task definitions, applied as they are: each runs, or names the field that is not acted on yet.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Task } from "../../api/types.gen.js";
import { Davit } from "../support/davit.js";
import { buildImage, removeImage, tagImage } from "../support/images.js";
import { eventually } from "../support/wait.js";

const FOLDER = new URL("../../../test/fixtures/corpus/task-definitions/", import.meta.url).pathname;
const BASE = "davit-test-corpus:1";
const ENTRYPOINT = "/usr/local/bin/docker-entrypoint.sh";
/** Wrong by 02-6, and refused by AWS too. */
const INVALID = ["tomcat_ec2.json", "kibana_ec2.json"];
const NOT_JSON = "firelens-fluent-bit_dynatrace_task-definition.json";
const RUN_TASK = "firelens-fluent-bit_config-file-type-file_runtask_firelens.json";
const VALID = readdirSync(FOLDER).filter((file) => ![...INVALID, NOT_JSON, RUN_TASK].includes(file));

interface Definition {
  family: string;
  containerDefinitions: { name: string; image: string }[];
}
const read = (file: string): Definition => JSON.parse(readFileSync(join(FOLDER, file), "utf8")) as Definition;

describe("real task definitions", function () {
  this.timeout(240_000);
  let davit: Davit;
  // The names that the documents ask for, carried by one image that only sleeps.
  const names = [...new Set(VALID.flatMap((file) => read(file).containerDefinitions.map(({ image }) => image)))];

  before(async () => {
    await buildImage(BASE, { files: { [ENTRYPOINT]: "#!/bin/sh\nexec sleep 100000\n" } });
    await tagImage(BASE, ...names);
    davit = await Davit.start("corpus", [], {
      ECS_IMAGE_PULL_BEHAVIOR: "prefer-cached",
      ECS_CONTAINER_STOP_TIMEOUT: "1s",
    });
  });
  after(async () => {
    await davit?.purge();
    await removeImage(...names, BASE);
  });

  /** Applies a file, runs one task of its family, and waits until the task runs or has stopped. */
  async function run(file: string): Promise<Task> {
    const applied = await davit.cli("apply", "-f", join(FOLDER, file));
    assert.equal(applied.code, 0, `${file}: ${applied.stderr}`);
    const { family } = read(file);
    const answer = await davit.cli("run", family, "-o", "json");
    if (answer.code !== 0) return { status: { stoppedReason: answer.stderr } } as Task;
    const [started] = (JSON.parse(answer.stdout) as { items: Task[] }).items;
    return eventually(`${file}: its task runs or has stopped`, async () => {
      const task = (await davit.list("Task")).find(({ metadata }) => metadata.name === started?.metadata.name);
      return task && ["RUNNING", "STOPPED"].includes(task.status?.lastStatus ?? "") && task;
    });
  }

  for (const file of ["nginx_ec2.json", "ConsulClient.json", "ConsulServer.json"])
    it(`${file} reaches RUNNING`, async () => {
      const task = await run(file);
      assert.equal(task.status?.lastStatus, "RUNNING", JSON.stringify(task.status));
      await davit.cli("stop", task.metadata.name);
    });

  it(`each of the ${VALID.length} valid files is accepted, and its task runs or says what is not implemented`, async () => {
    assert.equal(VALID.length, 35);
    const outcomes: string[] = [];
    for (const file of VALID) {
      const { status, metadata } = await run(file);
      const reason = status?.stoppedReason ?? "";
      if (status?.lastStatus !== "RUNNING") assert.match(reason, /NotImplemented: [a-zA-Z.[\]]+/, `${file}: ${reason}`);
      outcomes.push(status?.lastStatus === "RUNNING" ? "runs" : (/NotImplemented: \S+/.exec(reason)?.[0] ?? ""));
      // One at a time: they are many, and some want a static port.
      if (metadata) await davit.cli("delete", "task", metadata.name, "--wait");
    }
    console.log(
      `      ${outcomes.filter((outcome) => outcome === "runs").length} run, ${outcomes.filter((outcome) => outcome !== "runs").length} name a field`,
    );
  });

  for (const file of INVALID)
    it(`${file} is refused with the field, and nothing is applied`, async () => {
      // Another file may have declared the same family.
      const declared = async () =>
        (await davit.list("TaskDefinition")).map(({ metadata }) => `${metadata.uid} ${metadata.generation}`);
      const before = await declared();
      const { code, stderr } = await davit.cli("apply", "-f", join(FOLDER, file));
      assert.equal(code, 1);
      assert.match(stderr, /hostPort/);
      assert.ok(stderr.includes(file), stderr);
      assert.deepEqual(await declared(), before);
    });

  it("the file that is no JSON is refused with line and column", async () => {
    const { code, stderr } = await davit.cli("apply", "-f", join(FOLDER, NOT_JSON));
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`${NOT_JSON}.*\\b\\d+:\\d+|line \\d+.*column \\d+`));
  });
});
