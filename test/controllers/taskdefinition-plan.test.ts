import assert from "node:assert/strict";
import {
  planRevision,
  type RevisionInput,
  type RevisionPlan,
  surplusRevisions,
} from "../../controllers/taskdefinition/plan.js";

const newest = (revision: number, contentHash: string, active = true) => ({ revision, contentHash, active });

describe("which revision a text is", () => {
  const rows: [string, RevisionInput, RevisionPlan][] = [
    ["a new family: 1", { contentHash: "a" }, { kind: "reserve", revision: 1 }],
    [
      "the same text: nothing",
      { contentHash: "a", newest: newest(3, "a"), counter: { lastRevision: 3 } },
      { kind: "keep", revision: 3 },
    ],
    [
      "a changed text: the next number",
      { contentHash: "b", newest: newest(3, "a"), counter: { lastRevision: 3, reservedFor: "a" } },
      { kind: "reserve", revision: 4 },
    ],
    [
      "the same text after deregistration: the next number",
      { contentHash: "a", newest: newest(3, "a", false), counter: { lastRevision: 3, reservedFor: "a" } },
      { kind: "reserve", revision: 4 },
    ],
    [
      "a crash between counter and revision: the number given out",
      { contentHash: "b", newest: newest(3, "a"), counter: { lastRevision: 4, reservedFor: "b" }, recorded: 3 },
      { kind: "create", revision: 4 },
    ],
    [
      "the same, but the text changed again meanwhile: the number is lost, not reused",
      { contentHash: "c", newest: newest(3, "a"), counter: { lastRevision: 4, reservedFor: "b" }, recorded: 3 },
      { kind: "reserve", revision: 5 },
    ],
    [
      "the newest revision deleted by hand: its number is not used again",
      { contentHash: "b", newest: newest(3, "a"), counter: { lastRevision: 4, reservedFor: "b" }, recorded: 4 },
      { kind: "reserve", revision: 5 },
    ],
    [
      "every revision deleted: numbers go on",
      { contentHash: "a", counter: { lastRevision: 7, reservedFor: "x" } },
      { kind: "reserve", revision: 8 },
    ],
    [
      "a counter that was lost: the revisions themselves count",
      { contentHash: "b", newest: newest(3, "a") },
      { kind: "reserve", revision: 4 },
    ],
    ["an imported text keeps its number", { contentHash: "a", imported: 12 }, { kind: "reserve", revision: 12 }],
    [
      "an imported number that is taken: the next one",
      { contentHash: "b", newest: newest(12, "a"), counter: { lastRevision: 12 }, imported: 12 },
      { kind: "reserve", revision: 13 },
    ],
  ];
  for (const [title, input, plan] of rows) it(title, () => assert.deepEqual(planRevision(input), plan));
});

describe("which deregistered revisions go", () => {
  it("the oldest beyond the limit, and none that is used or active", () => {
    const revisions = [
      { revision: 1, active: false, used: true },
      { revision: 2, active: false, used: false },
      { revision: 3, active: false, used: false },
      { revision: 4, active: false, used: false },
      { revision: 5, active: true, used: false },
    ];
    assert.deepEqual(
      surplusRevisions(revisions, 2).map(({ revision }) => revision),
      [2],
    );
  });
});
