import { existsSync, rmSync } from "node:fs";
import type { Command } from "commander";
import { seconds } from "./arguments.js";
import { Failure } from "./failure.js";
import { print, progress } from "./output/terminal.js";
import { containersOf, removeContainer } from "./supervisor/containers.js";
import { type DataFolder, dataFolder } from "./supervisor/data-folder.js";
import { knownInstanceIds } from "./supervisor/instance-ids.js";
import { isAlive, signal, waitGone } from "./supervisor/process.js";
import { CHILDREN, readState, removeState, type SupervisorState } from "./supervisor/state-file.js";

interface Options {
  dataDir?: string;
  purge?: boolean;
  timeout: number;
}

export function define(command: Command): void {
  command
    .description("Stops Davit on this machine, also one whose supervisor was killed, and says what keeps running.")
    .option("--data-dir <D>", "data folder of the Davit to stop")
    .option("--purge", "also remove its containers and its data folder, for good")
    .option("--timeout <SECONDS>", "how long it may take to end by itself", seconds, 60)
    .addHelpText(
      "after",
      "\nExamples:\n  $ davit down            containers keep running\n  $ davit down --purge    nothing is left",
    )
    .action(down);
}

export async function down({ dataDir, purge, timeout }: Options): Promise<void> {
  const folder = dataFolder(dataDir);
  if (!existsSync(folder.stamp)) {
    if (existsSync(folder.root) && purge)
      throw new Failure(`${folder.root} is no Davit data folder (no davit.json in it); nothing is removed.`);
    return print(`There is no Davit in ${folder.root}.`);
  }
  const waiting = progress();
  waiting.show("Stopping Davit …");
  const stopped = await stopProcesses(folder, timeout * 1000);
  waiting.done();
  if (purge) await removeAll(folder);
  else await sayWhatStays(folder, stopped);
}

/** @returns whether anything ran */
async function stopProcesses(folder: DataFolder, timeoutMs: number): Promise<boolean> {
  const state = readState(folder.state);
  if (!state) return false;
  const ran = signal(state.supervisor, "SIGTERM");
  if (ran && !(await waitGone(state.supervisor, timeoutMs)))
    throw new Failure(
      `the supervisor (process ${state.supervisor.pid}) did not end within ${timeoutMs / 1000} s; its logs are in ${folder.logs}.`,
    );
  return (await endOrphans(folder, state)) || ran;
}

/** Children that outlived a killed supervisor. */
async function endOrphans(folder: DataFolder, state: SupervisorState): Promise<boolean> {
  const left = CHILDREN.filter((name) => {
    const child = state.children[name];
    return child !== undefined && isAlive(child);
  });
  if (left.length > 0) {
    const { endChildren } = await import("./supervisor/supervisor.js");
    await endChildren(state);
  }
  removeState(folder.state);
  return left.length > 0;
}

async function sayWhatStays(folder: DataFolder, stopped: boolean): Promise<void> {
  print(stopped ? "Davit is down." : "Davit was not running.");
  const running = (await containersOf(knownInstanceIds(folder))).filter((container) => container.running);
  if (running.length > 0)
    print(
      `${running.length} container${running.length === 1 ? "" : "s"} of it keep running: ${running.map(({ name }) => name).join(", ")}.`,
    );
  print(
    `The data stays in ${folder.root}. \`davit up\` goes on from here; \`davit down --purge\` removes containers and data.`,
  );
}

async function removeAll(folder: DataFolder): Promise<void> {
  const containers = await containersOf(knownInstanceIds(folder));
  for (const container of containers) await removeContainer(container);
  rmSync(folder.root, { recursive: true, force: true });
  print(
    `Davit is down; ${containers.length} container${containers.length === 1 ? "" : "s"} and ${folder.root} are removed.`,
  );
}
