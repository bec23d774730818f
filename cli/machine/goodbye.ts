// Why this process is told to end: for a restart, or because the machine itself goes down.
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { promisify } from "node:util";

/** Where systemd says when a shutdown that was asked for in time will begin. */
const SCHEDULED = "/run/systemd/shutdown/scheduled";
/** A shutdown that begins so soon is why we were told to end. */
const SOON_MS = 10_000;

export interface MachineState {
  /** What `systemctl is-system-running` prints; empty where there is none. */
  system: string;
  /** Text of the file of a scheduled shutdown; empty if there is none. */
  scheduled: string;
}

/** Whether the machine goes down. Pure. A shutdown scheduled for later is no reason: until then containers run on. */
export function isGoingDown({ system, scheduled }: MachineState, nowMs: number): boolean {
  if (system.trim() === "stopping") return true;
  const atMicroseconds = /^USEC=(\d+)$/m.exec(scheduled)?.[1];
  return atMicroseconds !== undefined && Number(atMicroseconds) / 1_000 <= nowMs + SOON_MS;
}

/** What an agent that is told to end says.
 *  @param stoppingFile there if the machine stops: who stops the agent's container may know it, and leave it there */
export const goodbyeKind = async (stoppingFile?: string): Promise<"stop" | "restart"> =>
  (stoppingFile !== undefined && existsSync(stoppingFile)) || isGoingDown(await readMachineState(), Date.now())
    ? "stop"
    : "restart";

export async function readMachineState(scheduledFile = SCHEDULED): Promise<MachineState> {
  return { system: await systemState(), scheduled: textOf(scheduledFile) };
}

async function systemState(): Promise<string> {
  try {
    return (await promisify(execFile)("systemctl", ["is-system-running"], { timeout: 2_000 })).stdout;
  } catch (error) {
    // It ends with a failure unless everything runs; what it printed counts.
    const { stdout } = Object(error) as { stdout?: unknown };
    return typeof stdout === "string" ? stdout : "";
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
