import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ownCommit } from "../../cli/own-commit.js";
import { execute } from "../support/davit.js";
import { temporaryFolder } from "../support/folder.js";

const ROOT = new URL("../../../", import.meta.url).pathname;

describe("the commit that the program says it was built from", () => {
  const folder = temporaryFolder("commit");
  after(() => folder.remove());

  it("is the one that git names in this clone, if it is one", async () => {
    const { stdout } = await execute("git", ["-C", ROOT, "rev-parse", "HEAD"]).catch(() => ({ stdout: "" }));
    assert.equal(ownCommit(ROOT, {}), stdout.trim().slice(0, 8));
  });

  it("is the image's, or that of a detached, packed or missing head; empty where nobody knows", () => {
    const commit = "0123456789abcdef0123456789abcdef01234567";
    const git = (name: string, files: Record<string, string>): string => {
      const root = join(folder.path, name);
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(join(root, ".git", path, ".."), { recursive: true });
        writeFileSync(join(root, ".git", path), text);
      }
      return root;
    };
    assert.equal(ownCommit(git("detached", { HEAD: `${commit}\n` }), {}), "01234567");
    const packed = { HEAD: "ref: refs/heads/main\n", "packed-refs": `# pack-refs\n${commit} refs/heads/main\n` };
    assert.equal(ownCommit(git("packed", packed), {}), "01234567");
    assert.equal(ownCommit(git("new", { HEAD: "ref: refs/heads/main\n" }), {}), "");
    assert.equal(ownCommit(join(folder.path, "none"), {}), "");
    assert.equal(ownCommit(join(folder.path, "none"), { DAVIT_COMMIT: commit }), "01234567");
  });
});
