import assert from "node:assert/strict";
import fc from "fast-check";
import type { ApiObject } from "../../api/meta.js";
import {
  AlreadyExists,
  type Change,
  Conflict,
  type Key,
  NotFound,
  type Revision,
  type Store,
} from "../../store/store.js";
import { collect } from "../store/collect.js";
import { keyOf, objectNamed } from "../store/objects.js";

type Command =
  | { do: "create"; key: Key; value: number }
  | { do: "update" | "delete"; key: Key; value: number; stale: boolean }
  | { do: "restart" }
  | { do: "list"; prefix: string }
  | { do: "watch"; prefix: string; from: number };

const keys = ["a", "b", "c"].flatMap((name) => [keyOf(name), keyOf(name, "other")]);
const prefixes = ["", "tasks.davit.dev/", "tasks.davit.dev/other/", keyOf("a")];

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("create"), key: fc.constantFrom(...keys), value: fc.nat() }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom("update", "delete"),
      key: fc.constantFrom(...keys),
      value: fc.nat(),
      stale: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("restart") }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("list"), prefix: fc.constantFrom(...prefixes) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("watch"), prefix: fc.constantFrom(...prefixes), from: fc.nat(99) }),
  },
);

/** The store as one would write it in ten lines, without a disk. */
class Model {
  readonly log: { type: Change["type"]; key: Key; value: number }[] = [];
  readonly live = new Map<Key, { revision: Revision; value: number }>();

  write(type: Change["type"], key: Key, value: number): Revision {
    const revision = this.log.push({ type, key, value });
    if (type === "DELETED") this.live.delete(key);
    else this.live.set(key, { revision, value });
    return revision;
  }
}

/** Each random history has the same answers, lists and watches in the store as in the model. */
export function storeModel(place: () => { open(): Promise<Store>; remove(): void }) {
  return fc.asyncProperty(fc.array(command, { maxLength: 60 }), async (commands) => {
    const { open, remove } = place();
    const model = new Model();
    let store = await open();
    try {
      for (const each of commands) {
        if (each.do === "restart") {
          await store.close();
          store = await open();
        } else await check(store, model, each);
        assert.equal(store.revision(), model.log.length);
      }
    } finally {
      await store.close();
      remove();
    }
  });
}

async function check(store: Store, model: Model, command: Exclude<Command, { do: "restart" }>): Promise<void> {
  switch (command.do) {
    case "create": {
      const { key, value } = command;
      if (model.live.has(key)) return assert.rejects(store.create(key, holding(value)), AlreadyExists);
      const revision = model.write("ADDED", key, value);
      return assert.equal((await store.create(key, holding(value))).revision, revision);
    }
    case "update":
    case "delete": {
      const { key, value, stale } = command;
      const current = model.live.get(key);
      const expected = (current?.revision ?? 1) - (stale ? 1 : 0);
      const act = () =>
        command.do === "update" ? store.update(key, holding(value), expected) : store.delete(key, expected);
      if (!current) return assert.rejects(act(), NotFound);
      if (stale) return assert.rejects(act(), Conflict);
      const revision =
        command.do === "update" ? model.write("MODIFIED", key, value) : model.write("DELETED", key, current.value);
      return assert.equal((await act()).revision, revision);
    }
    case "list": {
      const { entries } = await store.list(command.prefix);
      return assert.deepEqual(
        entries.map((entry) => [entry.key, entry.revision, entry.object.spec]),
        [...model.live]
          .filter(([key]) => key.startsWith(command.prefix))
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, { revision, value }]) => [key, revision, { value }]),
      );
    }
    case "watch": {
      const from = Math.floor((command.from / 100) * (model.log.length + 1));
      const changes = await collect(store, command.prefix, from, model.log.length);
      return assert.deepEqual(
        changes.map((change) => [change.type, change.key, change.revision, change.object.spec]),
        model.log
          .map(({ type, key, value }, index) => ({ type, key, value, revision: index + 1 }))
          .filter(({ key, revision }) => revision > from && key.startsWith(command.prefix))
          .map(({ type, key, value, revision }) => [type, key, revision, { value }]),
      );
    }
  }
}

const holding = (value: number): ApiObject => objectNamed("x", { value });
