// `npm run bench -- placement [--json] [--repeat N]`: decisions of the scheduler per second, reservation included.
// Reference in the same run: the plainest exact placement, which looks at every machine for each decision.
import { type Book, createBook } from "../scheduling/book.js";
import { type Demand, demand } from "../scheduling/demand.js";
import { place } from "../scheduling/place.js";
import { median, option, spread } from "./support/figures.js";

const repeat = Number(option("repeat", "5"));
const ZONES = 3;
const TASKS_PER_INSTANCE = 8;
const SIZES = [500, 5000] as const;

interface Scenario {
  readonly name: string;
  /** Which group the n-th task belongs to. */
  readonly groupOf: (n: number) => string;
  readonly kind: "service" | "standalone";
}
const SCENARIOS: readonly Scenario[] = [
  { name: "one service over all instances", groupOf: () => "service:web", kind: "service" },
  { name: "a thousand services", groupOf: (n) => `service:s${n % 1000}`, kind: "service" },
  { name: "standalone tasks", groupOf: (n) => `family:f${n % 50}`, kind: "standalone" },
];

const small: Demand = demand({ cpuUnits: 128, memoryMiB: 128 });
const names = (instances: number): string[] => Array.from({ length: instances }, (_, n) => `i-${n}`);

function bookOf(instances: number): Book {
  const book = createBook();
  for (const [n, name] of names(instances).entries())
    book.setInstance({
      name,
      zone: `z${n % ZONES}`,
      cpuUnits: 128 * (TASKS_PER_INSTANCE + 2),
      memoryMiB: 128 * (TASKS_PER_INSTANCE + 2),
      reservedPorts: [],
      status: "ACTIVE",
      agentConnected: true,
      attributes: [],
    });
  return book;
}

/** Fills four fifths of the cluster, then replaces tasks as a rolling update does: decisions per second over all of it. */
function decisionsPerSecond(instances: number, { groupOf, kind }: Scenario): number {
  const book = bookOf(instances);
  const tasks = instances * TASKS_PER_INSTANCE;
  let decisions = 0;
  const decide = (uid: string, n: number): void => {
    const group = groupOf(n);
    const placement = place(book, { demand: small, group, kind, seed: uid });
    if (!("instance" in placement)) throw new Error(placement.unplaced.message);
    book.reserve(uid, placement.instance, small, group);
    decisions++;
  };
  const began = process.hrtime.bigint();
  for (let n = 0; n < tasks; n++) decide(`t${n}`, n);
  for (let n = 0; n < tasks; n += 2) {
    book.release(`t${n}`);
    decide(`u${n}`, n);
  }
  return decisions / seconds(began);
}

function referencePerSecond(instances: number): number {
  const book = bookOf(instances);
  const all = names(instances);
  const decisions = 400;
  const began = process.hrtime.bigint();
  for (let n = 0; n < decisions; n++) {
    let best: { name: string; zone: number; on: number } | undefined;
    for (const name of all) {
      const left = book.remaining(name);
      if (!left || left.cpuUnits < small.cpuUnits || left.memoryMiB < small.memoryMiB) continue;
      const zone = book.countInZone("service:web", book.instance(name)?.zone);
      const on = book.countOn("service:web", name);
      if (!best || zone < best.zone || (zone === best.zone && on < best.on)) best = { name, zone, on };
    }
    if (best) book.reserve(`t${n}`, best.name, small, "service:web");
  }
  return decisions / seconds(began);
}

const seconds = (began: bigint): number => Number(process.hrtime.bigint() - began) / 1e9;
const measure = (once: () => number) => {
  once(); // compiled by now
  const all = Array.from({ length: repeat }, once);
  return { median: median(all), spread: spread(all) };
};

const results = SCENARIOS.map((scenario) => ({
  scenario: scenario.name,
  bySize: SIZES.map((instances) => ({ instances, ...measure(() => decisionsPerSecond(instances, scenario)) })),
}));
const reference = SIZES.map((instances) => ({ instances, ...measure(() => referencePerSecond(instances)) }));

if (process.argv.includes("--json")) {
  console.log(JSON.stringify({ benchmark: "placement", unit: "decisions/s", repeat, results, reference }));
} else {
  console.log(`decisions/s, median of ${repeat} (spread)`);
  for (const { scenario, bySize } of [
    ...results,
    { scenario: "reference: looks at every instance", bySize: reference },
  ])
    console.log(
      `${scenario.padEnd(36)} ${bySize.map((size) => `${size.instances}: ${Math.round(size.median)} (${size.spread})`).join("   ")}`,
    );
}
