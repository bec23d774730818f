import assert from "node:assert/strict";
import { type Entry, Expired, type Key, type Revision, type Store } from "../../store/store.js";
import { collect } from "../store/collect.js";
import { keyOf, objectNamed } from "../store/objects.js";
import { temporaryFolder } from "../support/folder.js";
import { countOf } from "../support/soak-count.js";
import type { OpenStore } from "./store.contract.js";

/** Makes new data of the entries in a folder; `revision` is its newest. */
export type FillStore = (folder: string, entries: AsyncIterable<Entry>, revision: Revision) => Promise<void>;

/** What a backup and its restoring ask of every engine. */
export function snapshotContract(name: string, openStore: OpenStore, fillStore: FillStore): void {
  describe(`store contract: ${name}: snapshots`, () => {
    let folder: ReturnType<typeof temporaryFolder>;
    let store: Store;
    beforeEach(async () => {
      folder = temporaryFolder("snapshot");
      store = await openStore(`${folder.path}/first`, { progressMs: 20 });
    });
    afterEach(async () => {
      await store.close();
      folder.remove();
    });

    it("backup: reads the whole store at one revision while it is written: never a consequence without its cause", async () => {
      const rounds = countOf(2_000);
      const pairs = 16;
      const snapshots: Awaited<ReturnType<Store["list"]>>[] = [];
      const writing = Promise.all(Array.from({ length: pairs }, (_, pair) => writePairs(store, pair, rounds)));
      let over = false;
      void writing.finally(() => {
        over = true;
      });
      while (!over) {
        snapshots.push(await store.list(""));
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      await writing;
      assert.ok(snapshots.length > 3, `only ${snapshots.length} snapshots`);
      for (const { entries } of snapshots)
        for (let pair = 0; pair < pairs; pair++) {
          const [a, b] = ["a", "b"].map((side) => counterOf(entries, keyOf(`${side}-${pair}`)));
          assert.ok((b ?? 0) <= (a ?? 0) && (a ?? 0) - (b ?? 0) <= 1, `pair ${pair}: a ${a}, b ${b}`);
        }
      await assertThatTheLogAgrees(store, snapshots);
    }).timeout(300_000);

    it("holds its objects as they were, whatever is written after it", async () => {
      const first = await store.create(keyOf("a"), objectNamed("a", { n: 1 }));
      const gone = await store.create(keyOf("b"), objectNamed("b"));
      const { entries, revision } = await store.list("");
      await store.update(keyOf("a"), objectNamed("a", { n: 2 }), first.revision);
      await store.delete(keyOf("b"), gone.revision);
      await store.create(keyOf("c"), objectNamed("c"));
      assert.deepEqual(entries, [first, gone]);
      assert.equal(revision, gone.revision);
    });

    it("becomes new data: the same objects at their revisions, no revision twice, none of the past to watch", async () => {
      const kept = await store.create(keyOf("a"), objectNamed("a", { text: "ä€😀" }));
      const other = await store.create(keyOf("a", "", "namespaces"), objectNamed("a"));
      await store.delete(keyOf("b"), (await store.create(keyOf("b"), objectNamed("b"))).revision);
      const { entries, revision } = await store.list("");
      const { id } = store;
      await store.close();
      const newest = revision + 1_000_000_000_000;
      await fillStore(`${folder.path}/second`, each(entries), newest);
      for (let restart = 0; restart < 2; restart++) {
        store = await openStore(`${folder.path}/second`, { progressMs: 20 });
        assert.notEqual(store.id, id);
        assert.deepEqual((await store.list("")).entries, [other, kept]);
        assert.equal(store.revision(), newest);
        for (const since of [0, kept.revision, revision, revision + 5, newest - 1, newest + 1])
          await assert.rejects(collect(store, "", since, newest + 2), Expired, `from ${since}`);
        await store.close();
      }
      store = await openStore(`${folder.path}/second`, { progressMs: 20, keepChanges: 5 });
      let next = await store.update(keyOf("a"), objectNamed("a"), kept.revision);
      assert.equal(next.revision, newest + 1);
      assert.deepEqual(
        (await collect(store, "", newest, next.revision)).map((change) => change.previous),
        [kept.object],
      );
      for (let n = 0; n < 20; n++) next = await store.update(keyOf("a"), objectNamed("a", { n }), next.revision);
      await store.close();
      store = await openStore(`${folder.path}/second`, { progressMs: 20 });
      assert.deepEqual((await store.list("")).entries, [other, next]);
    });

    it("takes none with a revision above the newest, and no folder with something in it", async () => {
      const { object } = await store.create(keyOf("a"), objectNamed("a"));
      const entries = [{ key: keyOf("a"), revision: 8, object }];
      await assert.rejects(fillStore(`${folder.path}/second`, each(entries), 7), RangeError);
      await assert.rejects(fillStore(`${folder.path}/first`, each([]), 7), /not empty/);
    });
  });
}

/** Two objects in turn, each write acknowledged before the next: `b` follows `a`. */
async function writePairs(store: Store, pair: number, rounds: number): Promise<void> {
  const [a, b] = [keyOf(`a-${pair}`), keyOf(`b-${pair}`)];
  const revisions = new Map<Key, Revision>();
  for (let count = 1; count <= rounds; count++)
    for (const key of [a, b]) {
      const known = revisions.get(key);
      const object = objectNamed(key, { count });
      const entry = await (known === undefined ? store.create(key, object) : store.update(key, object, known));
      revisions.set(key, entry.revision);
    }
}

function counterOf(entries: readonly Entry[], key: Key): number {
  const spec = entries.find((entry) => entry.key === key)?.object.spec;
  return spec !== null && typeof spec === "object" && "count" in spec ? Number(spec.count) : 0;
}

/** Each snapshot is what the log's changes up to its revision add up to. */
async function assertThatTheLogAgrees(
  store: Store,
  snapshots: readonly { entries: readonly Entry[]; revision: Revision }[],
): Promise<void> {
  const changes = await collect(store, "", 0, store.revision());
  const live = new Map<Key, Revision>();
  let at = 0;
  for (const { entries, revision } of snapshots) {
    for (let change = changes[at]; change && change.revision <= revision; change = changes[++at])
      if (change.type === "DELETED") live.delete(change.key);
      else live.set(change.key, change.revision);
    assert.deepEqual(new Map(entries.map((entry) => [entry.key, entry.revision])), live);
  }
}

async function* each(entries: readonly Entry[]): AsyncGenerator<Entry> {
  yield* entries;
}
