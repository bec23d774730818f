// Service units where systemd runs the machine; elsewhere, that nothing is installed and what is said instead.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { execute } from "../../support/davit.js";
import { temporaryFolder } from "../../support/folder.js";
import { eventually } from "../../support/wait.js";

const DAVIT = new URL("../../../cli/davit.js", import.meta.url).pathname;
const davit = (...args: string[]) => execute(process.execPath, [DAVIT, ...args]);
const isRunBySystemd = existsSync("/run/systemd/system");

describe("installing a service", function () {
  this.timeout(120_000);
  const folder = temporaryFolder("systemd");
  after(() => folder.remove());

  if (isRunBySystemd)
    it("starts it, has it started again when it is killed, and takes it away", async () => {
      const name = `davit-test-${process.pid}`;
      const dataDir = join(folder.path, "data");
      const show = async (property: string) =>
        (await execute("systemctl", ["show", "-P", property, `${name}.service`])).stdout.trim();
      try {
        const ports = ["--api-port", "0", "--nats-port", "0", "--runtime", "simulated"];
        const installed = await davit("up", "--install", "--unit-name", name, "--data-dir", dataDir, ...ports);
        assert.equal(installed.code, 0, installed.stderr);
        assert.equal(await show("ActiveState"), "active");
        assert.equal(await show("UnitFileState"), "enabled");
        const pid = Number(await show("MainPID"));
        process.kill(pid, "SIGKILL");
        await eventually("systemd starts it again", async () => Number(await show("NRestarts")) === 1, 30_000);
        await eventually(
          "it answers",
          async () => (await davit("get", "clusters", "--data-dir", dataDir)).code === 0,
          60_000,
        );
        assert.notEqual(Number(await show("MainPID")), pid);
      } finally {
        const removed = await davit("up", "--uninstall", "--unit-name", name);
        assert.match(removed.stdout, /is gone/);
        assert.equal(await show("LoadState"), "not-found");
        await davit("down", "--purge", "--data-dir", dataDir);
      }
    });
  else
    it("is refused where systemd does not run the machine, with what to do instead, and changes nothing", async () => {
      const dataDir = join(folder.path, "data");
      const token = `davit.t.${"s".repeat(43)}.${"f".repeat(43)}`;
      const rows: [args: string[], said: RegExp][] = [
        [["up", "--install", "--data-dir", dataDir], /nothing to install a service in: run `davit up --detach`/],
        [
          ["join", "https://127.0.0.1:1", "--token", token, "--install", "--data-dir", dataDir],
          /nothing to install a service in: run `davit join --detach`.*docs\/machines\.md/,
        ],
        [["up", "--uninstall"], /there is no service to take away/],
        [["join", "--uninstall"], /there is no service to take away/],
      ];
      for (const [args, said] of rows) {
        const { code, stderr } = await davit(...args);
        assert.equal(code, 1);
        assert.match(stderr, said);
        assert.equal(existsSync(dataDir), false);
      }
      assert.equal(existsSync("/etc/systemd/system/davit.service"), false);
      assert.match((await davit("up", "--install", "--uninstall")).stderr, /exclude each other/);
      assert.match((await davit("join", "--container", "x")).stderr, /--container goes with --install/);
    });
});
