// What a joined machine makes of a bus that is not where, or what, it was.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { askWhileOutOfReach } from "../../../cli/machine/out-of-reach.js";
import { Davit } from "../../support/davit.js";
import { temporaryFolder } from "../../support/folder.js";
import { eventually } from "../../support/wait.js";

const DAVIT = new URL("../../../cli/davit.js", import.meta.url).pathname;

describe("a bus that is out of a joined machine's reach", () => {
  it("is asked for again and again, less and less often, until there is a connection", async () => {
    let tell: (connected: boolean) => void = () => undefined;
    const askedAtMs: number[] = [];
    const end = askWhileOutOfReach({
      connection: {
        connected: () => false,
        onConnection(listener) {
          tell = listener;
          return () => {
            tell = () => undefined;
          };
        },
      },
      ask: () => askedAtMs.push(performance.now()),
      random: () => 0.5,
      afterMs: 40,
    });
    const startedAtMs = performance.now();
    await eventually("asked three times", () => askedAtMs.length === 3);
    const [one = 0, two = 0, three = 0] = askedAtMs.map((atMs) => atMs - startedAtMs);
    assert.ok(one >= 39 && two - one >= 79 && three - two >= 159, `${one} ${two} ${three}`);
    tell(true);
    await new Promise((resolve) => setTimeout(resolve, 400));
    assert.equal(askedAtMs.length, 3);
    tell(false);
    await eventually("asked again, as soon as the first time", () => askedAtMs.length === 4, 1_000);
    end();
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal(askedAtMs.length, 4);
  });

  it("is found by the control plane's word, long before the credential would be renewed", async function () {
    this.timeout(120_000);
    const folder = temporaryFolder("moved-bus");
    const davit = await Davit.start("moved-bus", ["--runtime", "simulated"]);
    let agent: ChildProcess | undefined;
    try {
      const { stdout } = await davit.cli("token", "create");
      const [, url = "", token = ""] = /^davit join (\S+) --token (\S+)$/m.exec(stdout) ?? [];
      const line = [url, "--token", token, "--runtime", "simulated", "--machine-id", "moved-bus"];
      agent = spawn(process.execPath, [DAVIT, "join", ...line, "--data-dir", join(folder.path, "agent")], {
        stdio: "ignore",
      });
      const isConnected = async (): Promise<boolean> =>
        (await davit.list("ContainerInstance")).some(
          ({ status }) => status?.machineId === "moved-bus" && status.agentConnected === true,
        );
      await eventually("it is there", isConnected);
      const commandLine = readFileSync(`/proc/${agent.pid}/cmdline`, "utf8");
      assert.ok(!commandLine.includes(token), `no token is in its command line: ${commandLine}`);

      const { apiPort } = davit.state() ?? assert.fail("no state");
      await davit.down();
      // With TLS from now on.
      const bind = ["--bind", "0.0.0.0", "--advertise", "localhost", "--api-port", String(apiPort)];
      const up = await davit.cli("up", "--detach", "--runtime", "simulated", ...bind);
      assert.equal(up.code, 0, up.stderr);
      await eventually("it is seen to be away", async () => !(await isConnected()), 30_000);
      await eventually("it is there again", isConnected, 60_000);
    } finally {
      agent?.kill("SIGKILL");
      if (agent && agent.exitCode === null && agent.signalCode === null) await once(agent, "exit");
      await davit.purge();
      folder.remove();
    }
  });
});
