import assert from "node:assert/strict";
import { createReporter } from "../../agent/reporter.js";
import type { ReportAnswer, ReportBatch, TaskReport } from "../../bus/messages.js";
import { eventually } from "../support/wait.js";
import { hex, quiet } from "./support/builders.js";

const report = (name: string, state: TaskReport["state"], seq = 1): TaskReport => ({
  task: hex(name),
  namespace: "default",
  name,
  seq,
  state,
  containers: [],
  observedAtMs: 0,
});

describe("agent's reporter", () => {
  const answers: ((answer: Partial<ReportAnswer> | Error) => void)[] = [];
  const batches: ReportBatch[] = [];
  const superseded: number[] = [];
  const reporter = () =>
    createReporter({
      instance: hex("instance"),
      bus: {
        report: (batch) =>
          new Promise((resolve, reject) => {
            batches.push(batch);
            answers.push((answer) =>
              answer instanceof Error
                ? reject(answer)
                : resolve({ type: "davit.v1.ReportAnswer", ok: true, ...answer }),
            );
          }),
      },
      options: { reportWindowMs: 2, answerTimeoutMs: 50, busRetryMs: 1, maxBusRetryMs: 5 },
      random: () => 0.5,
      log: quiet,
      onSuperseded: (epoch) => superseded.push(epoch),
      onUnknown: () => {},
    });
  const sent = () =>
    batches.map(({ epoch, reports }) => [epoch, ...reports.map(({ name, state }) => `${name} ${state}`)]);
  beforeEach(() => {
    for (const list of [answers, batches, superseded]) list.length = 0;
  });

  it("sends what comes together in one batch, and one batch at a time", async () => {
    const made = reporter();
    made.open(7);
    made.add(report("one", "RUNNING"));
    made.add(report("two", "RUNNING"));
    await eventually("sent", () => batches.length === 1);
    made.add(report("three", "RUNNING"));
    await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(batches.length, 1);
    answers[0]?.({});
    await eventually("sent", () => batches.length === 2);
    assert.deepEqual(sent(), [
      [7, "one RUNNING", "two RUNNING"],
      [7, "three RUNNING"],
    ]);
    made.close();
  });

  it("after a lost answer sends the newest state, never the older one", async () => {
    const made = reporter();
    made.open(7);
    made.add(report("one", "RUNNING"));
    made.add(report("two", "RUNNING"));
    await eventually("sent", () => batches.length === 1);
    made.add(report("one", "STOPPED", 2));
    answers[0]?.(new Error("no answer"));
    await eventually("sent again", () => batches.length === 2);
    assert.deepEqual(sent()[1]?.slice(1).sort(), ["one STOPPED", "two RUNNING"]);
    made.close();
  });

  it("ea#705: waits for the next session when this one is over, and loses nothing", async () => {
    const made = reporter();
    made.add(report("one", "RUNNING"));
    made.open(7);
    await eventually("sent", () => batches.length === 1);
    answers[0]?.({ ok: false, superseded: true });
    await eventually("told", () => superseded.length === 1);
    assert.equal(made.waiting(), 1);
    await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(batches.length, 1);
    made.open(8);
    await eventually("sent again", () => batches.length === 2);
    assert.deepEqual(sent()[1], [8, "one RUNNING"]);
    answers[1]?.({});
    await eventually("answered", () => made.waiting() === 0);
    made.close();
  });
});
