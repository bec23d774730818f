import assert from "node:assert/strict";
import type { Task } from "../../api/types.gen.js";
import { drainProgress } from "../../controllers/instance/drain-progress.js";
import type { LastPlan } from "../../controllers/taskset/last-plans.js";
import { running } from "./support/objects.js";

const plan = (parts: Partial<LastPlan> = {}): LastPlan => ({
  minimumHealthyPercent: 100,
  maximumPercent: 200,
  floor: 4,
  ceiling: 8,
  outcome: "progressing",
  attempts: 0,
  starting: 0,
  waiting: 0,
  unheard: 0,
  unplaced: undefined,
  stopping: 0,
  ...parts,
});
const stopping = { spec: { desiredStatus: "STOPPED" as const } };
const tasks = (service: string, count: number, parts: Parameters<typeof running>[0] = {}): Task[] =>
  Array.from({ length: count }, (_, n) => running({ ...parts, name: `${service}-${n}` }));
const progress = (there: readonly Task[], plans: Record<string, LastPlan> = {}, agentConnected = true) => {
  const { reason, message, unable } = drainProgress({
    tasks: there,
    serviceOf({ metadata }) {
      const name = metadata.name.replace(/-\d+$/, "");
      return name === "job" ? undefined : { key: `default/${name}`, name };
    },
    planOf: (key) => plans[key],
    agentConnected,
  });
  return { reason, message, unable: [...unable.keys()] };
};

describe("how far a drain is", () => {
  const rows: [what: string, plan: LastPlan, reason: string, text: string, unable?: true][] = [
    [
      "replacements on their way",
      plan({ starting: 2, waiting: 1 }),
      "Draining",
      "replacements: 2 starting, 1 not healthy yet",
    ],
    [
      "some of them out of sight",
      plan({ waiting: 3, unheard: 2 }),
      "Draining",
      "replacements: 1 not healthy yet, 2 on a machine whose agent is not connected",
    ],
    [
      "percents without a move",
      plan({ outcome: "stuck", maximumPercent: 100, ceiling: 4 }),
      "Blocked",
      "minimumHealthyPercent 100 and maximumPercent 100 leave no move: floor 4, ceiling 4",
      true,
    ],
    [
      "a revision that cannot run",
      plan({ blocked: "revision web:2 cannot run: NotImplemented: secrets" }),
      "Blocked",
      "nothing may be started in their place, so what is healthy stays: revision web:2 cannot run: NotImplemented: secrets",
      true,
    ],
    [
      "no room",
      plan({ unplaced: { count: 1, why: "no machine." } }),
      "Blocked",
      "no room for a replacement (floor 4, ceiling 8): no machine",
    ],
    [
      "no room for all, and others on their way",
      plan({ starting: 1, unplaced: { count: 3, why: "no machine." } }),
      "Draining",
      "replacements: 1 starting; no room for 3 replacements (floor 4, ceiling 8): no machine",
    ],
    [
      "failed starts",
      plan({ attempts: 5 }),
      "Draining",
      "replacements fail to start (5 in a row) and are tried again, ever more slowly",
    ],
    ["others still to stop", plan({ stopping: 1 }), "Draining", "waits until 1 task of it has stopped"],
  ];
  for (const [what, last, reason, text, unable] of rows)
    it(`${what}: ${reason}`, () =>
      assert.deepEqual(progress(tasks("web", 2), { "default/web": last }), {
        reason,
        message: `service web (2 tasks): ${text}.`,
        unable: unable ? ["default/web"] : [],
      }));

  it("tasks on their way down are still there, and nothing else is waited for", () => {
    assert.equal(
      progress(tasks("web", 1, stopping), { "default/web": plan({ outcome: "stuck" }) }).message,
      "service web (1 task): stopping.",
    );
    assert.match(
      progress(tasks("web", 1, stopping), {}, false).message,
      /stopping, and the machine's agent is not connected\.$/,
    );
  });
  it("several services and standalone tasks: each with its own, the worst as reason", () => {
    const there = [...tasks("web", 1), ...tasks("api", 2, stopping), ...tasks("job", 2)];
    assert.deepEqual(progress(there, { "default/web": plan({ outcome: "stuck", floor: 1, ceiling: 1 }) }), {
      reason: "Blocked",
      message:
        "service api (2 tasks): stopping; service web (1 task): minimumHealthyPercent 100 and maximumPercent 200 leave no move: floor 1, ceiling 1; 2 standalone tasks, left alone until they end or are stopped: job-0, job-1.",
      unable: ["default/web"],
    });
  });
  it("only standalone tasks, and nothing", () => {
    assert.equal(progress(tasks("job", 1)).reason, "StandaloneTasks");
    assert.deepEqual(progress([]), { reason: "Empty", message: "No task is left.", unable: [] });
  });
  it("fits a condition, however many there are", () => {
    const there = Array.from({ length: 500 }, (_, n) => [
      ...tasks(`service${"x".repeat(200)}${n}x`, 1),
      ...tasks("job", 1),
    ]).flat();
    const { message } = progress(there);
    assert.ok(message.length < 32_768, `${message.length}`);
    assert.match(message, /480 more services; 500 standalone tasks/);
  });
});
