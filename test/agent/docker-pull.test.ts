import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { PullBehavior } from "../../agent/engine/images.js";
import { execute } from "../support/davit.js";
import { buildImage, removeImage, tagImage } from "../support/images.js";
import { type DockerBench, dockerBench, first } from "./support/docker.js";
import { type Registry, startRegistry } from "./support/registry.js";

describe("pulling from a registry", function () {
  this.timeout(60_000);
  const local = `davit-pull-test-${randomBytes(4).toString("hex")}:1`;
  let registry: Registry;
  let image: string;
  let here: DockerBench;
  let count = 0;

  before(async () => {
    registry = await startRegistry();
    image = `${registry.host}/davit-pull-test:1`;
    await buildImage(local);
    await tagImage(local, image);
    const pushed = await execute("docker", ["push", "-q", image]);
    assert.equal(pushed.code, 0, pushed.stderr);
  });
  after(async () => {
    await removeImage(local, image);
    await registry.close();
  });
  beforeEach(() => {
    here = dockerBench();
  });
  afterEach(async () => {
    await here.close();
    registry.fail(0, 429);
  });

  const cached = async (wanted: boolean): Promise<void> => {
    if (wanted) await tagImage(local, image);
    else await removeImage(image);
  };
  const started = (pullBehavior: PullBehavior) => here.start({ pullBehavior, pullBackoffMs: 50 });
  const run = (name = image) =>
    here.run(`pull${count++}`, [{ name: "web", image: name, memory: 16, command: ["sleep", "1000"], stopTimeout: 0 }]);
  /** How often a run asked the registry for the image. */
  const asked = async (): Promise<number> => {
    const before = registry.manifestRequests;
    await here.reported(run(), "RUNNING");
    return registry.manifestRequests - before;
  };

  it("pulls what is not there, and reports its digest", async () => {
    await cached(false);
    await started("default");
    const report = await here.reported(run(), "RUNNING");
    assert.match(first(report).imageDigest ?? "", /^sha256:[0-9a-f]{64}$/);
    assert.ok((report.pullStoppedAtMs ?? 0) >= (report.pullStartedAtMs ?? Number.POSITIVE_INFINITY));
  });

  it("[05-27] [05-28] with the registry away, default starts from the cache and always fails the task", async () => {
    await cached(true);
    await registry.setReachable(false);
    try {
      await started("default");
      await here.reported(run(), "RUNNING");
      await here.close();
      here = dockerBench();
      await started("always");
      const report = await here.reported(run(), "STOPPED");
      assert.equal(report.stopCode, "TaskFailedToStart");
      assert.equal(report.stoppedReason, "Task failed to start");
      assert.match(first(report).reason ?? "", /^CannotPullContainerError: API error \(500\): Get /);
    } finally {
      await registry.setReachable(true);
    }
  });

  it("[05-29] once asks the registry once, and again when the image is gone", async () => {
    await cached(true);
    await started("once");
    assert.ok((await asked()) > 0, "no task has pulled it");
    assert.equal(await asked(), 0);
    for (const task of here.control.tasks.keys()) {
      here.control.stop(task);
      await here.reported(task, "STOPPED");
    }
    await cached(false);
    assert.ok((await asked()) > 0);
  });

  it("prefer-cached asks only for what is not there", async () => {
    await cached(true);
    await started("prefer-cached");
    assert.equal(await asked(), 0);
    for (const task of here.control.tasks.keys()) {
      here.control.stop(task);
      await here.reported(task, "STOPPED");
    }
    await cached(false);
    assert.ok((await asked()) > 0);
  });

  it("an image that the registry does not have fails the task with the registry's words", async () => {
    await started("default");
    const report = await here.reported(run(`${registry.host}/nosuch:1`), "STOPPED");
    assert.match(first(report).reason ?? "", /^CannotPullContainerError: .*not found/);
  });

  it("[02-14] a tag that was pushed again is pulled for a new task; the running one keeps the old image", async () => {
    const tag = `${registry.host}/moving:1`;
    const push = async (page: string): Promise<string> => {
      await buildImage(tag, { files: { "www/version": page } });
      const { code, stdout, stderr } = await execute("docker", ["push", tag]);
      assert.equal(code, 0, stderr);
      return /digest: (sha256:[0-9a-f]{64})/.exec(stdout)?.[1] ?? assert.fail(stdout);
    };
    const version = async (task: string) =>
      (await execute("docker", ["exec", (await here.raw(task)).Id, "cat", "/www/version"])).stdout;
    let oldImage = "";
    try {
      const old = await push("one");
      await started("default");
      const before = run(tag);
      assert.equal(first(await here.reported(before, "RUNNING")).imageDigest, old);
      const moved = await push("two");
      assert.notEqual(moved, old);
      // The machine's own copy is the old one, as on any machine that did not build the new.
      oldImage = (await here.raw(before)).Image;
      await tagImage(oldImage, tag);
      const after = run(tag);
      await here.reported(after, "RUNNING");
      assert.deepEqual([await version(before), await version(after)], ["one", "two"]);
    } finally {
      await here.close();
      await removeImage(tag, oldImage);
    }
  });

  it("a busy registry is asked again", async () => {
    await cached(false);
    await started("always");
    for (const status of [429, 503]) {
      registry.fail(2, status);
      await here.reported(run(), "RUNNING");
    }
  });
});
