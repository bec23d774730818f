// A user's mistake is one clear error that names file, document and field; exit code 1; nothing of that document applied.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { Davit, execute, type Output } from "../support/davit.js";
import { temporaryFolder } from "../support/folder.js";

const DAVIT = new URL("../../cli/davit.js", import.meta.url).pathname;
const GOOD = "apiVersion: davit.dev/v1\nkind: Cluster\nmetadata: { name: NAME }\n";
const definition = (name: string, container: string): string =>
  `apiVersion: davit.dev/v1\nkind: TaskDefinition\nmetadata: { name: ${name} }\nspec:\n  containerDefinitions:\n    - ${container}\n`;
const bomb = ["a: &a [x, x, x, x, x, x, x, x, x]"];
for (let level = 1; level < 9; level++) {
  const [here, below] = [level, level - 1].map((each) => String.fromCharCode(97 + each));
  bomb.push(`${here}: &${here} [${Array(9).fill(`*${below}`).join(", ")}]`);
}

describe("bad input", function () {
  this.timeout(120_000);
  let davit: Davit;
  before(async () => {
    davit = await Davit.start("bad-input", ["--runtime", "simulated", "--instances", "1"]);
  });
  after(() => davit?.purge());

  /** Applies a good document and a bad one, in one file. */
  async function apply(file: string, bad: string): Promise<Output> {
    const path = join(davit.folder, file);
    writeFileSync(path, `${GOOD.replace("NAME", file.replace(/\W/g, ""))}---\n${bad}`);
    return davit.cli("apply", "-f", path);
  }

  const rows: [what: string, bad: string, wanted: RegExp[]][] = [
    ["an unknown kind", "apiVersion: davit.dev/v1\nkind: Servise\nmetadata: { name: x }\n", [/Servise/]],
    [
      "an unknown field",
      definition("x", "{ name: a, image: b, memory: 64, imagee: c }"),
      [/containerDefinitions\[0\]\.imagee/],
    ],
    ["a wrong type", definition("x", "{ name: a, image: b, memory: [64] }"), [/containerDefinitions\[0\]\.memory/]],
    [
      "two errors at once",
      definition("x", "{ name: a, memory: 64, cpu: much }"),
      [/containerDefinitions\[0\]\.image/, /containerDefinitions\[0\]\.cpu/],
    ],
    [
      "2 MB of YAML",
      definition("x", `{ name: a, image: b, memory: 64, command: ["${"x".repeat(2 << 20)}"] }`),
      [/M(i)?B|bytes|large|long/i],
    ],
    ["an anchor bomb", `${bomb.join("\n")}\n`, [/alias|anchor|expand|nodes/i]],
    [
      "a duplicate key",
      "apiVersion: davit.dev/v1\nkind: Cluster\nkind: Cluster\nmetadata: { name: x }\n",
      [/duplicate|duplicated/i, /kind/],
    ],
  ];
  for (const [what, bad, wanted] of rows)
    it(`${what} names file, document and field; exit code 1; nothing applied from that document`, async () => {
      const file = `${what.replace(/\W/g, "-")}.yaml`;
      const { code, stderr } = await apply(file, bad);
      assert.equal(code, 1, stderr);
      assert.ok(stderr.includes(file), stderr);
      assert.match(stderr, /document 2/);
      for (const pattern of wanted) assert.match(stderr, pattern);
      assert.ok(stderr.length < 2000, "short enough to read");
      assert.deepEqual(await davit.list("TaskDefinition"), []);
    });
});

describe("davit up that can't", function () {
  this.timeout(60_000);
  const up = (folder: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<Output> =>
    execute(process.execPath, [DAVIT, "up", "--data-dir", folder, ...args], env);

  async function refused(
    args: string[],
    wanted: RegExp,
    env: NodeJS.ProcessEnv = {},
    prepare?: (folder: string) => void,
  ) {
    const folder = temporaryFolder("up");
    try {
      prepare?.(folder.path);
      const { code, stderr, stdout } = await up(join(folder.path, "data"), args, env);
      assert.notEqual(code, 0);
      const words = stderr.trim().split("\n").at(-1) ?? "";
      assert.match(words, wanted, `${stdout}${stderr}`);
      assert.ok(!/\n\s+at /.test(stderr), "no stack trace");
    } finally {
      folder.remove();
    }
  }

  it("a taken port says which, and what to do", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const { port } = taken.address() as { port: number };
    try {
      await refused(["--api-port", String(port), "--nats-port", "0"], new RegExp(`${port}.*--api-port`));
    } finally {
      taken.close();
    }
  });
  it("an unreachable NATS", () =>
    refused(
      ["--api-port", "0", "--nats-url", "nats://127.0.0.1:1", "--nats-creds", "/nonexistent.creds"],
      /nats|creds/i,
    ));
  it("a missing Docker", () =>
    refused(["--api-port", "0", "--nats-port", "0"], /Docker/, { DOCKER_HOST: "unix:///nonexistent/docker.sock" }));
  it("a data folder of another version", () =>
    refused(["--api-port", "0", "--nats-port", "0"], /another version.*--data-dir/, {}, (folder) => {
      mkdirSync(join(folder, "data"));
      writeFileSync(join(folder, "data", "davit.json"), '{"format": 999}');
    }));
});
