// What dies does not take containers with it: kill -9 of each process, alone and all together, with 5 running tasks.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Davit, execute, type Role } from "../support/davit.js";
import { buildImage, removeImage } from "../support/images.js";
import { eventually } from "../support/wait.js";
import { steadyService } from "./steady.js";

const IMAGE = "davit-test-chaos:1";
const TRUTH_MS = 10_000;

describe("kill -9 with 5 running tasks", function () {
  this.timeout(180_000);
  let davit: Davit;
  let started: Map<string, string>;

  /** Running container → when it was started, of this Davit's only instance. */
  async function containers(): Promise<Map<string, string>> {
    const [instance] = await davit.list("ContainerInstance");
    const ids = await execute("docker", [
      "ps",
      "-q",
      "--no-trunc",
      "--filter",
      `label=davit.dev/agent=${instance?.metadata.name}`,
    ]);
    const names = ids.stdout.split("\n").filter(Boolean);
    if (names.length === 0) return new Map();
    const inspected = await execute("docker", ["inspect", "--format", "{{.Id}} {{.State.StartedAt}}", ...names]);
    return new Map(
      inspected.stdout
        .trim()
        .split("\n")
        .map((line) => line.split(" ") as [string, string]),
    );
  }

  /** The API says what is so: 5 tasks, all RUNNING, each with the container that ran before, on a connected machine. */
  async function truth(): Promise<boolean> {
    const tasks = await davit.list("Task");
    const [instance] = await davit.list("ContainerInstance");
    const told = tasks.flatMap((task) => task.status?.containers ?? []).map((container) => container.runtimeId ?? "");
    return (
      tasks.length === 5 &&
      tasks.every((task) => task.status?.lastStatus === "RUNNING" && task.status.connectivity === "CONNECTED") &&
      instance?.status?.agentConnected === true &&
      told.every((id) => started.has(id)) &&
      new Set(told).size === 5
    );
  }

  before(async () => {
    await buildImage(IMAGE);
    davit = await Davit.start("kill");
    writeFileSync(join(davit.folder, "steady.yaml"), steadyService(IMAGE, 5));
    const applied = await davit.cli("apply", "-f", join(davit.folder, "steady.yaml"), "--wait");
    assert.equal(applied.code, 0, applied.stderr);
    started = await containers();
    assert.equal(started.size, 5);
  });
  after(async () => {
    await davit?.purge();
    await removeImage(IMAGE);
  });

  const everything: Role[] = ["supervisor", "agent", "server", "nats"];
  for (const roles of [["agent"], ["server"], ["nats"], ["supervisor"], everything] as Role[][])
    it(`${roles.join(", ")}: every container keeps its id, and within 10 s kubectl get tells the truth`, async () => {
      const old = new Map(roles.map((role) => [role, davit.pid(role)]));
      await davit.kill(...roles);
      if (roles.includes("supervisor")) await davit.up();
      await eventually("all are back", () => everything.every((role) => davit.pid(role) !== old.get(role)), 30_000);
      await eventually("kubectl get tells the truth", truth, TRUTH_MS);
      assert.deepEqual(await containers(), started, "the same containers, started when they were, and no other");
    });
});
