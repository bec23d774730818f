// A subscriber that joins late, or starts again at random, folds the events into exactly the API's state, whatever
// happens to the bus, the publisher and the stream in between.
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { EventEnvelope } from "../../bus/event-messages.js";
import { eventAddress } from "../../bus/subjects.js";
import { countOf, randomFrom, seedOf } from "../support/soak-count.js";
import { eventually } from "../support/wait.js";
import { folded, sameMaps, startWorld } from "./support.js";

const STATES = ["PENDING", "ACTIVATING", "RUNNING", "STOPPING", "STOPPED"] as const;

describe("folding events", () => {
  it("gives exactly the API's state, for late and restarting subscribers, over every outage", async () => {
    const seed = seedOf("fold");
    const random = randomFrom(seed);
    const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
    const world = await startWorld("fold", { keep: 400 });
    const live = new Set<string>();
    let made = 0;

    // One after the other, also where an outage makes changes of its own meanwhile.
    let last: Promise<void> = Promise.resolve();
    const change = (): Promise<void> => {
      last = last.then(changeOnce);
      return last;
    };
    const changeOnce = async (): Promise<void> => {
      const dice = random();
      if (dice < 0.4 || live.size === 0) {
        const name = `t-${made++}`;
        live.add(name);
        await world.createTask(name);
      } else if (dice < 0.75) {
        await world.moveTask(pick([...live]), { lastStatus: pick(STATES) });
      } else if (dice < 0.85) {
        const at = { namespace: "default", name: `s-${Math.floor(random() * 5)}` };
        const service = await world.api.trustedClient.get("Service", at);
        if (!service) {
          const spec = { taskDefinition: "web" };
          await world.api.trustedClient.create("Service", {
            apiVersion: "davit.dev/v1",
            kind: "Service",
            metadata: at,
            spec,
          });
        } else if (random() < 0.5)
          await world.api.trustedClient.patch("Service", at, { spec: { desiredCount: Math.floor(random() * 1000) } });
        // The next one has the same subject.
        else await world.api.trustedClient.delete("Service", at);
      } else {
        const name = pick([...live]);
        live.delete(name);
        await world.api.trustedClient.delete("Task", { namespace: "default", name });
      }
    };
    const restartPublisher = async () => {
      await world.stopPublisher();
      for (let n = 0; n < random() * 30; n++) await change();
      world.startPublisher();
    };
    const wipe = () => rmSync(join(world.bus.folder, "jetstream"), { recursive: true });
    const outages: (() => Promise<void>)[] = [
      restartPublisher,
      restartPublisher,
      () => world.bus.restart(() => {}, "kill"),
      () => world.bus.restart(() => {}, random() < 0.5 ? "kill" : undefined),
      () => world.bus.restart(wipe),
    ];

    try {
      const first = await world.follow();
      const rounds = countOf(30);
      for (let round = 0; round < rounds; round++) {
        const late = await world.follow();
        for (let n = 0; n < 40; n++) await change();
        const outage = pick(outages)();
        for (let n = 0; n < 40; n++) await change();
        await outage;
        for (let n = 0; n < 20; n++) await change();
        const later = await world.follow();
        for (const [who, follower] of Object.entries({ first, late, later }))
          await eventually(
            `round ${round} (seed ${seed}): the ${who} subscriber is where the API is`,
            async () => follower.whole() && sameMaps(folded(follower), await world.truth()),
            30_000,
          );
        await late.end();
        await later.end();
      }
    } finally {
      await world.close();
    }
  }).timeout(600_000);

  it("tells a subscriber who stays every version of every task once, without a gap", async () => {
    const world = await startWorld("versions");
    try {
      const seen = new Map<string, number[]>();
      const follower = await world.follow({
        kinds: ["Task"],
        onEvent: ({ detail }: EventEnvelope) => {
          const { name } = detail.davit;
          seen.set(name, [...(seen.get(name) ?? []), detail.version]);
        },
      });
      await eventually("following", () => follower.whole());
      const names = Array.from({ length: 20 }, (_, n) => `t-${n}`);
      for (const name of names) await world.createTask(name);
      for (let n = 0; n < 10; n++)
        await Promise.all(names.map((name) => world.moveTask(name, { lastStatus: "RUNNING" })));
      for (const name of names) await world.api.trustedClient.delete("Task", { namespace: "default", name });
      await eventually("all have come", () => [...seen.values()].flat().length >= names.length * 12);
      for (const name of names)
        assert.deepEqual(
          seen.get(name),
          Array.from({ length: 12 }, (_, n) => n + 1),
        );
      assert.equal(follower.present().size, 0);
    } finally {
      await world.close();
    }
  });

  it("starts with a replay of many pages", async () => {
    const world = await startWorld("pages");
    try {
      await Promise.all(Array.from({ length: 1700 }, (_, n) => world.createTask(`t-${n}`)));
      await eventually("published", () => world.publisher.current() && world.acknowledged() >= world.store.revision());
      const follower = await world.follow();
      await eventually("followed", async () => follower.whole() && sameMaps(folded(follower), await world.truth()));
      const [subject] = [...follower.present().keys()];
      assert.equal(eventAddress(subject ?? "")?.namespace, "default");
    } finally {
      await world.close();
    }
  });
});
