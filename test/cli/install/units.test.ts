// The service units: their text, what systemd thinks of it, and what their commands do.
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import fc from "fast-check";
import { containerLine } from "../../../cli/install/container.js";
import { commandText, unitText } from "../../../cli/install/unit.js";
import { agentUnit, containerUnit, upUnit } from "../../../cli/install/units.js";
import { execute } from "../../support/davit.js";
import { temporaryFolder } from "../../support/folder.js";
import { eventually } from "../../support/wait.js";
import { Nanny, readUnit, splitCommand } from "./unit-file.js";

const DAVIT = new URL("../../../cli/davit.js", import.meta.url).pathname;
const AGENT = {
  ...{ image: "davit:1", name: "davit-agent", dataDir: "/var/lib/davit-agent" },
  ...{ docker: "/usr/bin/docker", socket: "/var/run/docker.sock" },
};

const FILES = { identity: "/var/lib/davit-agent/identity.json", stopping: "/var/lib/davit-agent/stopping" };

describe("service units", function () {
  this.timeout(90_000);
  const folder = temporaryFolder("units");
  after(() => folder.remove());
  const davit = (...args: string[]) => execute(process.execPath, [DAVIT, ...args]);

  it("of an agent: requires Docker, waits until it answers, is always started again", () => {
    const text = unitText(agentUnit("/var/lib/davit-agent", "/var/lib/davit-agent/identity.json", true));
    assert.equal(
      text.replaceAll(process.execPath, "NODE").replaceAll(DAVIT, "DAVIT"),
      `# Written by Davit; \`--install\` writes it anew, \`--uninstall\` removes it.
[Unit]
Description=Davit's agent: runs tasks on this machine
Wants=network-online.target
After=network-online.target docker.service
Requires=docker.service
ConditionPathExists=/var/lib/davit-agent/identity.json
# However often it fails: a machine that nobody looks at has to come back.
StartLimitIntervalSec=0

[Service]
Type=exec
EnvironmentFile=-/etc/ecs/ecs.config
ExecStartPre=NODE DAVIT wait-docker --timeout 120
ExecStart=NODE DAVIT join --data-dir /var/lib/davit-agent
Restart=always
RestartSec=2
RestartPreventExitStatus=78 5
# The main process is told to end, and ends what it started in order. Containers are Docker's, and run on.
KillMode=mixed
OOMPolicy=continue
TimeoutStartSec=180
TimeoutStopSec=90

[Install]
WantedBy=multi-user.target
`,
    );
  });

  it("of an agent in a container: a stale one is removed first, the machine's network, Docker's folder, the id", () => {
    const unit = unitText(containerUnit(AGENT, FILES));
    const lines = unit.split("\n").filter((line) => line.startsWith("Exec"));
    assert.deepEqual(lines, [
      `ExecStartPre=/bin/sh -c "i=0; until /usr/bin/docker version >/dev/null 2>&1; do i=$$((i+1)); [ $$i -lt 120 ] || exit 1; sleep 1; done"`,
      "ExecStartPre=-/usr/bin/docker rm -f davit-agent",
      "ExecStart=/usr/bin/docker run --rm --name davit-agent --network host --security-opt label=disable -v /var/run:/var/run -v /var/lib/davit-agent:/var/lib/davit-agent --mount type=bind,src=/etc/machine-id,dst=/etc/machine-id,readonly davit:1 join --data-dir /var/lib/davit-agent",
      `ExecStop=/bin/sh -c "[ \\"$$(systemctl is-system-running)\\" != stopping ] || : > \\"$$0\\"; exec \\"$$@\\"" /var/lib/davit-agent/stopping /usr/bin/docker stop -t 80 davit-agent`,
    ]);
    assert.match(containerLine(AGENT, { keeper: "docker", args: [] }).join(" "), / run -d --restart always /);
  });

  it("are in the documentation as they are: the line for a machine without systemd", () => {
    const args = ["join", "https://10.0.0.5:7443", "--token", "davit.…", "--data-dir", AGENT.dataDir];
    const line = containerLine({ ...AGENT, image: "davit:latest", docker: "docker" }, { keeper: "docker", args });
    assert.ok(readFileSync(new URL("../../../../docs/machines.md", import.meta.url), "utf8").includes(line.join(" ")));
  });

  it("of simulated machines need no Docker", () => {
    for (const spec of [agentUnit("/d", "/d/identity.json", false), upUnit([], false)])
      assert.doesNotMatch(unitText(spec), /docker/);
  });

  it("hand systemd each argument as it is, whatever is in it", () => {
    const argument = fc.string({ unit: "grapheme-ascii", minLength: 1 });
    fc.assert(
      fc.property(fc.array(argument, { minLength: 1 }), (argv) => {
        assert.deepEqual(splitCommand(commandText(argv)), argv);
      }),
    );
  });

  it("hold the typed options, paths made whole; systemd-analyze finds nothing wrong with them", async () => {
    const units = join(folder.path, "units");
    const dataDir = join(folder.path, "up data");
    mkdirSync(join(folder.path, "m"));
    const line = ["--install", "--unit-dir", units, "--data-dir", dataDir, "--api-port", "0", "--nats-port", "0"];
    const written = await execute("sh", [
      "-c",
      `cd '${folder.path}' && exec "$@"`,
      "sh",
      process.execPath,
      DAVIT,
      "up",
      ...line,
      "--manifests",
      "m",
    ]);
    assert.equal(written.code, 0, written.stderr);
    const file = join(units, "davit.service");
    assert.deepEqual(readUnit(file).start.argv.slice(2), [
      ...["up", "--data-dir", dataDir, "--api-port", "0", "--nats-port", "0"],
      ...["--manifests", join(folder.path, "m")],
    ]);
    const verified = await execute("systemd-analyze", ["verify", file]);
    assert.deepEqual([verified.code, verified.stderr.split("\n").filter((one) => one.includes(file))], [0, []]);

    const removed = await davit("up", "--uninstall", "--unit-dir", units);
    assert.match(removed.stdout, /The service davit is gone; its data and its containers stay/);
    assert.deepEqual(readdirSync(units), []);
    assert.match((await davit("up", "--uninstall", "--unit-dir", units)).stdout, /There is no service davit/);
  });

  it("[04-45] wait for a Docker that does not answer yet, with a limit, and require its service", async () => {
    const socket = join(folder.path, "docker.sock");
    const wait = (seconds: string) =>
      execute(process.execPath, [DAVIT, "wait-docker", "--timeout", seconds], { DOCKER_HOST: `unix://${socket}` });
    const late = await wait("0.2");
    assert.equal(late.code, 1);
    assert.match(late.stderr, /no Docker Engine answers at .*docker.sock/);

    let over = false;
    const waiting = wait("60").finally(() => {
      over = true;
    });
    // Docker comes up: its socket first, an answer later.
    let answers = false;
    let asked = 0;
    const server = createServer((client) => {
      asked += 1;
      if (!answers) return client.destroy();
      const engine = connect("/var/run/docker.sock");
      client.pipe(engine).pipe(client);
      for (const end of [client, engine]) end.on("error", () => end.destroy());
    });
    server.listen(socket);
    await once(server, "listening");
    await eventually("it asks, again and again", () => asked >= 2);
    assert.equal(over, false);
    answers = true;
    assert.equal((await waiting).code, 0);
    server.close();
    for (const spec of [upUnit([], true), agentUnit("/d", "/d/i", true), containerUnit(AGENT, FILES)]) {
      assert.match(unitText(spec), /^Requires=docker\.service$/m);
      assert.match(unitText(spec), /^After=.*\bdocker\.service$/m);
    }
  });

  it("[05-19] of `davit up`: its commands give a working Davit, which is there again after the process was killed", async () => {
    const units = join(folder.path, "run");
    const dataDir = join(folder.path, "run-data");
    const ports = ["--api-port", "0", "--nats-port", "0"];
    const written = await davit("up", "--install", "--unit-dir", units, "--data-dir", dataDir, ...ports);
    assert.equal(written.code, 0, written.stderr);
    const nanny = new Nanny(readUnit(join(units, "davit.service")));
    const instance = async () => {
      const { stdout } = await davit("get", "containerinstances", "-o", "json", "--data-dir", dataDir);
      const [found] = (JSON.parse(stdout) as { items: { status?: { agentConnected?: boolean; epoch?: number } }[] })
        .items;
      return found?.status?.agentConnected ? found.status : undefined;
    };
    try {
      const before = await eventually("the agent is there", instance, 40_000);
      const killed = nanny.pid;
      process.kill(killed, "SIGKILL");
      await eventually("another supervisor", () => nanny.starts.length === 2 && nanny.pid !== killed, 30_000);
      await eventually(
        "ready",
        async () => {
          const state = JSON.parse(readFileSync(join(dataDir, "state.json"), "utf8")) as {
            ready: boolean;
            supervisor: { pid: number };
            children: { agent?: { pid: number } };
          };
          return state.ready && state.supervisor.pid === nanny.pid && state;
        },
        40_000,
      );
      const state = JSON.parse(readFileSync(join(dataDir, "state.json"), "utf8")) as {
        children: { agent: { pid: number } };
      };
      process.kill(state.children.agent.pid, "SIGKILL");
      await eventually("a further session", async () => ((await instance())?.epoch ?? 0) > (before.epoch ?? 0), 40_000);
    } finally {
      await nanny.stop();
      await davit("down", "--purge", "--data-dir", dataDir);
    }
    assert.equal(existsSync(dataDir), false);
  });
});
