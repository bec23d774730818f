// The programs in docs/bus.md do what the page says.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startWorld, type World } from "../events/support.js";
import { temporaryFolder } from "../support/folder.js";
import { eventually } from "../support/wait.js";

const ROOT = new URL("../../../", import.meta.url).pathname;
const page = readFileSync(join(ROOT, "docs/bus.md"), "utf8");
const blocks = (language: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, "gm"))].map(([, code]) => code ?? "");

describe("docs/bus.md", () => {
  let world: World;
  let folder: ReturnType<typeof temporaryFolder>;
  let credentials: string;
  const running: ChildProcess[] = [];

  before(async () => {
    folder = temporaryFolder("docs-programs");
    credentials = join(folder.path, "reader.creds");
    world = await startWorld("docs");
    writeFileSync(credentials, await world.bus.nats.authority.reader());
    symlinkSync(join(ROOT, "node_modules"), join(folder.path, "node_modules"));
    await eventually("published", () => world.publisher.current() && world.acknowledged() >= world.store.revision());
  });
  after(async () => {
    for (const child of running) child.kill();
    await world.close();
    folder.remove();
  });

  /** Starts it, and gives back the lines that it has printed so far. */
  function start(command: string, file: string, code: string): () => string[] {
    const path = join(folder.path, file);
    writeFileSync(path, code);
    const env = { ...process.env, DAVIT_BUS_URL: world.bus.nats.url, DAVIT_BUS_CREDS: credentials };
    const child = spawn(command, [path], { env, stdio: ["ignore", "pipe", "pipe"] });
    running.push(child);
    let printed = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (data) => {
        printed += data;
      });
    child.on("error", (error) => {
      printed += error;
    });
    return () => printed.split("\n").filter(Boolean);
  }

  /** Events until the program, which says nothing once it listens, has heard one; then the ones that count. */
  async function hears(lines: () => string[], name: string): Promise<void> {
    let n = 0;
    await eventually("it listens", async () => {
      await world.createTask(`${name}-knock-${n++}`);
      return lines().length > 0;
    });
    assert.match(lines()[0] ?? "", new RegExp(`^${name}-knock-\\d+ 1 PENDING$`));
    await world.createTask(name);
    await world.moveTask(name, { lastStatus: "RUNNING" });
    await world.api.trustedClient.delete("Task", { namespace: "default", name });
    await eventually(`${name} is deleted`, () => lines().includes(`${name} 3 DELETED`));
    assert.deepEqual(
      lines().filter((line) => line.startsWith(`${name} `)),
      [`${name} 1 PENDING`, `${name} 2 RUNNING`, `${name} 3 DELETED`],
    );
  }

  it("has a subscriber in Node that hears each change of a task", async () => {
    const [subscriber] = blocks("js");
    await hears(start(process.execPath, "subscribe.mjs", subscriber ?? ""), "node");
  });

  it("has a subscriber in Python that hears the same, with nothing installed", async () => {
    const [subscriber] = blocks("python");
    await hears(start("python3", "subscribe.py", subscriber ?? ""), "python");
  });

  it("has a late joiner that knows what is there", async () => {
    await world.createTask("here");
    await world.createTask("gone");
    await world.api.trustedClient.delete("Task", { namespace: "default", name: "gone" });
    const lines = start(process.execPath, "join.mjs", blocks("js")[1] ?? "");
    await eventually("it knows", () => lines().includes("Task here 1") && lines().includes("Cluster default 1"));
    assert.ok(!lines().some((line) => line.includes("gone")));
  });

  it("names every subject, header and message that there is", () => {
    const asyncapi = readFileSync(join(ROOT, "docs/asyncapi.yaml"), "utf8");
    for (const [, subject] of asyncapi.matchAll(/^ {4}address: (davit\S+)$/gm))
      assert.ok(page.includes((subject ?? "").replace(/\{instance\}/, "<id>").replace(/\{(\w+)\}/g, "<$1>")), subject);
    for (const [, name] of asyncapi.matchAll(/^ {4}([A-Z]\w+):$/gm))
      assert.ok(page.includes(name ?? "") || page.toLowerCase().includes((name ?? "").toLowerCase()), name);
    for (const [header] of asyncapi.matchAll(/Davit-[\w-]+/g)) assert.ok(page.includes(header), header);
  });
});
