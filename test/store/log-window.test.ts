import assert from "node:assert/strict";
import fc from "fast-check";
import { LogWindow } from "../../store/lmdb/log-window.js";

/** A write to one of a few keys; deletions make the key free again. */
const write = fc.record({ key: fc.nat(5), delete: fc.boolean(), bytes: fc.nat(100), hold: fc.option(fc.nat(200)) });

describe("change log window", () => {
  it("removes exactly the rows that no watch in the window and no live object needs", () => {
    fc.assert(
      fc.property(
        fc.array(write, { maxLength: 300, size: "max" }),
        fc.integer({ min: 5, max: 40 }),
        (writes, changes) => {
          const hard = changes * 2;
          const window = new LogWindow({ changes, bytes: 1e9, hardChanges: hard, hardBytes: 1e9 }, 0, undefined);
          const rows = new Map<number, { key: number; deleted: boolean }>();
          const live = new Map<number, number>();
          /** Revision → the one that it superseded, which a watch in the window is told as `previous`. */
          const superseded = new Map<number, number>();
          writes.forEach((each, index) => {
            const revision = index + 1;
            const previousRevision = live.get(each.key) ?? 0;
            const deleted = each.delete && previousRevision > 0;
            const cut = window.plan();
            window.push({ bytes: each.bytes, previousRevision, deleted });
            rows.set(revision, { key: each.key, deleted });
            superseded.set(revision, previousRevision);
            if (deleted) live.delete(each.key);
            else live.set(each.key, revision);
            if (cut) {
              const { held } = window;
              window.apply(cut);
              for (const row of cut.rows) assert.ok(rows.delete(row), `row ${row} removed twice`);
              if (held !== undefined) assert.equal(cut.losesHold, window.compacted > held);
            }
            if (each.hold !== null) window.hold(Math.max(0, revision - each.hold));
            const liveRevisions = new Set(live.values());
            const asked = new Set<number>();
            for (let row = window.compacted + 1; row <= revision; row++) asked.add(superseded.get(row) ?? 0);
            for (const [row] of rows)
              assert.ok(row > window.compacted || liveRevisions.has(row) || asked.has(row), `${row} left over`);
            for (let row = window.compacted + 1; row <= revision; row++) assert.ok(rows.has(row), `${row} is missing`);
            for (const row of liveRevisions) assert.ok(rows.has(row), `live ${row} is missing`);
            assert.ok(revision - window.compacted <= hard + 1);
          });
        },
      ),
    );
  });
});
