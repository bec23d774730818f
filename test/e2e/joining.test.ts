// Machines that join a whole Davit, by the command: which cluster they are in, what they cost, what they open.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { Davit, execute } from "../support/davit.js";
import { temporaryFolder } from "../support/folder.js";
import { eventually } from "../support/wait.js";

const DAVIT = new URL("../../cli/davit.js", import.meta.url).pathname;
const MIB = 1024;

describe("machines that join", function () {
  this.timeout(90_000);
  const folder = temporaryFolder("joining");
  const processes: ChildProcess[] = [];
  let davit: Davit;

  before(async () => {
    davit = await Davit.start("joining", ["--runtime", "simulated"]);
  });
  after(async () => {
    for (const child of processes) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGTERM");
      await once(child, "exit");
    }
    await davit?.purge();
    folder.remove();
  });

  /** The arguments that the printed line has. */
  async function printedLine(...args: string[]): Promise<string[]> {
    const { stdout, stderr } = await davit.cli("token", "create", ...args);
    const [, url, token] = /davit join (\S+) --token (\S+)/.exec(stdout) ?? [];
    assert.ok(url && token, stdout + stderr);
    return [url, "--token", token];
  }
  const join1 = (name: string, line: string[], env: NodeJS.ProcessEnv = {}) => {
    const own = ["--data-dir", join(folder.path, name), "--machine-id", name, "--hostname", name];
    const child = spawn(process.execPath, [DAVIT, "join", ...line, ...own, "--introspection-port", "0"], {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, ...env },
    });
    processes.push(child);
    let said = "";
    child.stderr.on("data", (data) => {
      said += String(data);
    });
    return { child, said: () => said, exited: once(child, "exit").then(([code]) => code as number | null) };
  };
  const machine = async (name: string) =>
    (await davit.list("ContainerInstance")).find(({ status }) => status?.hostname === name && status.agentConnected);
  const namesIn = async (cluster: string) =>
    (await davit.list("ContainerInstance"))
      .filter(({ spec }) => (spec?.cluster ?? "default") === cluster)
      .map(({ status }) => status?.hostname);
  const countOf = async (cluster: string) =>
    (await davit.list("Cluster")).find(({ metadata }) => metadata.name === cluster)?.status
      ?.registeredContainerInstancesCount;

  it("[01-6] [04-3] are in the cluster default, if nobody says anything else", async () => {
    join1("plain", [...(await printedLine()), "--runtime", "simulated"], { ECS_CLUSTER: "" });
    const { spec } = await eventually("it is there", () => machine("plain"));
    assert.equal(spec?.cluster ?? "default", "default");
  });

  it("[01-7] [04-4] [01-12] are in the one that ECS_CLUSTER and the token name, and in that alone", async () => {
    const line = await printedLine("--cluster", "blue", "--create-cluster");
    const refused = join1("blue", [...line, "--runtime", "simulated"], { ECS_CLUSTER: "green" });
    assert.equal(await refused.exited, 1);
    assert.match(refused.said(), /^davit: .*blue.*green|^davit: .*green.*blue/);
    // The token is still good.
    join1("blue", [...line, "--runtime", "simulated"], { ECS_CLUSTER: "blue" });
    const { spec } = await eventually("it is there", () => machine("blue"));
    assert.equal(spec?.cluster, "blue");
    assert.deepEqual(await namesIn("blue"), ["blue"]);
    assert.ok(!(await namesIn("default")).includes("blue"));
    // The one of `davit up` itself, and `plain`.
    await eventually(
      "each cluster counts its own",
      async () => (await countOf("blue")) === 1 && (await countOf("default")) === 2,
    );
  });

  it("cost at most 80 MiB, and open nothing: they only call out", async () => {
    const { child } = join1("lean", await printedLine());
    await eventually("it is there", () => machine("lean"));
    const pid = child.pid ?? 0;
    const resident = Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
    assert.ok(resident <= 80 * MIB, `${Math.round(resident / MIB)} MiB`);
    assert.deepEqual(listening(pid), []);
    const { stdout } = await execute(process.execPath, [DAVIT, "leave", "--data-dir", join(folder.path, "lean")]);
    assert.match(stdout, /This machine has left/);
    await eventually("it is INACTIVE", async () =>
      (await davit.list("ContainerInstance")).some(
        ({ status }) => status?.hostname === "lean" && status.status === "INACTIVE",
      ),
    );
  });
});

/** Local addresses of TCP sockets that this process listens on. */
function listening(pid: number): string[] {
  const sockets = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return [/^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? ""];
      } catch {
        return [];
      }
    }),
  );
  const LISTEN = "0A";
  return ["tcp", "tcp6"].flatMap((file) =>
    readFileSync(`/proc/${pid}/net/${file}`, "utf8")
      .split("\n")
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .flatMap(([, local = "", , state, , , , , , inode = ""]) =>
        state === LISTEN && sockets.has(inode) ? [local] : [],
      ),
  );
}
