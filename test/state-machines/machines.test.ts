import assert from "node:assert/strict";
import { type AnyStateMachine, transition } from "xstate";
import { tableOf } from "../../scripts/generate-machines.js";
import { type Advance, advance, type MachineTable } from "../../state-machines/advance.js";
import { MACHINES } from "../../state-machines/machines.js";
import * as tables from "../../state-machines/tables.gen.js";

const TABLES: Readonly<Record<string, MachineTable<string, string>>> = tables;

const ALL: readonly { constant: string; kind: string; machine: AnyStateMachine }[] = MACHINES;

const moveBy = (machine: AnyStateMachine, state: string, event: string): unknown =>
  transition(machine, machine.resolveState({ value: state, context: undefined }), { type: event })[0].value;

describe("machines and their tables", () => {
  for (const { constant, kind, machine } of ALL) {
    it(`${kind}: table and machine agree for every state and event`, () => {
      const table = TABLES[constant];
      assert.ok(table);
      assert.deepEqual(Object.keys(machine.states), [...table.states]);
      assert.equal(machine.root.initial.target[0]?.key, table.initial);
      assert.deepEqual(new Set(machine.events), new Set(table.events));
      for (const state of table.states)
        for (const event of [...table.events, "NO_SUCH_EVENT"]) {
          const byMachine = moveBy(machine, state, event);
          const byTable: Advance<string> = advance(table, state, event);
          assert.equal(byTable.state, byMachine, `${event} in ${state}`);
          assert.equal(byTable.moved, byMachine !== state);
        }
    });

    it(`${kind}: the table is the one that is generated now`, () => {
      assert.deepEqual(TABLES[constant], tableOf(machine));
    });
  }

  it("an event that does not apply says so, with event and state", () => {
    assert.deepEqual(advance(tables.TASK, "STOPPED", "STARTED"), {
      moved: false,
      state: "STOPPED",
      why: "STARTED does not apply in STOPPED",
    });
  });
});
