// Where systemd does not run this machine, it is the first process of a container, and the test of the services runs
// there; where it does, that test has run by itself.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { type SystemdContainer, startSystemd } from "../support/systemd-container.js";

if (!existsSync("/run/systemd/system"))
  describe("services under a real systemd", function () {
    this.timeout(120_000);
    let systemd: SystemdContainer | undefined;
    before(async () => {
      systemd = await startSystemd(`davit-test-systemd-${randomBytes(4).toString("hex")}`);
    });
    after(() => systemd?.remove());

    it("[05-19] are installed, started, started again when they are killed, and taken away", async () => {
      const test = ["node_modules/mocha/bin/mocha.js", "dist/test/cli/install/systemd.test.js"];
      const { code, stdout, stderr } = (await systemd?.run(process.execPath, ...test)) ?? assert.fail();
      assert.equal(code, 0, stdout + stderr);
      assert.match(stdout, /starts both, .*\n[\s\S]*1 passing/);
    });
  });
