// The bus is away, and once its disk is gone: kubectl keeps working, containers keep running, all catches up.
import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { EventEnvelope } from "../../bus/event-messages.js";
import type { Follower } from "../../bus/follow.js";
import { eventSubject } from "../../bus/subjects.js";
import { addressOf, describe as describeObject } from "../../events/shapes.js";
import { folded, sameMaps } from "../events/support.js";
import { Davit, execute } from "../support/davit.js";
import { buildImage, removeImage } from "../support/images.js";
import { countOf } from "../support/soak-count.js";
import { eventually } from "../support/wait.js";
import { steadyService } from "./steady.js";

const IMAGE = "davit-test-outage:1";
describe("an outage of the bus", function () {
  this.timeout(300_000);
  let davit: Davit;
  const outageMs = countOf(60_000);

  const running = async () =>
    (await davit.list("Task")).filter(
      ({ status }) => status?.lastStatus === "RUNNING" && status.desiredStatus === "RUNNING",
    );
  const runtimeIds = async () => (await running()).map(({ status }) => status?.containers?.[0]?.runtimeId ?? "").sort();

  /** Versions of each task, in the order in which the subscriber heard of them. */
  const heard = new Map<string, number[]>();
  let follower: Follower & { end(): Promise<void> };

  /** What the subscriber has folded the events into is exactly what the API says of every task and machine. */
  async function foldsToTheTruth(): Promise<boolean> {
    const objects = [...(await davit.list("Task")), ...(await davit.list("ContainerInstance"))];
    const truth = objects.map((object) => {
      const { version, ...detail } = describeObject(object);
      return [eventSubject(addressOf(object)), JSON.parse(JSON.stringify(detail))] as const;
    });
    return follower.whole() && sameMaps(folded(follower), new Map(truth));
  }

  before(async () => {
    await buildImage(IMAGE);
    davit = await Davit.start("outage");
    follower = davit.follow({
      kinds: ["Task", "ContainerInstance"],
      onEvent: ({ detail }: EventEnvelope) => {
        if (detail.davit.kind === "Task")
          heard.set(detail.davit.name, [...(heard.get(detail.davit.name) ?? []), detail.version]);
      },
    });
    writeFileSync(join(davit.folder, "steady.yaml"), steadyService(IMAGE, 3));
    const applied = await davit.cli("apply", "-f", join(davit.folder, "steady.yaml"), "--wait");
    assert.equal(applied.code, 0, applied.stderr);
  });
  after(async () => {
    await follower?.end();
    await davit?.purge();
    await removeImage(IMAGE);
  });

  for (const [wiped, count] of [
    [false, 4],
    [true, 5],
  ] as const)
    it(`nats-server is away for ${outageMs / 1000} s${wiped ? " and its disk is wiped" : ""}`, async () => {
      const old = await runtimeIds();
      // Without its supervisor, nobody starts nats-server again until the test does.
      await davit.kill("supervisor", "nats");
      if (wiped) rmSync(join(davit.folder, "nats", "jetstream"), { recursive: true, force: true });
      const backAt = Date.now() + outageMs;

      const scaled = await davit.kubectl("scale", "services.davit.dev/steady", `--replicas=${count}`);
      assert.equal(scaled.code, 0, `kubectl keeps working: ${scaled.stderr}`);
      const victim = old[0] ?? "";
      assert.equal((await execute("docker", ["kill", victim])).code, 0);
      const labelled = await davit.kubectl("label", "services.davit.dev/steady", `outage=${count}`, "--overwrite");
      assert.equal(labelled.code, 0, labelled.stderr);
      await sleep(Math.max(0, backAt - Date.now())); // the length of the outage is what is tested

      const kept = (await execute("docker", ["ps", "-q", "--no-trunc"])).stdout.split("\n");
      for (const id of old.slice(1)) assert.ok(kept.includes(id), "containers keep running");

      await davit.up();
      await eventually(
        `${count} tasks run, the killed one replaced`,
        async () => {
          const now = await runtimeIds();
          return now.length === count && !now.includes(victim) && old.slice(1).every((id) => now.includes(id));
        },
        30_000,
      );
      const [instance] = await davit.list("ContainerInstance");
      assert.equal(instance?.status?.agentConnected, true);
      const live = await execute("docker", [
        "ps",
        "-q",
        "--no-trunc",
        "--filter",
        `label=davit.dev/agent=${instance?.metadata.name}`,
      ]);
      assert.deepEqual(live.stdout.split("\n").filter(Boolean).sort(), await runtimeIds(), "nothing runs twice");
      await eventually("the subscriber's present is the API's", foldsToTheTruth, 30_000);
      // A new epoch starts from what is there; without one, no event may be missing.
      if (!wiped)
        for (const [name, versions] of heard)
          assert.deepEqual(
            versions,
            versions.map((_, n) => (versions[0] ?? 0) + n),
            name,
          );
    });
});
