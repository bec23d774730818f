// The import-direction rule: imports between the top-level folders run along one table, there is no circle between
// files, and the pure folders use neither clock nor randomness nor I/O. Part of `npm run lint`.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

/** Which rooms a room may import from; docs/architecture.md says why. `*` is every room. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  api: [],
  "state-machines": ["api"],
  scheduling: ["api"],
  store: ["api"],
  bus: ["api"],
  client: ["api"],
  apiserver: ["api", "store", "client"],
  events: ["api", "client", "bus"],
  controllers: ["api", "state-machines", "scheduling", "bus", "client"],
  agent: ["api", "state-machines", "bus"],
  gitops: ["api", "client"],
  cli: ["*"],
  scripts: ["*"],
  bench: ["*"],
  test: ["*"],
};
const PURE = ["api", "state-machines", "scheduling"];
const IMPURE = [
  [/\bDate\.now\(|\bnew Date\(\)/, "reads the clock; take `now` as a parameter"],
  [/\bMath\.random\(|\brandomUUID\(|\brandomBytes\(/, "uses randomness; take it as a parameter"],
  [/\bset(Timeout|Interval|Immediate)\(/, "starts a timer; return the deadline as data"],
  [/from "node:(fs|net|http|https|child_process|timers)/, "does I/O; leave that to the caller"],
] as const;

const files = Object.keys(MAY_IMPORT).flatMap((room) =>
  readdirSync(room, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => `${room}/${name}`),
);
const roomOf = (file: string): string => file.slice(0, file.indexOf("/"));
const problems: string[] = [];
const graph = new Map<string, string[]>();

for (const file of files) {
  const text = readFileSync(file, "utf8");
  const room = roomOf(file);
  // Type-only imports count for the direction (they are knowledge of another room), but make no circle at run time.
  const imports = [...text.matchAll(/(?:^|\n)(import|export)( type)?[^;]*? from "(\.[^"]+)"|import\("(\.[^"]+)"\)/g)];
  graph.set(file, []);
  for (const [, , typeOnly, fixed, lazy] of imports) {
    const target = normalize(join(dirname(file), (fixed ?? lazy ?? "").replace(/\.js$/, ".ts")));
    if (!typeOnly && fixed) graph.get(file)?.push(target);
    const allowed = MAY_IMPORT[room] ?? [];
    if (roomOf(target) !== room && !allowed.includes("*") && !allowed.includes(roomOf(target)))
      problems.push(`${file}: ${room}/ may import from ${allowed.join(", ") || "no other folder"}, not ${target}`);
  }
  if (PURE.includes(room))
    for (const [pattern, why] of IMPURE)
      if (pattern.test(text)) problems.push(`${file}: ${room}/ is pure, but this ${why}`);
}

const state = new Map<string, "open" | "done">();
function visit(file: string, path: readonly string[]): void {
  if (state.get(file) === "done") return;
  if (state.get(file) === "open") {
    problems.push(`circle: ${[...path.slice(path.indexOf(file)), file].join(" → ")}`);
    return;
  }
  state.set(file, "open");
  for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
  state.set(file, "done");
}
for (const file of files) visit(file, []);

for (const problem of problems) console.error(problem);
console.log(`imports: ${files.length} files, ${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
