import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openLmdbStore } from "../../store/lmdb/lmdb-store.js";
import { acquireLock, LockHeld } from "../../store/lock.js";
import { temporaryFolder } from "../support/folder.js";

const holder = fileURLToPath(new URL("./lock-holder.js", import.meta.url));

describe("lock of a data folder", () => {
  let folder: ReturnType<typeof temporaryFolder>;
  const children: ChildProcess[] = [];
  const start = async (path: string, name: string): Promise<{ child: ChildProcess; said: string }> => {
    const child = spawn(process.execPath, [holder, path, name], { stdio: ["ignore", "pipe", "inherit"] });
    children.push(child);
    const [chunk] = await once(child.stdout, "data");
    return { child, said: String(chunk).trim() };
  };
  const kill = async (child: ChildProcess) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  beforeEach(() => {
    folder = temporaryFolder("lock");
  });
  afterEach(async () => {
    for (const child of children.splice(0)) await kill(child);
    folder.remove();
  });

  it("refuses a second process, naming the first, and is free once that is killed", async () => {
    const first = await start(folder.path, "data");
    assert.equal(first.said, "held");
    const refusal = `LockHeld: ${folder.path} is in use by process ${first.child.pid}: stop it, or give another data folder`;
    assert.equal((await start(folder.path, "data")).said, refusal);
    await kill(first.child);
    const third = await start(folder.path, "data");
    assert.equal(third.said, "held");
  });

  it("holds against a stopped holder too", async () => {
    const { child } = await start(folder.path, "data");
    child.kill("SIGSTOP");
    await assert.rejects(acquireLock(folder.path, "data"), (error) => {
      assert.ok(error instanceof LockHeld);
      assert.match(error.message, /in use by another process/);
      return true;
    });
    child.kill("SIGCONT");
  });

  it("is won by exactly one of many who find a dead holder, again and again", async () => {
    const dead = await start(folder.path, "data");
    await kill(dead.child);
    for (let round = 0; round < 10; round++) {
      const takers = await Promise.allSettled(Array.from({ length: 12 }, () => acquireLock(folder.path, "data")));
      const won = takers.filter((taker) => taker.status === "fulfilled");
      assert.equal(won.length, 1);
      for (const taker of takers) if (taker.status === "rejected") assert.ok(taker.reason instanceof LockHeld);
      await won[0]?.value.release();
    }
    assert.equal(readdirSync(folder.path).length, 1, "one socket file stays, however often the lock changes hands");
  });

  it("keeps different names apart", async () => {
    const one = await acquireLock(folder.path, "one");
    const two = await acquireLock(folder.path, "two");
    await assert.rejects(acquireLock(folder.path, "one"), LockHeld);
    await Promise.all([one.release(), two.release()]);
  });

  it("works in a folder whose path is longer than a socket's may be", async () => {
    const long = join(folder.path, "x".repeat(120));
    mkdirSync(long);
    const lock = await acquireLock(long, "data");
    await assert.rejects(acquireLock(long, "data"), LockHeld);
    await lock.release();
    await (await acquireLock(long, "data")).release();
  });

  it("keeps a second store out of the folder", async () => {
    const store = await openLmdbStore({ folder: folder.path });
    await assert.rejects(openLmdbStore({ folder: folder.path }), LockHeld);
    await store.close();
    await (await openLmdbStore({ folder: folder.path })).close();
  });
});
