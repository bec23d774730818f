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

  const show = async (name: string, property: string) =>
    (await execute("systemctl", ["show", "-P", property, `${name}.service`])).stdout.trim();
  /** kill -9 of its main process; resolves when systemd has started another. */
  async function killed(name: string): Promise<void> {
    const pid = Number(await show(name, "MainPID"));
    process.kill(pid, "SIGKILL");
    await eventually("systemd starts it again", async () => Number(await show(name, "NRestarts")) === 1, 30_000);
    await eventually("it runs", async () => (await show(name, "ActiveState")) === "active", 30_000);
    assert.notEqual(Number(await show(name, "MainPID")), pid);
  }

  if (isRunBySystemd)
    it("starts both, has them started again when they are killed, and takes them away; a machine that has left stays away", async () => {
      const [house, agent] = [`davit-test-${process.pid}`, `davit-agent-test-${process.pid}`];
      const [up, machine] = [join(folder.path, "up"), join(folder.path, "machine")];
      const connected = async () =>
        (await davit("get", "containerinstances", "-o", "json", "--data-dir", up)).stdout.match(
          /"agentConnected": true/g,
        )?.length;
      try {
        const ports = ["--api-port", "0", "--nats-port", "0", "--runtime", "simulated"];
        const installed = await davit("up", "--install", "--unit-name", house, "--data-dir", up, ...ports);
        assert.equal(installed.code, 0, installed.stderr);
        assert.deepEqual([await show(house, "ActiveState"), await show(house, "UnitFileState")], ["active", "enabled"]);
        await killed(house);
        const created = await eventually("it answers", async () => {
          const { stdout } = await davit("token", "create", "--data-dir", up);
          return /davit join (\S+) --token (\S+)/.exec(stdout);
        });
        const [, url = "", token = ""] = created;
        const own = [
          "--data-dir",
          machine,
          "--machine-id",
          "m-1",
          "--introspection-port",
          "0",
          "--runtime",
          "simulated",
        ];
        const joined = await davit("join", url, "--token", token, ...own, "--install", "--unit-name", agent);
        assert.equal(joined.code, 0, joined.stderr);
        await killed(agent);
        await eventually("both machines are connected", async () => (await connected()) === 2, 30_000);

        const left = await davit("leave", "--data-dir", machine);
        assert.equal(left.code, 0, left.stderr);
        await eventually(
          "it is not started again",
          async () => (await show(agent, "ConditionResult")) === "no",
          30_000,
        );
        assert.equal(await show(agent, "ActiveState"), "inactive");
      } finally {
        for (const [command, name] of [
          ["join", agent],
          ["up", house],
        ] as const) {
          const removed = await davit(command, "--uninstall", "--unit-name", name);
          assert.match(removed.stdout, /is gone/);
          assert.equal(await show(name, "LoadState"), "not-found");
        }
        await davit("down", "--purge", "--data-dir", up);
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
