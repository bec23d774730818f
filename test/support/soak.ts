// `npm run soak -- NAME [--seed N]`: the tests whose title begins with NAME's words, at their full count.
import { spawn } from "node:child_process";

/** Name → file under dist/test/ and what its full count is. */
const SOAKS: Record<string, { file: string; grep: string; what: string }> = {
  "task-machine": {
    file: "property/task-machine.test.js",
    grep: "task-machine:",
    what: "100,000 random event sequences, and as many of reports, against the moves that spec/06 §8 allows",
  },
  rolling: { file: "property/rolling.test.js", grep: "rolling:", what: "20,000 random services under rolling updates" },
  fold: {
    file: "events/fold.test.js",
    grep: "gives exactly the API",
    what: "30 rounds of random changes and outages, folded by early, late and restarting subscribers",
  },
  "control-plane": {
    file: "controllers/faults.property.test.js",
    grep: "keeps its invariants",
    what: "30 random lives of a small fleet: scaling, rollouts, crashes, killed agents, restarts, lost messages",
  },
  cuts: {
    file: "controllers/cuts.property.test.js",
    grep: "machines cut off at random",
    what: "120 random cuts of four machines, with a service under each policy for lost machines",
  },
  placement: {
    file: "property/placement.test.js",
    grep: "placement:",
    what: "5,000 random clusters against a plain model",
  },
  store: {
    file: "store/lmdb-store.test.js",
    grep: "store contract",
    what: "compare-and-set under 64 writers, random histories against a model, snapshots while it is written",
  },
  backup: {
    file: "e2e/backup.test.js",
    grep: "backup and restore",
    what: "50 backups of a real Davit under 8 writers of pairs, then its data folder lost and restored",
  },
  outage: {
    file: "chaos/outage.test.js",
    grep: "an outage of the bus",
    what: "nats-server away for 60 s, and once with its disk wiped, with real containers and a subscriber",
  },
  agent: {
    file: "agent/faults.property.test.js",
    grep: "agent under random faults",
    what: "500 random lives of one agent: faults of bus, runtime and process",
  },
  "agent-restarts": {
    file: "chaos/agent-restarts.test.js",
    grep: "agent-restarts:",
    what: "an agent restarted 200 times at random on a real bus, and 20 times on Docker, while tasks start and stop",
  },
  fleet: {
    file: "e2e/fleet.test.js",
    grep: "a fleet",
    what: "1,000 simulated machines: registering, storms, the loss and return of 500 with 5,000 tasks",
  },
  "store-kill": {
    file: "store/lmdb-durability.test.js",
    grep: "kill -9",
    what: "a writing process killed 40 times, every acknowledged write looked for",
  },
};

const [name, ...rest] = process.argv.slice(2);
const soak = name === undefined ? undefined : SOAKS[name];
if (!soak) {
  console.error("usage: npm run soak -- NAME [--seed N]\n");
  for (const [each, { what }] of Object.entries(SOAKS)) console.error(`  ${each.padEnd(16)} ${what}`);
  process.exit(2);
}
const seed = rest[0] === "--seed" && rest[1] !== undefined ? { SEED: rest[1] } : {};
const mocha = spawn(
  process.execPath,
  [
    "node_modules/mocha/bin/mocha.js",
    "--no-config",
    "--enable-source-maps",
    "--timeout",
    "0",
    "--grep",
    soak.grep,
    `dist/test/${soak.file}`,
  ],
  { stdio: "inherit", env: { ...process.env, ...seed, SOAK: "1" } },
);
mocha.on("exit", (code) => process.exit(code ?? 1));
