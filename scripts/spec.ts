// `npm run spec [-- --json]`: which lines of the specification's checklists a passing test of the last full run proves.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { load } from "js-yaml";
import type { Results } from "../test/support/reporter.js";

interface Exceptions {
  /** Lines that can mean nothing here, each with one sentence why. */
  excepted: Record<string, string>;
  /** Lines proven in the form that a decision gives them; they still need their test. */
  adapted: Record<string, string>;
}

/** "02" → its numbers, from the checklist that ends each part. */
function checklists(): Map<string, number[]> {
  const parts = new Map<string, number[]>();
  for (const file of readdirSync("docs/spec").filter((name) => /^\d\d-/.test(name))) {
    const [, checklist = ""] = readFileSync(`docs/spec/${file}`, "utf8").split(/^## Checklist.*$/m);
    parts.set(
      file.slice(0, 2),
      [...checklist.matchAll(/^(\d+)\. /gm)].map(([, number]) => Number(number)),
    );
  }
  return new Map([...parts].sort());
}

if (!existsSync(".test/results.json")) {
  console.error("There is no result of a full test run yet: run `npm test` first.");
  process.exit(1);
}
const results = JSON.parse(readFileSync(".test/results.json", "utf8")) as Results;
const exceptions = load(readFileSync("test/spec-exceptions.yaml", "utf8")) as Exceptions;
const proofs = new Map<string, string[]>();
const broken = new Set<string>();
for (const { title, state } of results.tests)
  for (const [, line = ""] of title.matchAll(/\[(\d\d-\d+)\]/g)) {
    if (state === "passed") proofs.set(line, [...(proofs.get(line) ?? []), title]);
    else broken.add(line);
  }

const parts: Record<string, { proven: string[]; excepted: string[]; open: string[] }> = {};
const unknown = new Set([...proofs.keys(), ...Object.keys(exceptions.excepted), ...Object.keys(exceptions.adapted)]);
for (const [part, numbers] of checklists()) {
  const lines = numbers.map((number) => `${part}-${number}`);
  for (const line of lines) unknown.delete(line);
  // A line with several tests is proven only if none of them fails.
  const proven = lines.filter((line) => proofs.has(line) && !broken.has(line));
  const excepted = lines.filter((line) => !proven.includes(line) && line in exceptions.excepted);
  parts[part] = { proven, excepted, open: lines.filter((line) => !proven.includes(line) && !excepted.includes(line)) };
}

if (process.argv.includes("--json")) console.log(JSON.stringify({ parts }));
else {
  for (const [part, { proven, excepted, open }] of Object.entries(parts)) {
    console.log(`${part}  ${proven.length} proven, ${excepted.length} excepted, ${open.length} open`);
    if (proven.length > 0) console.log(`    proven: ${proven.join(" ")}`);
  }
  const total = Object.values(parts).reduce((sum, { proven }) => sum + proven.length, 0);
  console.log(`${total} lines proven by the last full run`);
}
for (const line of unknown) console.error(`no such checklist line: ${line}`);
if (unknown.size > 0) process.exit(1);
