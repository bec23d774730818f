// `davit leave`: by the agent that runs, or by one that is started for it.
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { EXIT, Failure } from "../failure.js";
import type { LeaveOptions } from "../leave.js";
import { createLog } from "../log.js";
import { print, progress } from "../output/terminal.js";
import { askToLeave, type Progress } from "./control.js";
import { type Identity, type MachineFolder, machineFolder, readIdentity } from "./folder.js";
import { AgentRuns, locked } from "./join.js";
import { leaveNow } from "./run.js";

/** Between two attempts to find somebody who can say goodbye. */
const ASK_MS = 100;

export async function leave({ dataDir, timeout }: LeaveOptions): Promise<void> {
  const folder = machineFolder(dataDir);
  const identity = readIdentity(folder);
  if (!identity)
    throw new Failure(`this machine has not joined (nothing in ${folder.root}); there is nothing to leave.`);
  const late = setTimeout(() => {
    waiting.done();
    process.stderr.write(`davit: ${tooLate(identity, timeout)}\n`);
    process.exit(EXIT.failed);
  }, timeout * 1_000);
  const waiting = progress();
  waiting.show(`Leaving ${identity.server} …`);
  try {
    await byWhoeverCan(folder, identity, waiting.show);
  } finally {
    clearTimeout(late);
    waiting.done();
  }
  print(`This machine has left ${identity.server}; its identity in ${folder.root} is removed.`);
}

/** The agent that runs; or, if none does, one in this process. One that is just starting is waited for. */
async function byWhoeverCan(folder: MachineFolder, identity: Identity, show: (text: string) => void): Promise<void> {
  for (;;) {
    const steps = await askToLeave(folder.control);
    if (steps) return follow(steps, show);
    try {
      return await locked(folder, () => follow(leaveNow(folder, identity, logOf(folder)), show));
    } catch (error) {
      if (!(error instanceof AgentRuns)) throw error;
      await sleep(ASK_MS);
    }
  }
}

const logOf = ({ logs }: MachineFolder) => createLog("agent", join(logs, "agent.log"));

async function follow(steps: AsyncIterable<Progress>, show: (text: string) => void): Promise<void> {
  for await (const step of steps) {
    if ("failed" in step) throw new Failure(`the machine could not leave: ${step.failed}.`);
    if ("left" in step) return;
    show(`Waiting for ${step.waitingFor} task${step.waitingFor === 1 ? "" : "s"} to be down …`);
  }
  throw new Failure("the agent ended before it had left: run `davit leave` again.");
}

const tooLate = ({ server, instance }: Identity, seconds: number): string =>
  `the machine has not left within ${seconds} s. If ${server} can't be reached from here any more, ` +
  `run \`davit deregister ${instance.slice(0, 12)} --force\` there, and remove the data folder here.`;
