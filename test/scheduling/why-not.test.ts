import assert from "node:assert/strict";
import { demand } from "../../scheduling/demand.js";
import { type Unplaced, unplacedServiceEvent } from "../../scheduling/why-not.js";
import { ask, bookOf, machine, put, tcp } from "./cluster.js";

const SENTENCE = "(service web) was unable to place a task because no container instance met all of its requirements.";

function whyNot(
  book: ReturnType<typeof bookOf>,
  wanted = demand({ cpuUnits: 512, memoryMiB: 512 }),
  distinct = false,
): Unplaced {
  const placement = ask(book, { demand: wanted, ...(distinct ? { constraints: [{ type: "distinctInstance" }] } : {}) });
  assert.ok("unplaced" in placement);
  return placement.unplaced;
}

describe("why a task is not placed", () => {
  it("counts machines by reason, and says what the nearest has", () => {
    const book = bookOf(
      machine("a", { cpuUnits: 128 }),
      machine("b", { cpuUnits: 256 }),
      machine("c", { cpuUnits: 256, status: "DRAINING" }),
      machine("d", { reservedPorts: [tcp(8080)] }),
      machine("e", { agentConnected: false }),
      machine("f", { cpuUnits: 0 }),
    );
    const unplaced = whyNot(book, demand({ cpuUnits: 512, staticPorts: [tcp(8080)] }));
    assert.equal(
      unplaced.message,
      "3 instances: insufficient CPU (needs 512, largest remaining 256); 1: DRAINING; 1: port 8080/tcp in use; 1: agent disconnected",
    );
  });

  it("an empty cluster gives the service message without a closest match", () => {
    const unplaced = whyNot(bookOf());
    assert.equal(unplacedServiceEvent("web", unplaced), SENTENCE);
    assert.equal(unplaced.message, "the cluster has no container instances");
  });

  it("the message names the closest instance and says that CPU is insufficient", () => {
    const unplaced = whyNot(
      bookOf(machine("i-far", { cpuUnits: 1, memoryMiB: 1 }), machine("i-near", { cpuUnits: 256 })),
    );
    assert.equal(
      unplacedServiceEvent("web", unplaced),
      `${SENTENCE} The closest matching container-instance i-near has insufficient CPU units available.`,
    );
    assert.deepEqual(unplaced.closest, { instance: "i-near", reason: "RESOURCE:CPU" });
  });

  it('a closest instance whose agent is disconnected is named with error "AGENT"', () => {
    const unplaced = whyNot(bookOf(machine("i-1", { agentConnected: false }), machine("i-2", { status: "DRAINING" })));
    assert.equal(
      unplacedServiceEvent("web", unplaced),
      `${SENTENCE} The closest matching container-instance i-1 encountered error "AGENT".`,
    );
  });

  it("names ECS's reason for each resource", () => {
    const rows = [
      [machine("x", { memoryMiB: 1 }), demand({ memoryMiB: 512 }), "RESOURCE:MEMORY"],
      [machine("x", { reservedPorts: [tcp(80)] }), demand({ staticPorts: [tcp(80)] }), "RESOURCE:PORTS"],
      [machine("x"), demand({ attributes: ["gpu"] }), "ATTRIBUTE"],
    ] as const;
    for (const [instance, wanted, reason] of rows)
      assert.equal(whyNot(bookOf(instance), wanted).closest?.reason, reason);
  });

  it("tells distinctInstance from a lack of room", () => {
    const book = bookOf(machine("a"));
    put(book, "1");
    assert.equal(whyNot(book, demand({}), true).closest?.reason, "DISTINCT");
  });

  it("looks again when the book has changed", () => {
    const book = bookOf(machine("a", { cpuUnits: 1 }));
    const first = whyNot(book);
    assert.equal(whyNot(book), first);
    book.setInstance(machine("b", { cpuUnits: 300 }));
    assert.match(whyNot(book).message, /^2 instances: insufficient CPU \(needs 512, largest remaining 300\)$/);
  });
});
