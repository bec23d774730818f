import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openLmdbStore } from "../../store/lmdb/lmdb-store.js";
import { temporaryFolder } from "../support/folder.js";
import { countOf, randomFrom, seedOf } from "../support/soak-count.js";
import { parseSystemCalls, type SystemCall } from "../support/system-calls.js";
import { collect } from "./collect.js";

const writer = fileURLToPath(new URL("./acknowledging-writer.js", import.meta.url));

describe("durability of the LMDB store", () => {
  let folder: ReturnType<typeof temporaryFolder>;
  beforeEach(() => {
    folder = temporaryFolder("durability");
  });
  afterEach(() => folder.remove());

  it("has every acknowledged write after kill -9 at a random moment", async () => {
    const random = randomFrom(seedOf("kill -9"));
    for (let round = 0; round < countOf(40); round++) {
      const killAfter = 1 + Math.floor(random() * 800);
      const child = spawn(process.execPath, [writer, folder.path, "64"], { stdio: ["ignore", "pipe", "inherit"] });
      const acks = parseAcks(await outputUntil(child, (lines) => lines > killAfter));
      assert.ok(acks.length >= killAfter, `killed after ${acks.length} acknowledgements, not ${killAfter}`);
      const store = await openLmdbStore({ folder: folder.path });
      try {
        const changes = await collect(store, "", 0, store.revision());
        assert.equal(changes.length, store.revision());
        for (const { revision, key, n } of acks) {
          const change = changes[revision - 1];
          assert.equal(change?.revision, revision, `revision ${revision} was acknowledged and is lost`);
          assert.equal(change.key, key);
          assert.match(JSON.stringify(change.object.spec), new RegExp(`^{"n":${n},`));
        }
      } finally {
        await store.close();
      }
    }
  }).timeout(300_000);

  // kill -9 loses nothing that the kernel has been given: only the order of the calls shows what a power cut would do.
  for (const writers of [1, 4])
    it(`has data, and then the page that names it, on the disk before it acknowledges ${writers} writers`, async () => {
      const trace = join(folder.path, "trace");
      const traced = "trace=openat,write,writev,pwrite64,pwritev,pwritev2,fdatasync,fsync,msync,sync_file_range";
      const strace = ["-f", "-y", "-s", "64", "-e", traced, "-o", trace];
      const run = [process.execPath, writer, join(folder.path, "data"), String(writers), "25"];
      const child = spawn("strace", [...strace, ...run], { stdio: ["ignore", "pipe", "inherit"] });
      assert.equal(parseAcks(await outputUntil(child)).length, writers * 25);

      const calls = parseSystemCalls(readFileSync(trace, "utf8"), isSaying);
      // LMDB writes its meta page through a descriptor of its own that syncs with each write.
      const meta = calls.find((call) => call.name === "openat" && /store\.mdb"[^)]*O_DSYNC/.test(call.text));
      const metaDescriptor = Number(/= (\d+)/.exec(meta?.text ?? "")?.[1]);
      let unsynced = false;
      let commits = 0;
      let acks = 0;
      for (const call of calls) {
        if (isSaying(call)) {
          if (call.text.includes('"ready')) commits = 0;
          const ack = /"ack \d+ \S+ (\d+)/.exec(call.text);
          if (!ack) continue;
          acks++;
          // A writer's next write is never in the same commit as its last.
          assert.ok(commits > Number(ack[1]), `${call.text} after only ${commits} commits`);
          if (writers === 1) assert.equal(unsynced, false, `${call.text} with unsynced data`);
        } else if (!call.text.includes("store.mdb>")) {
        } else if (call.name.endsWith("sync")) {
          unsynced = false;
        } else if (call.descriptor === metaDescriptor) {
          assert.equal(unsynced, false, "the meta page was written before its data was synced");
          commits++;
        } else unsynced = true;
      }
      assert.equal(acks, writers * 25);
    }).timeout(60_000);
});

const isSaying = (call: SystemCall): boolean => call.name === "write" && call.descriptor === 1;

interface Ack {
  revision: number;
  key: string;
  n: number;
}

function parseAcks(output: string): Ack[] {
  return [...output.matchAll(/^ack (\d+) (\S+) (\d+)\n/gm)].map(([, revision, key = "", n]) => ({
    revision: Number(revision),
    key,
    n: Number(n),
  }));
}

/** All that the child said until enough lines were there and it was killed, or until it ended. */
function outputUntil(child: ChildProcess, enough: (lines: number) => boolean = () => false): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = "";
    let lines = 0;
    child.stdout?.on("data", (chunk: Buffer) => {
      output += chunk;
      lines += chunk.toString().split("\n").length - 1;
      if (enough(lines)) child.kill("SIGKILL");
    });
    child.on("error", reject);
    child.on("close", () => resolve(output));
  });
}
