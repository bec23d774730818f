import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** A process for certain: pids are used again, a pid with its start time is not. */
export interface ProcessIdentity {
  pid: number;
  /** Field 22 of /proc/<pid>/stat: clock ticks after boot. */
  startTicks: string;
}

/** The identity of a living process; undefined if there is none. A zombie counts as gone. */
export function identify(pid: number): ProcessIdentity | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  // The second field is the name in parentheses and may itself hold blanks and parentheses.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, startTicks] = [fields[0], fields[19]];
  return state === "Z" || state === "X" || startTicks === undefined ? undefined : { pid, startTicks };
}

export const isAlive = (known: ProcessIdentity): boolean => identify(known.pid)?.startTicks === known.startTicks;

/** Sends a signal to exactly this process; false if it is gone. */
export function signal(known: ProcessIdentity, name: NodeJS.Signals): boolean {
  if (!isAlive(known)) return false;
  try {
    return process.kill(known.pid, name);
  } catch {
    return false;
  }
}

/** Waits until the process is gone; false when `timeoutMs` is over first. */
export async function waitGone(known: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  for (const deadline = performance.now() + timeoutMs; isAlive(known); await sleep(20))
    if (performance.now() > deadline) return false;
  return true;
}

/** SIGTERM, then SIGKILL after graceMs. Resolves when the process is gone. */
export async function end(known: ProcessIdentity, graceMs: number): Promise<void> {
  if (!signal(known, "SIGTERM") || (await waitGone(known, graceMs))) return;
  signal(known, "SIGKILL");
  if (!(await waitGone(known, 5_000))) throw new Error(`process ${known.pid} does not end`);
}
