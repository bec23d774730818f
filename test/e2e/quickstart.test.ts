// What the README promises of `npm run quickstart -- --once`, once everything is installed.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { execute } from "../support/davit.js";

const QUICKSTART = new URL("../../scripts/quickstart.js", import.meta.url).pathname;

describe("quickstart --once", function () {
  this.timeout(300_000);
  it("shows all of it, with three healthy tasks at every sample of the rollout, and leaves nothing", async () => {
    const before = new Set(readdirSync(tmpdir()));
    const { code, stdout, stderr } = await execute(process.execPath, [QUICKSTART, "--once"]);
    assert.equal(code, 0, `${stdout}${stderr}`);
    for (const version of [1, 2])
      assert.equal(stdout.match(new RegExp(`^web-\\S+ +http://\\S+ +.*version ${version}`, "gm"))?.length, 3);
    assert.match(stdout, /^step 3 of 3\ndone$/m);
    assert.match(stdout, /is replaced; all three are healthy again/);
    const [, samples, fewest] = /^(\d+) samples, .* at least (\d+) healthy tasks answered/m.exec(stdout) ?? [];
    assert.ok(Number(samples) >= 20, `${samples} samples`);
    assert.equal(fewest, "3");
    const left = readdirSync(tmpdir()).filter((name) => name.startsWith("davit-quickstart-") && !before.has(name));
    assert.deepEqual(left, []);
    const images = await execute("docker", ["images", "-q", "davit-quickstart-web"]);
    assert.equal(images.stdout, "");
  });
});
