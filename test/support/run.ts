// `npm test`: mocha in a process of its own, then a look at what is left over. Arguments go to mocha; a run with
// arguments is a part of the tests, and leaves the results of the last whole run (for `npm run spec`) as they are.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { inventory, RUN_VARIABLE } from "./leftovers.js";
import type { Results } from "./reporter.js";

const args = process.argv.slice(2);
const run = `${process.pid}-${Date.now()}`;
mkdirSync(".test", { recursive: true });
const resultsFile = args.length === 0 ? ".test/results.json" : ".test/partial.json";
for (const file of [resultsFile, ".test/summary"]) rmSync(file, { force: true });

const before = inventory(run);
const spec = args.length === 0 ? ["dist/test/**/*.test.js"] : args;
const mocha = spawn(
  process.execPath,
  ["node_modules/mocha/bin/mocha.js", "--reporter", "dist/test/support/reporter.js", ...spec],
  { stdio: "inherit", env: { ...process.env, [RUN_VARIABLE]: run, DAVIT_RESULTS: resultsFile } },
);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => mocha.kill(signal));
const code = await new Promise<number>((resolve) => mocha.on("exit", (status) => resolve(status ?? 1)));

const left = [...inventory(run)].filter((line) => !before.has(line));
console.log(
  left.length === 0
    ? "Left over: no process, container, network, namespace, link, volume, image or folder."
    : "Left over:",
);
for (const line of left) console.log(`  ${line}`);

const results = JSON.parse(readFileSync(resultsFile, "utf8")) as Results;
const count = (state: string) => results.tests.filter((test) => test.state === state).length;
// Something left over is a failure of the run as a whole.
const failed = count("failed") + (left.length > 0 ? 1 : 0);
writeFileSync(".test/summary", `${count("passed")} passed, ${failed} failed, ${count("pending")} skipped\n`);
process.exit(code === 0 && failed === 0 && count("pending") === 0 && count("passed") > 0 ? 0 : 1);
