// `npm run bench -- launch [--json] [--tasks 5000] [--instances 500] [--repeat 3]
// [--profile FILE]`: a service of many tasks on simulated
// machines, from apply to all RUNNING. Everything but the containers is real: nats-server, store, API server,
// controllers, events, and the agents in a process of their own. Reference in the same run: what the store alone does,
// a durable create and update of each task.
import { median, option, spread } from "./support/figures.js";
import { type Launch, measureLaunch } from "./support/launch.js";
import { storeWritesPerSecond } from "./support/store-rate.js";

const tasks = Number(option("tasks", "5000"));
const instances = Number(option("instances", "500"));
const repeat = Number(option("repeat", "3"));

const launches: Launch[] = [];
const reference: number[] = [];
for (let n = 0; n < repeat; n++) {
  const profile = option("profile", "");
  launches.push(await measureLaunch({ tasks, instances, ...(profile && { profile }) }));
  reference.push((await storeWritesPerSecond({ objects: tasks, bytes: 3000, inFlight: 64, watchers: 3 })) / 2);
}

const of = (figure: (launch: Launch) => number): number => median(launches.map(figure));
const tasksPerSecond = of((launch) => launch.tasksPerSecond);
const summary = {
  benchmark: "launch",
  tasks,
  instances,
  repeat,
  tasksPerSecond,
  tasksPerSecondSpread: spread(launches.map((launch) => launch.tasksPerSecond)),
  storeTasksPerSecond: median(reference),
  ratioToStore: tasksPerSecond / median(reference),
  writesPerTask: of((launch) => launch.writesPerTask),
  reportsPerTask: of((launch) => launch.reportsPerTask),
  busBytesPerTask: of((launch) => launch.busBytesPerTask),
  controlPlaneCpuUsPerTask: of((launch) => launch.controlPlaneCpuUs),
  agentsCpuUsPerTask: of((launch) => launch.agentsCpuUs),
  launches,
};

if (process.argv.includes("--json")) console.log(JSON.stringify(summary));
else
  console.log(`${tasks} tasks on ${instances} simulated instances, ${repeat} times, medians
  ${tasksPerSecond.toFixed(0)} tasks/s (${summary.tasksPerSecondSpread}) from apply to all RUNNING
  ${summary.storeTasksPerSecond.toFixed(0)} tasks/s for the store alone (create and update); ratio ${summary.ratioToStore.toFixed(2)}
  ${summary.writesPerTask.toFixed(2)} store writes per task: ${JSON.stringify(launches.at(-1)?.writesByResource)}
  ${summary.reportsPerTask.toFixed(2)} reports, ${summary.busBytesPerTask.toFixed(0)} bytes on the bus per task
  ${summary.controlPlaneCpuUsPerTask.toFixed(0)} µs of CPU per task in the control plane, ${summary.agentsCpuUsPerTask.toFixed(0)} µs in the agents`);
