// What /proc says about a process.
import { readFileSync } from "node:fs";

/** Linux counts a process's time in hundredths of a second for everybody, whatever the kernel's own clock. */
const TICK_MS = 10;

/** User and system time so far, ms. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name in parentheses may hold spaces; the state comes after it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

export interface MemoryMiB {
  /** All pages that it has in memory. */
  resident: number;
  /** The same, with each shared page divided by those who share it: these add up over processes. */
  proportional: number;
}

export function memoryOf(pid: number): MemoryMiB {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const mib = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(rollup)?.[1]) / 1024;
  return { resident: mib("Rss"), proportional: mib("Pss") };
}
