import assert from "node:assert/strict";
import fc from "fast-check";
import {
  AlreadyExists,
  type Batch,
  Conflict,
  type Entry,
  Expired,
  NotFound,
  type Revision,
  type Store,
  TooSlow,
} from "../../store/store.js";
import { collect } from "../store/collect.js";
import { keyOf, objectNamed } from "../store/objects.js";
import { temporaryFolder } from "../support/folder.js";
import { countOf, seedOf } from "../support/soak-count.js";
import { eventually } from "../support/wait.js";
import { storeModel } from "./store.model.js";

export interface ContractOptions {
  /** Changes that the log keeps, and keeps while held. The engine's own default if absent. */
  keepChanges?: number;
  keepHeldChanges?: number;
  /** How often watchers of quiet prefixes hear of the newest revision. */
  progressMs?: number;
}
/** Opens the data in a folder, which may hold what an earlier store left there. */
export type OpenStore = (folder: string, options: ContractOptions) => Promise<Store>;

/** What every engine must keep. */
export function storeContract(name: string, openStore: OpenStore): void {
  describe(`store contract: ${name}`, () => {
    let folder: ReturnType<typeof temporaryFolder>;
    let store: Store;
    const open = async (options: ContractOptions = {}) => {
      store = await openStore(folder.path, { progressMs: 20, ...options });
      return store;
    };
    const reopen = async (options: ContractOptions = {}) => {
      await store.close();
      return open(options);
    };
    beforeEach(() => {
      folder = temporaryFolder("store");
    });
    afterEach(async () => {
      await store.close();
      folder.remove();
    });

    it("gives later writes higher revisions, whatever their keys, and shows each at once when acknowledged", async () => {
      await open();
      let last = 0;
      for (let i = 0; i < 20; i++) {
        const key = keyOf(`t${i % 7}`, `ns${i % 3}`);
        const current = await store.get(key);
        const entry = current
          ? await store.update(key, objectNamed("x", { i }), current.revision)
          : await store.create(key, objectNamed("x", { i }));
        assert.ok(entry.revision > last);
        assert.equal(entry.object.metadata.resourceVersion, String(entry.revision));
        assert.deepEqual(await store.get(key), entry);
        assert.equal(store.revision(), entry.revision);
        last = entry.revision;
      }
    });

    it("lets one of many creators win, and shows the others the object that won", async () => {
      await open();
      const key = keyOf("one");
      const results = await Promise.allSettled(
        Array.from({ length: 64 }, (_, i) => store.create(key, objectNamed("one", { i }))),
      );
      const won = results.filter((result) => result.status === "fulfilled").map((result) => result.value);
      assert.equal(won.length, 1);
      for (const result of results)
        if (result.status === "rejected") {
          assert.ok(result.reason instanceof AlreadyExists);
          assert.deepEqual(result.reason.current, won[0]);
        }
    });

    it("refuses a stale update and a stale deletion with the entry that won", async () => {
      await open();
      const key = keyOf("a");
      const first = await store.create(key, objectNamed("a", { n: 1 }));
      const second = await store.update(key, objectNamed("a", { n: 2 }), first.revision);
      const stale = (error: unknown) => {
        assert.ok(error instanceof Conflict);
        assert.deepEqual(error.current, second);
        return true;
      };
      await assert.rejects(store.update(key, objectNamed("a", { n: 3 }), first.revision), stale);
      await assert.rejects(store.delete(key, first.revision), stale);
      assert.deepEqual(await store.get(key), second);
    });

    it("answers NotFound for what was never there and for what is deleted, and lets it be made again", async () => {
      await open();
      const key = keyOf("a");
      await assert.rejects(store.update(key, objectNamed("a"), 1), NotFound);
      await assert.rejects(store.delete(key, 1), NotFound);
      const { revision } = await store.create(key, objectNamed("a"));
      const deleted = await store.delete(key, revision);
      await assert.rejects(store.update(key, objectNamed("a"), deleted.revision), NotFound);
      assert.equal(await store.get(key), undefined);
      const again = await store.create(key, objectNamed("a", { again: true }));
      assert.ok(again.revision > deleted.revision);
    });

    it("accepts no version twice under 64 concurrent writers", async () => {
      await open();
      const keys = Array.from({ length: 8 }, (_, i) => keyOf(`counter-${i}`));
      for (const key of keys) await store.create(key, objectNamed("counter", { count: 0 }));
      const perWriter = countOf(400);
      const revisions = new Set<Revision>();
      const increment = async (key: string): Promise<void> => {
        for (;;) {
          const current = await store.get(key);
          assert.ok(current);
          try {
            const next = objectNamed("counter", { count: counted(current) + 1 });
            revisions.add((await store.update(key, next, current.revision)).revision);
            return;
          } catch (error) {
            assert.ok(error instanceof Conflict, String(error));
          }
        }
      };
      const writer = async (w: number) => {
        for (let i = 0; i < perWriter; i++) await increment(keys[(w * 7 + i * 3) % keys.length] ?? "");
      };
      await Promise.all(Array.from({ length: 64 }, (_, w) => writer(w)));
      const { entries } = await store.list(keyOf("counter"));
      assert.equal(
        entries.reduce((sum, entry) => sum + counted(entry), 0),
        64 * perWriter,
      );
      assert.equal(revisions.size, 64 * perWriter);
    }).timeout(300_000);

    it("lists by prefix, in key order, only live entries, with the revision of the list", async () => {
      await open();
      const names = ["b", "a", "a-b", "c", "a.b", "B"];
      for (const namespace of ["dev", "de-v"])
        for (const each of names) await store.create(keyOf(each, namespace), objectNamed(each));
      await store.create(keyOf("a", "dev", "taskdefinitions.davit.dev"), objectNamed("a"));
      const gone = await store.get(keyOf("c", "dev"));
      await store.delete(keyOf("c", "dev"), gone?.revision ?? 0);
      const keys = async (prefix: string) => (await store.list(prefix)).entries.map((entry) => entry.key);
      assert.deepEqual(
        await keys("tasks.davit.dev/dev/"),
        ["B", "a", "a-b", "a.b", "b"].map((n) => keyOf(n, "dev")),
      );
      assert.equal((await keys("tasks.davit.dev/")).length, 11);
      assert.deepEqual(await keys("tasks.davit.dev/"), (await keys("tasks.davit.dev/")).sort(byCodeUnit));
      assert.deepEqual(await keys(keyOf("a-", "de-v")), [keyOf("a-b", "de-v")]);
      assert.deepEqual(await keys("task"), (await keys("")).sort(byCodeUnit));
      assert.deepEqual(await keys("nothing/"), []);
      assert.equal((await store.list("")).revision, store.revision());
    });

    it("keeps objects, revisions, log and identity over a restart", async () => {
      await open();
      const { id } = store;
      const first = await store.create(keyOf("a"), objectNamed("a", { n: 1, text: "ä€😀" }));
      const second = await store.update(keyOf("a"), objectNamed("a", { n: 2 }), first.revision);
      const b = await store.create(keyOf("b"), objectNamed("b"));
      const deleted = await store.delete(keyOf("b"), b.revision);
      await reopen();
      assert.equal(store.id, id);
      assert.equal(store.revision(), deleted.revision);
      assert.deepEqual(await store.get(keyOf("a")), second);
      assert.equal(await store.get(keyOf("b")), undefined);
      const changes = await collect(store, "", 0, deleted.revision);
      assert.deepEqual(
        changes.map(({ type, key, revision }) => [type, key, revision]),
        [
          ["ADDED", keyOf("a"), first.revision],
          ["MODIFIED", keyOf("a"), second.revision],
          ["ADDED", keyOf("b"), b.revision],
          ["DELETED", keyOf("b"), deleted.revision],
        ],
      );
      assert.deepEqual(changes[0]?.object, first.object);
      assert.deepEqual(changes[1]?.previous, first.object);
      const next = await store.create(keyOf("c"), objectNamed("c"));
      assert.ok(next.revision > deleted.revision);
    });

    it("tells watchers of a deletion with the last object and the deletion's own revision", async () => {
      await open();
      const created = await store.create(keyOf("a"), objectNamed("a", { last: true }));
      const deleted = await store.delete(keyOf("a"), created.revision);
      const [change] = await collect(store, "", created.revision, deleted.revision);
      assert.equal(change?.type, "DELETED");
      assert.deepEqual(change?.object.spec, { last: true });
      assert.equal(change?.object.metadata.resourceVersion, String(deleted.revision));
      assert.equal(created.object.metadata.resourceVersion, String(created.revision), "the live object was shared");
      assert.deepEqual(change?.previous, created.object);
    });

    it("lets a watcher resume over restarts at any moment without a gap or a repetition", async () => {
      await open();
      const seen: Revision[] = [];
      let position = 0;
      for (let round = 0; round < 6; round++) {
        const signal = new AbortController();
        const watching = (async () => {
          for await (const batch of store.watch("tasks.davit.dev/default/", position, { signal: signal.signal })) {
            for (const change of batch.changes) seen.push(change.revision);
            position = batch.revision;
          }
        })();
        const mine = Array.from({ length: 30 }, (_, i) => store.create(keyOf(`r${round}-${i}`), objectNamed("x")));
        const others = Array.from({ length: 5 }, (_, i) =>
          store.create(keyOf(`r${round}-${i}`, "other"), objectNamed("x")),
        );
        if (round % 2 === 0) await Promise.all(mine.slice(0, round * 5));
        else await eventually("some to be seen", () => seen.length > round * 20);
        if (round % 3 === 0) signal.abort();
        await Promise.all([...mine, ...others]);
        await reopen();
        await watching;
        signal.abort();
      }
      seen.push(
        ...(await collect(store, "tasks.davit.dev/default/", position, store.revision())).map((c) => c.revision),
      );
      const written = (await store.list("tasks.davit.dev/default/")).entries.map((entry) => entry.revision);
      assert.deepEqual(
        seen,
        written.sort((a, b) => a - b),
      );
    });

    it("shows a watcher its prefix only", async () => {
      await open();
      const signal = new AbortController();
      const seen: string[] = [];
      const watching = (async () => {
        for await (const { changes } of store.watch("tasks.davit.dev/dev/", 0, { signal: signal.signal }))
          seen.push(...changes.map((change) => change.key));
      })();
      await store.create(keyOf("a", "dev"), objectNamed("a"));
      await store.create(keyOf("a", "dev-2"), objectNamed("a"));
      await store.create(keyOf("a", "dev", "taskdefinitions.davit.dev"), objectNamed("a"));
      await store.create(keyOf("b", "dev"), objectNamed("b"));
      await eventually("b to be seen", () => seen.includes(keyOf("b", "dev")));
      signal.abort();
      await watching;
      assert.deepEqual(seen, [keyOf("a", "dev"), keyOf("b", "dev")]);
    });

    it("tells a watcher of a quiet prefix how far the order has got, and never further than it has been given", async () => {
      await open();
      const signal = new AbortController();
      const batches: Batch[] = [];
      const watching = (async () => {
        for await (const batch of store.watch("services.davit.dev/", 0, { signal: signal.signal })) batches.push(batch);
      })();
      const service = await store.create(keyOf("s", "default", "services.davit.dev"), objectNamed("s"));
      for (let i = 0; i < 5; i++) await store.create(keyOf(`t${i}`), objectNamed("t"));
      const reached = store.revision();
      await eventually("the bookmark", () => batches.at(-1)?.revision === reached);
      signal.abort();
      await watching;
      assert.deepEqual(
        batches.flatMap((batch) => batch.changes.map((change) => change.revision)),
        [service.revision],
      );
      let last = 0;
      for (const batch of batches) {
        assert.ok(batch.revision >= last);
        assert.ok(batch.changes.every((change) => change.revision > last && change.revision <= batch.revision));
        last = batch.revision;
      }
    });

    it("answers Expired outside of its window, and keeps old live objects readable after a restart", async () => {
      await open({ keepChanges: 20 });
      const old = await store.create(keyOf("old"), objectNamed("old", { kept: true }));
      let churn = await store.create(keyOf("churn"), objectNamed("churn"));
      const brief = await store.create(keyOf("brief"), objectNamed("brief"));
      await store.delete(keyOf("brief"), brief.revision);
      for (let n = 0; n < 100; n++)
        churn = await store.update(keyOf("churn"), objectNamed("churn", { n }), churn.revision);
      for (let restart = 0; restart < 2; restart++) {
        await assert.rejects(collect(store, "", old.revision, churn.revision), (error) => {
          assert.ok(error instanceof Expired);
          assert.ok(error.oldest > old.revision);
          return true;
        });
        const recent = await collect(store, "", churn.revision - 10, churn.revision);
        assert.equal(recent.length, 10);
        assert.deepEqual(await store.get(keyOf("old")), old);
        assert.deepEqual(await store.get(keyOf("churn")), churn);
        await reopen({ keepChanges: 20 });
      }
      await assert.rejects(collect(store, "", churn.revision + 1, churn.revision + 2), Expired, "of another life");
    });

    it("keeps the log from what is held, also over a restart, until the hard limit", async () => {
      const limits = { keepChanges: 20, keepHeldChanges: 60 };
      await open(limits);
      let entry = await store.create(keyOf("a"), objectNamed("a"));
      const touch = async (times: number) => {
        for (let n = 0; n < times; n++) entry = await store.update(keyOf("a"), objectNamed("a", { n }), entry.revision);
      };
      await touch(4);
      const held = entry.revision;
      store.hold(held);
      await touch(40);
      assert.equal((await collect(store, "", held, entry.revision)).length, 40);
      await reopen(limits);
      await touch(10);
      assert.equal((await collect(store, "", held, entry.revision)).length, 50);
      await touch(30);
      await assert.rejects(collect(store, "", held, entry.revision), Expired);
    });

    it("knows how much it keeps and may keep, also after a restart", async () => {
      const limits = { keepChanges: 20, keepHeldChanges: 60 };
      await open(limits);
      let entry = await store.create(keyOf("a"), objectNamed("a"));
      await store.create(keyOf("b", "other"), objectNamed("b"));
      await store.delete(keyOf("b", "other"), 2);
      for (let restart = 0; restart < 2; restart++) {
        const { objects, log, limit, hardLimit } = store.size();
        assert.deepEqual([objects, log.changes, limit.changes, hardLimit.changes], [1, 3, 20, 60]);
        assert.ok(log.bytes > 100 && log.bytes < limit.bytes, `${log.bytes} bytes`);
        await reopen(limits);
      }
      for (let n = 0; n < 100; n++) entry = await store.update(entry.key, objectNamed("a", { n }), entry.revision);
      const { log } = store.size();
      assert.ok(log.changes <= 21, `${log.changes} changes`);
    });

    it("drops a reader that falls too far behind, and no writer waits for it", async () => {
      await open();
      const signal = new AbortController();
      const watch = store.watch("", 0, { signal: signal.signal, maxBehind: 10 })[Symbol.asyncIterator]();
      const first = watch.next();
      await store.create(keyOf("first"), objectNamed("first"));
      await first;
      for (let i = 0; i < 30; i++) await store.create(keyOf(`t${i}`), objectNamed("t"));
      await assert.rejects(async () => {
        for (;;) if ((await watch.next()).done) return;
      }, TooSlow);
      signal.abort();
    });

    it("ends a watch when its signal aborts and when the store closes", async () => {
      await open();
      const aborted = new AbortController();
      const [one, two] = [aborted.signal, new AbortController().signal].map((signal) => drain(store, signal));
      await store.create(keyOf("a"), objectNamed("a"));
      aborted.abort();
      await one;
      await store.close();
      await two;
      await assert.rejects(store.create(keyOf("b"), objectNamed("b")), /closed/);
      await drain(store, AbortSignal.abort());
    });

    it("refuses a key of the wrong form, and what can't be written, without a trace", async () => {
      await open();
      await assert.rejects(store.create("tasks/a", objectNamed("a")), TypeError);
      await assert.rejects(store.create("tasks/a/b/c", objectNamed("a")), TypeError);
      await assert.rejects(store.create(keyOf("a"), objectNamed("a", { no: 1n })), TypeError);
      assert.equal((await store.create(keyOf("a"), objectNamed("a"))).revision, 1);
    });

    it("agrees with a simple model over random histories with restarts", async () => {
      await fc.assert(
        storeModel(() => {
          const mine = temporaryFolder("store-model");
          return { open: () => openStore(mine.path, { progressMs: 20 }), remove: mine.remove };
        }),
        { seed: seedOf("model"), numRuns: countOf(300) },
      );
      await open();
    }).timeout(300_000);
  });
}

async function drain(store: Store, signal: AbortSignal): Promise<void> {
  for await (const _ of store.watch("", 0, { signal }));
}

function counted({ object }: Entry): number {
  const { spec } = object;
  return spec !== null && typeof spec === "object" && "count" in spec ? Number(spec.count) : Number.NaN;
}

const byCodeUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
