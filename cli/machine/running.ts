// What is known about the process that runs a machine's agent, for `davit join --detach` and `davit leave`.
import { readFileSync, rmSync } from "node:fs";
import { writeJson } from "../supervisor/data-folder.js";
import type { ProcessIdentity } from "../supervisor/process.js";
import type { MachineFolder } from "./folder.js";

export interface Running {
  process: ProcessIdentity;
  /** Set once the control plane has answered its first sync. */
  ready: boolean;
}

export const writeRunning = ({ state }: MachineFolder, running: Running): void => writeJson(state, running);
export const removeRunning = ({ state }: MachineFolder): void => rmSync(state, { force: true });

export function readRunning({ state }: MachineFolder): Running | undefined {
  try {
    const found: unknown = JSON.parse(readFileSync(state, "utf8"));
    return typeof found === "object" && found !== null && "process" in found ? (found as Running) : undefined;
  } catch {
    return undefined;
  }
}
