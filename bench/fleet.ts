// `npm run bench -- fleet [--json] [--instances 1000] [--tasks 10] [--idle 30] [--after 20] [--profile FOLDER]`: a fleet
// of simulated machines, each with a connection and a credential of its own, in two processes. nats-server and the
// control plane are processes of their own, as `davit up` starts them. Half of the fleet is cut off by stopping its
// process: not a word, not even the end of a connection.
import { option } from "./support/figures.js";
import { measureFleet } from "./support/fleet.js";

const instances = Number(option("instances", "1000"));
const tasksEach = Number(option("tasks", "10"));
const afterSeconds = Number(option("after", "20"));
const profile = option("profile", "");
const json = process.argv.includes("--json");

const figures = await measureFleet({
  instances,
  tasksEach,
  idleMs: Number(option("idle", "30")) * 1000,
  afterSeconds,
  ...(profile && { profile }),
  say: (what) => json || console.error(`… ${what}`),
});

const { idle, idleWithTasks, probes, storms, holdings } = figures;
const s = (seconds: number): string => `${seconds.toFixed(1)} s`.padStart(8);
const load = ({ server, nats, machines }: typeof idle): string =>
  `${server.toFixed(1)} % of a core in the control plane, ${nats.toFixed(1)} % in nats-server, ${machines.toFixed(1)} % in the machines`;
const half = instances / 2;
if (json) console.log(JSON.stringify({ benchmark: "fleet", instances, tasksEach, afterSeconds, ...figures }));
else
  console.log(`${instances} simulated machines
  ${s(figures.registerSeconds)}  until all are registered
            heartbeats: ${load(idle)}
            … with ${instances * tasksEach} tasks: ${load(idleWithTasks)}
  ${s(figures.launchSeconds)}  until ${instances * tasksEach} tasks run
  ${s(figures.noticeSeconds)}  until ${half} machines that were cut are noticed
  ${s(figures.replaceSeconds)}  until their ${half * tasksEach} tasks are replaced, ${afterSeconds} s of silence included
            ${probes.count} tasks started meanwhile: RUNNING after ${probes.p50Ms.toFixed(0)} ms (median), ${probes.p99Ms.toFixed(0)} ms (p99), ${probes.maxMs.toFixed(0)} ms (longest)
  ${s(figures.returnSeconds)}  until the ${half} are back and nothing runs twice
  ${s(storms.nats)}  until all are back after kill -9 of nats-server
  ${s(storms.server)}  until all are back after kill -9 of the control plane
            nats-server holds before and after: ${JSON.stringify(holdings.before)}
                                                ${JSON.stringify(holdings.after)}`);
