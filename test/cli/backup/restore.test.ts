import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { writeBackupFile } from "../../../cli/backup/file.js";
import { encode } from "../../../cli/backup/format.js";
import { REVISION_MARGIN, restore } from "../../../cli/backup/restore.js";
import { Failure } from "../../../cli/failure.js";
import { dataFolder, openDataFolder } from "../../../cli/supervisor/data-folder.js";
import { openLmdbStore } from "../../../store/lmdb/lmdb-store.js";
import { acquireLock } from "../../../store/lock.js";
import { keyOf, objectNamed } from "../../store/objects.js";
import { temporaryFolder } from "../../support/folder.js";
import { eventually } from "../../support/wait.js";
import { backUp, IDENTITY, makeDataFolder, stream } from "./support.js";

const DAVIT = new URL("../../../cli/davit.js", import.meta.url).pathname;

const token = (name: string, use: "Join" | "User") => ({
  ...objectNamed(name, { use, hash: "0".repeat(64), expiresAt: "2100-01-01T00:00:00Z" }),
  kind: "AccessToken",
});

describe("restore", () => {
  let temporary: ReturnType<typeof temporaryFolder>;
  let file: string;
  const at = (name: string): string => join(temporary.path, name);
  beforeEach(async () => {
    temporary = temporaryFolder("restore");
    file = at("davit.backup");
    const folder = await makeDataFolder(at("old"), async (store) => {
      const first = await store.create(keyOf("a"), objectNamed("a", { n: 1 }));
      await store.create(keyOf("b", "", "namespaces"), objectNamed("b"));
      await store.update(keyOf("a"), objectNamed("a", { n: 2 }), first.revision);
      await store.create(keyOf("j", "default", "accesstokens.davit.dev"), token("j", "Join"));
      await store.create(keyOf("u", "default", "accesstokens.davit.dev"), token("u", "User"));
    });
    await backUp(folder, file);
  });
  afterEach(() => temporary.remove());

  const refused = (folder: string, pattern: RegExp, from = file): Promise<void> =>
    assert.rejects(restore(from, dataFolder(folder)), (error) => {
      assert.ok(error instanceof Failure, String(error));
      assert.match(error.message, pattern);
      return true;
    });

  it("makes a folder of its own kind: objects, keys and nothing else, for its owner only", async () => {
    const restored = await restore(file, dataFolder(at("new/er")));
    assert.deepEqual([restored.objects, restored.joinTokens, restored.files], [4, 1, 4]);
    const folder = dataFolder(at("new/er"));
    for (const [path, text] of Object.entries(IDENTITY)) {
      assert.equal(readFileSync(join(folder.root, path), "utf8"), text);
      assert.equal(statSync(join(folder.root, path)).mode & 0o777, 0o600);
      assert.equal(statSync(dirname(join(folder.root, path))).mode & 0o777, 0o700);
    }
    assert.deepEqual(readdirSync(folder.nats), ["keys"]);
    assert.deepEqual(readdirSync(folder.pki).sort(), ["ca.crt", "tokens.csv"]);
    openDataFolder(folder);
    const [before, after] = [
      await openLmdbStore({ folder: at("old/store") }),
      await openLmdbStore({ folder: folder.store }),
    ];
    const [was, is] = [await before.list(""), await after.list("")];
    assert.deepEqual(
      is.entries,
      was.entries.filter(({ object }) => object.metadata.name !== "j"),
    );
    assert.equal(is.revision, was.revision + REVISION_MARGIN);
    assert.notEqual(after.id, before.id);
    await before.close();
    await after.close();
  });

  it("leaves what it is given as a file for its owner only", () => assert.equal(statSync(file).mode & 0o777, 0o600));

  it("refuses a folder in use, one of another Davit, and one with anything in it, and changes nothing", async () => {
    const before = readdirSync(at("old")).sort();
    await refused(at("old"), /holds a Davit already: .*--data-dir.*mv /);
    assert.deepEqual(readdirSync(at("old")).sort(), before);
    mkdirSync(at("full"));
    writeFileSync(at("full/letter"), "dear");
    await refused(at("full"), /is not empty \(letter is in it\): name an empty or new folder/);
    assert.deepEqual(readdirSync(at("full")), ["letter"]);
    mkdirSync(at("locked"));
    const lock = await acquireLock(at("locked"), "up");
    await refused(at("locked"), /is in use by process/);
    await lock.release();
    await restore(file, dataFolder(at("locked")));
  });

  it("refuses a cut file, an altered one, another one and none, before anything is touched", async () => {
    const bytes = readFileSync(file);
    writeFileSync(at("cut"), bytes.subarray(0, -20));
    writeFileSync(at("altered"), bytes.toString().replace('"n":2', '"n":3'));
    writeFileSync(at("other"), "hello\n");
    await refused(at("new"), /is no good backup: its last line is not whole: it was cut short/, at("cut"));
    await refused(at("new"), /is no good backup: its checksum is not that of its contents/, at("altered"));
    await refused(at("new"), /is no good backup/, at("other"));
    await refused(at("new"), /there is no such file/, at("none"));
    await refused(at("new"), /EISDIR/, at("old"));
    assert.equal(existsSync(at("new")), false);
  });

  it("refuses a backup of another format, and one that would write beside the data folder", async () => {
    const header = { format: 1, dataFormat: 1, davitVersion: "9.9.9", takenAt: "", store: "s", revision: 1 };
    const make = async (name: string, backup: Parameters<typeof encode>[0]) => {
      await writeBackupFile(at(name), stream(encode(backup)));
      return at(name);
    };
    const newer = await make("newer", { header: { ...header, format: 2 }, files: [], entries: [] });
    await refused(at("new"), /was written by Davit 9\.9\.9 in a form that this version does not read/, newer);
    for (const path of ["../evil", "pki/../../evil", "pki/a/b", "pki/.hidden", "kubeconfig", "/etc/passwd"]) {
      const evil = await make("evil", { header, files: [{ path, base64: "" }], entries: [] });
      await refused(at("new"), /none of Davit's/, evil);
    }
    assert.equal(existsSync(at("evil.txt")), false);
    await restore(file, dataFolder(at("new"))); // starts afresh
  });

  it("killed in the middle it leaves a folder that Davit refuses to start on, and that it restores when asked again", async () => {
    const folder = await makeDataFolder(at("large"), (store) =>
      Promise.all(
        Array.from({ length: 20_000 }, (_, i) =>
          store.create(keyOf(`t${i}`), objectNamed(`t${i}`, { pad: "x".repeat(500) })),
        ),
      ),
    );
    await backUp(folder, file);
    const target = dataFolder(at("new"));
    const killed = spawn(process.execPath, [DAVIT, "restore", file, "--data-dir", target.root], { stdio: "ignore" });
    await eventually("the store is begun", () => existsSync(join(target.store, "store.mdb")));
    killed.kill("SIGKILL");
    await once(killed, "exit");
    assert.equal(existsSync(target.stamp), false, "it was over before it was killed");
    assert.throws(() => openDataFolder(target), /was cut short: run `davit restore FILE --data-dir/);
    assert.equal((await restore(file, target)).objects, 20_000);
    openDataFolder(target);
    assert.equal(existsSync(target.restoring), false);
    const store = await openLmdbStore({ folder: target.store });
    assert.equal((await store.list("")).entries.length, 20_000);
    await store.close();
  }).timeout(60_000);
});

describe("a backup's file", () => {
  let temporary: ReturnType<typeof temporaryFolder>;
  beforeEach(() => {
    temporary = temporaryFolder("backup-file");
  });
  afterEach(() => temporary.remove());
  const pieces = () =>
    encode({
      header: { format: 1, dataFormat: 1, davitVersion: "", takenAt: "", store: "", revision: 1 },
      files: [],
      entries: [],
    });

  it("appears whole or not at all, and the last one stays until then", async () => {
    const file = join(temporary.path, "b");
    await writeBackupFile(file, stream(pieces()));
    const before = readFileSync(file);
    await assert.rejects(
      writeBackupFile(
        file,
        (async function* () {
          for (const piece of pieces()) yield piece.subarray(0, -5);
        })(),
      ),
      /cut short/,
    );
    await assert.rejects(
      writeBackupFile(
        file,
        (async function* () {
          yield* pieces();
          throw new Error("the server went");
        })(),
      ),
      /the server went/,
    );
    assert.deepEqual(readFileSync(file), before);
    assert.deepEqual(readdirSync(temporary.path), ["b"]);
  });

  it("takes no device's place, and says what is wrong with the folder", async () => {
    const write = (file: string) => writeBackupFile(file, stream(pieces()));
    await assert.rejects(write("/dev/null"), /is no ordinary file/);
    await assert.rejects(write(temporary.path), /is no ordinary file/);
    await assert.rejects(write(join(temporary.path, "none/b")), /there is no such file or folder/);
    assert.ok(statSync("/dev/null").isCharacterDevice());
  });
});
