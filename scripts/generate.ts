// `npm run generate`: writes every generated file. With `--check` it writes nothing, and fails if one is out of step.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { ROOT, readCrds } from "./generate/crds.js";
import { withTables } from "./generate/status.js";
import { typesFile } from "./generate/types.js";
import { asyncapiFile } from "./generate-asyncapi.js";
import { type GeneratedFile, machineFiles } from "./generate-machines.js";

const STATUS = "docs/status.md";
/** What makes generated files. A new generator is a line here. */
const GENERATORS: readonly (() => GeneratedFile[])[] = [
  () => [{ path: "api/types.gen.ts", content: typesFile(readCrds()) }],
  () => [{ path: STATUS, content: withTables(readFileSync(new URL(STATUS, ROOT), "utf8"), readCrds()) }],
  machineFiles,
  () => [asyncapiFile()],
];

const check = process.argv.includes("--check");
const stale: string[] = [];
for (const { path, content } of GENERATORS.flatMap((generator) => generator())) {
  const file = new URL(path, ROOT);
  if (existsSync(file) && readFileSync(file, "utf8") === content) continue;
  stale.push(path);
  if (!check) writeFileSync(file, content);
}
for (const path of stale) console.log(check ? `out of step: ${path}` : `written: ${path}`);
if (check && stale.length > 0) {
  console.error("Run `npm run generate`, and commit what it writes.");
  process.exitCode = 1;
}
