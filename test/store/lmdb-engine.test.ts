import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { open as openLmdb } from "lmdb";
import { openLmdbStore } from "../../store/lmdb/lmdb-store.js";
import { temporaryFolder } from "../support/folder.js";
import { keyOf, objectNamed } from "./objects.js";

describe("LMDB store", () => {
  let folder: ReturnType<typeof temporaryFolder>;
  beforeEach(() => {
    folder = temporaryFolder("lmdb");
  });
  afterEach(() => folder.remove());

  it("refuses data of another format in one sentence that says what to do, and leaves it alone", async () => {
    await (await openLmdbStore({ folder: folder.path })).close();
    const root = openLmdb({ path: join(folder.path, "store.mdb"), maxDbs: 3 });
    await root.openDB("meta", { encoding: "ordered-binary" }).put("format", 7);
    await root.close();
    const expected =
      `the data in ${folder.path} has format 7, but this version of Davit reads format 1: ` +
      "run the version that wrote it, or give another data folder";
    for (const _ of [1, 2]) await assert.rejects(openLmdbStore({ folder: folder.path }), { message: expected });
  });

  it("gives every new folder an identity of its own", async () => {
    const other = temporaryFolder("lmdb");
    const stores = await Promise.all([folder, other].map(({ path }) => openLmdbStore({ folder: path })));
    assert.notEqual(stores[0]?.id, stores[1]?.id);
    await Promise.all(stores.map((store) => store.close()));
    other.remove();
  });

  it("shows nothing that is not on the disk yet, but decides on it", async () => {
    const store = await openLmdbStore({ folder: folder.path });
    const creating = store.create(keyOf("a"), objectNamed("a"));
    const updating = store.update(keyOf("a"), objectNamed("a", { n: 2 }), 1);
    const deleting = store.delete(keyOf("a"), 2);
    const creatingAgain = store.create(keyOf("a"), objectNamed("a"));
    assert.equal(await store.get(keyOf("a")), undefined);
    assert.equal(store.revision(), 0);
    const entries = await Promise.all([creating, updating, deleting, creatingAgain]);
    assert.deepEqual(
      entries.map((entry) => entry.revision),
      [1, 2, 3, 4],
    );
    assert.equal((await store.get(keyOf("a")))?.revision, 4);
    await store.close();
  });

  it("says so when the log is cut past what is held", async () => {
    const gaps: { held: number; oldest: number }[] = [];
    const window = { changes: 10, hardChanges: 30 };
    const store = await openLmdbStore({ folder: folder.path, window, onGap: (gap) => gaps.push(gap) });
    let entry = await store.create(keyOf("a"), objectNamed("a"));
    store.hold(1);
    for (let n = 0; n < 60; n++) entry = await store.update(keyOf("a"), objectNamed("a", { n }), entry.revision);
    assert.equal(gaps.length, 1, "once per hold that is lost");
    assert.equal(gaps[0]?.held, 1);
    assert.ok((gaps[0]?.oldest ?? 0) > 1);
    await store.close();
  });

  it("bounds the log by bytes, held or not", async () => {
    const window = { bytes: 20_000, hardBytes: 40_000 };
    const store = await openLmdbStore({ folder: folder.path, window });
    const padding = "x".repeat(1_000);
    const signal = AbortSignal.timeout(10_000);
    const first = async (since: number) => store.watch("", since, { signal })[Symbol.asyncIterator]().next();
    let entry = await store.create(keyOf("a"), objectNamed("a", { padding }));
    const touch = async (times: number) => {
      for (let n = 0; n < times; n++)
        entry = await store.update(keyOf("a"), objectNamed("a", { padding }), entry.revision);
    };
    await touch(9);
    store.hold(10);
    await touch(20);
    await first(10);
    await touch(30);
    await assert.rejects(first(10), { name: "Expired" });
    await first(entry.revision - 10);
    await store.close();
  });

  it("ends the process when a commit fails, and acknowledges nothing of it", async () => {
    const writer = fileURLToPath(new URL("./failing-writer.js", import.meta.url));
    // A file size limit stands for a full disk. Its signal is ignored, so that the write itself fails.
    const limited = `trap '' XFSZ; ulimit -f 2000; exec "$0" "$1" "$2"`;
    const { stdout } = await promisify(execFile)("bash", ["-c", limited, process.execPath, writer, folder.path]);
    const said = stdout.trim().split("\n");
    const acks = said.filter((line) => line.startsWith("ack "));
    assert.ok(acks.length > 10);
    assert.match(said[acks.length] ?? "", /^fatal the store could not be written: .+/);
    assert.match(said[acks.length + 1] ?? "", new RegExp(`^refused ${acks.length} the store could not be written`));
    assert.deepEqual(said.slice(acks.length + 2), ["refused later"]);
    const store = await openLmdbStore({ folder: folder.path });
    assert.ok((await store.list("")).entries.length >= acks.length);
    await store.close();
  });
});
