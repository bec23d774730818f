// The command line itself: what is asked for wrongly, and what explains it.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import type { Command } from "commander";
import { load } from "js-yaml";
import type { CustomResourceDefinition } from "../../api/crd.js";
import { wordsOf } from "../../cli/completion.js";
import { skeleton } from "../../cli/output/skeleton.js";
import { buildProgram, COMMANDS } from "../../cli/program.js";
import { execute } from "../support/davit.js";

const DAVIT = new URL("../../cli/davit.js", import.meta.url).pathname;
const davit = (...args: string[]) =>
  execute(process.execPath, [DAVIT, ...args], { DAVIT_DATA_DIR: "/nonexistent/davit" });

describe("davit's command line", () => {
  let program: Command;
  before(async () => {
    program = await buildProgram("*");
  });

  it("has every command that users were promised", () => {
    const promised =
      "up down status apply get describe delete run stop logs events rollout skeleton kubectl kubeconfig bus version completion " +
      "backup restore doctor top";
    const there = program.commands.map((command) => command.name());
    for (const name of promised.split(" ")) assert.ok(there.includes(name), name);
  });

  it("explains each command, and shows examples where there is a choice", () => {
    for (const [name, { hidden }] of Object.entries(COMMANDS)) {
      const command = program.commands.find((one) => one.name() === name);
      assert.ok(command?.description(), name);
      if (hidden || !command) continue;
      for (const each of [command, ...command.commands])
        for (const option of each.options) assert.ok(option.description, `${name} ${option.flags}`);
    }
  });

  it("exit codes: 0 for help, 2 for what it does not understand, 1 for what fails; no stack", async () => {
    const rows: [args: string[], code: number, said: RegExp][] = [
      [["--help"], 0, /Declare:/],
      [["get", "--help"], 0, /Examples:/],
      [["help", "apply"], 0, /--wait/],
      [["frobnicate"], 2, /unknown command/],
      [["get"], 2, /missing required argument/],
      [["get", "pods"], 1, /there is no Davit yet/],
      [["up", "--api-port", "many"], 2, /It must be a port/],
      [["up", "--instances", "3"], 2, /--runtime simulated/],
      [["up", "--nats-creds", "x"], 2, /--nats-url/],
      [["get", "tasks", "--kubeconfig", "/nonexistent"], 1, /there is no Davit yet/],
      [["down"], 0, /There is no Davit in/],
      [["bus", "info"], 1, /davit up/],
    ];
    await Promise.all(
      rows.map(async ([args, code, said]) => {
        const result = await davit(...args);
        const all = result.stdout + result.stderr;
        assert.equal(result.code, code, `${args.join(" ")}: ${all}`);
        assert.match(all, said);
        assert.doesNotMatch(all, /\n\s+at /);
      }),
    );
  });

  it("version says which it is, with and without a server", async () => {
    assert.match((await davit("--version")).stdout, /^\d+\.\d+\.\d+\n$/);
    const { stdout } = await davit("version", "-o", "json");
    assert.match((JSON.parse(stdout) as { client: string }).client, /^\d+\.\d+\.\d+/);
  });

  it("completion knows commands, their options and kinds; bash takes it", async () => {
    const words = wordsOf(program);
    assert.ok(words.get("up")?.includes("--manifests"));
    assert.ok(words.get("rollout")?.includes("status"));
    assert.ok(!words.has("server"));
    const { stdout } = await davit("completion", "bash");
    assert.match(stdout, /containerinstances/);
    const typed = `${stdout}\nCOMP_WORDS=(davit sk); COMP_CWORD=1; _davit; echo "\${COMPREPLY[@]}"`;
    assert.equal(spawnSync("bash", ["-c", typed], { encoding: "utf8" }).stdout.trim(), "skeleton");
    assert.match((await davit("completion", "zsh")).stdout, /^#compdef davit/);
  });
});

describe("skeletons", () => {
  const folder = new URL("../../../crds/", import.meta.url);
  for (const file of readdirSync(folder)) {
    const crd = load(readFileSync(new URL(file, folder), "utf8")) as CustomResourceDefinition;
    const { kind } = crd.spec.names;
    for (const all of [false, true])
      it(`${kind}${all ? " --all" : ""} is YAML as it stands, and with every field taken in`, () => {
        const text = skeleton(crd, all);
        const object = load(text) as { kind: string };
        assert.equal(object.kind, kind);
        const takenIn = text.replace("spec: {}", "spec:").replace(/^( *)# (?!namespace)/gm, "$1");
        const whole = load(takenIn) as { spec: object | null };
        const fields = Object.keys(crd.spec.versions[0]?.schema.openAPIV3Schema.properties?.spec?.properties ?? {});
        if (all) assert.deepEqual(Object.keys(whole.spec ?? {}).sort(), fields.sort());
      });
  }
});
