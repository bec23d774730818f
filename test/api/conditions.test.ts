import assert from "node:assert/strict";
import { getCondition, removeCondition, setCondition } from "../../api/conditions.js";

const T1 = Date.UTC(2026, 0, 1);
const T2 = Date.UTC(2026, 0, 2);
const ready = { type: "Ready", status: "True", reason: "Steady", message: "all run" } as const;

describe("conditions", () => {
  it("get their time when they are first set", () => {
    assert.deepEqual(setCondition(undefined, ready, T1), [{ ...ready, lastTransitionTime: "2026-01-01T00:00:00Z" }]);
  });

  it("are the very same list when nothing changed", () => {
    const list = setCondition(undefined, ready, T1);
    assert.equal(setCondition(list, { ...ready }, T2), list);
    assert.equal(removeCondition(list, "Other"), list);
  });

  it("keep their time while the status stays", () => {
    const list = setCondition(undefined, ready, T1);
    const next = setCondition(list, { ...ready, reason: "Other", observedGeneration: 2 }, T2);
    assert.equal(next[0]?.lastTransitionTime, "2026-01-01T00:00:00Z");
    assert.equal(next[0]?.reason, "Other");
    assert.equal(list[0]?.reason, "Steady", "the list that was there is not changed");
  });

  it("get a new time with a new status, and keep their place", () => {
    let list = setCondition(undefined, ready, T1);
    list = setCondition(list, { ...ready, type: "Other" }, T1);
    list = setCondition(list, { ...ready, status: "False" }, T2);
    assert.deepEqual(
      list.map(({ type }) => type),
      ["Ready", "Other"],
    );
    assert.equal(getCondition(list, "Ready")?.lastTransitionTime, "2026-01-02T00:00:00Z");
    assert.deepEqual(
      removeCondition(list, "Ready").map(({ type }) => type),
      ["Other"],
    );
  });
});
