import { readFileSync } from "node:fs";

/** Whether a process runs. */
export function isAlive(pid: number): boolean {
  try {
    // A zombie is gone for our purpose: its parent has not looked yet.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
