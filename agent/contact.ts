// When the control plane was last heard, kept over a restart of the agent: tasks that must not outlive the contact for
// long (`lostInstances: STOP`) would otherwise gain a new term with each restart.
import { readFileSync, writeFileSync } from "node:fs";

/** Times are on the uptime's clock, which is the same for all processes of one boot. */
export interface Contact {
  /** Undefined if it is not known, as after a reboot, when no container runs any more either. */
  load(): number | undefined;
  save(atMs: number): void;
}

export function contactFile(path: string, bootId: string): Contact {
  return {
    load() {
      try {
        const [boot, atMs] = readFileSync(path, "utf8").trim().split(" ");
        return boot === bootId && /^\d+$/.test(atMs ?? "") ? Number(atMs) : undefined;
      } catch {
        return undefined;
      }
    },
    // Not synced to the disk: it need not outlive the machine.
    save: (atMs) => writeFileSync(path, `${bootId} ${Math.floor(atMs)}\n`),
  };
}
