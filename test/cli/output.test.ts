import assert from "node:assert/strict";
import { Writable } from "node:stream";
import type { Service } from "../../api/types.gen.js";
import { age, columns } from "../../cli/output/columns.js";
import { rolloutOf } from "../../cli/output/rollout.js";
import { progress, visible } from "../../cli/output/terminal.js";

describe("output", () => {
  it("columns are as wide as their widest cell, without blanks at the end", () =>
    assert.equal(
      columns(
        ["NAME", "PORTS"],
        [
          ["a", "1→2"],
          ["longer", ""],
        ],
      ),
      "NAME     PORTS\na        1→2\nlonger",
    ));

  for (const [seconds, wanted] of [
    [0, "0s"],
    [119, "119s"],
    [125, "2m5s"],
    [600, "10m"],
    [3 * 3600, "3h"],
    [50 * 3600, "2d"],
  ] as const)
    it(`${seconds} seconds are ${wanted}`, () => assert.equal(age(new Date(0).toISOString(), seconds * 1000), wanted));

  it("nothing that a machine or an image says of itself acts on the terminal; colours stay", () => {
    const said = "a\u001b[2Jb\u001b]0;title\u0007c\rd\u0000e\u009b2Jf";
    assert.equal(visible(said), "a\ufffd[2Jb\ufffd]0;title\ufffdc\ufffdd\ufffde\ufffd2Jf");
    const ours = "\u001b[1mNAME\u001b[0m\tä→😀\n\u001b[1;31mred";
    assert.equal(visible(ours), ours);
  });

  it("progress elsewhere than on a terminal is a plain line per change", () => {
    let written = "";
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        written += chunk.toString();
        done();
      },
    });
    const shown = progress(stream);
    for (const text of ["one", "one", "two"]) shown.show(text);
    shown.done();
    assert.equal(written, "one\ntwo\n");
  });
});

describe("rollout", () => {
  const service = (status: object | undefined, generation = 2): Service =>
    ({
      apiVersion: "davit.dev/v1",
      kind: "Service",
      metadata: { name: "web", generation },
      spec: { taskDefinition: "web", desiredCount: 3 },
      ...(status && { status }),
    }) as unknown as Service;
  const ready = (status: string, message = "") => ({ type: "Ready", status, reason: "R", message });
  const deployment = (rolloutState: string, more: object = {}) => ({
    status: "PRIMARY",
    taskDefinition: "web:2",
    runningCount: 3,
    desiredCount: 3,
    rolloutState,
    ...more,
  });
  for (const [what, given, state, text] of [
    ["no status yet", undefined, "going", /not seen yet/],
    [
      "an older generation",
      { observedGeneration: 1, conditions: [ready("True")], deployments: [deployment("COMPLETED")] },
      "going",
      /not seen yet/,
    ],
    [
      "steady",
      { observedGeneration: 2, conditions: [ready("True")], deployments: [deployment("COMPLETED")] },
      "over",
      /3 of 3 tasks of web:2/,
    ],
    [
      "in progress",
      { observedGeneration: 2, conditions: [ready("False", "1 of 3")], deployments: [deployment("IN_PROGRESS")] },
      "going",
      /1 of 3/,
    ],
    [
      "failed",
      {
        observedGeneration: 2,
        conditions: [ready("False")],
        deployments: [deployment("FAILED", { rolloutStateReason: "tasks failed to start" })],
      },
      "failed",
      /tasks failed to start/,
    ],
    [
      "not accepted",
      {
        observedGeneration: 2,
        conditions: [{ type: "Accepted", status: "False", reason: "Clash", message: "older wins" }],
      },
      "failed",
      /Clash: older wins/,
    ],
  ] as const)
    it(`${what}: ${state}`, () => {
      const rollout = rolloutOf(service(given));
      assert.equal(rollout.state, state);
      assert.match(rollout.text, text);
    });
});
