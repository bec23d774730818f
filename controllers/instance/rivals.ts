// Two machines with one identity: a cloned disk, or only a machine that has booted again before anybody noticed that
// it was gone. What tells them apart is whether the first is still heard once the second has asked.
import type { InstanceId, SyncRequest } from "../../bus/messages.js";
import type { Refused } from "./registration.js";

/** Who has the identity: of the open session, or, after a restart of the control plane, as the store has it. */
export interface Present {
  readonly bootId?: string | undefined;
  readonly hostname?: string | undefined;
  readonly heardMs: number;
}

export interface Rivals {
  /** @returns why another session may not be opened; undefined if it may */
  meet(request: SyncRequest, present: Present | undefined): Refused | undefined;
  /** Identities of which no stranger has asked for a while any more; each is named once. */
  settled(): InstanceId[];
  size(): number;
}

interface Rival {
  bootId: string;
  firstMs: number;
  lastMs: number;
  presentHeardMs: number;
  cloned: boolean;
}

/** A known stranger gets in when the first has not been heard for so long, or is forgotten when it has not asked. */
const FORGET_MS = 5 * 60_000;

export function createRivals(now: () => number, heartbeatMs: number): Rivals {
  const rivals = new Map<InstanceId, Rival>();
  /** What was under way when the second asked is no sign of life. */
  const crossingMs = heartbeatMs / 5;

  return {
    meet(request, present) {
      const { instance, bootId } = request;
      if (bootId === undefined) return undefined;
      const nowMs = now();
      const known = rivals.get(instance);
      const mine = known?.bootId === bootId ? known : undefined;
      if (present?.bootId === bootId) return undefined;
      if (present?.bootId === undefined) {
        if (!mine?.cloned || nowMs - mine.presentHeardMs > FORGET_MS) {
          if (mine) rivals.delete(instance);
          return undefined;
        }
        mine.lastMs = nowMs;
        return cloned(request, undefined);
      }
      const rival = mine ?? { bootId, firstMs: nowMs, lastMs: nowMs, presentHeardMs: present.heardMs, cloned: false };
      rival.lastMs = nowMs;
      rival.presentHeardMs = present.heardMs;
      rivals.set(instance, rival);
      rival.cloned ||= present.heardMs > rival.firstMs + crossingMs;
      if (rival.cloned) return cloned(request, present);
      if (nowMs - rival.firstMs >= 2 * heartbeatMs) {
        rivals.delete(instance);
        return undefined;
      }
      return {
        reason: "Busy",
        message: `The former session of ${instance} may still be alive: ask again in a moment.`,
      };
    },
    size: () => rivals.size,
    settled() {
      const over = [...rivals].filter(([, { lastMs }]) => now() - lastMs > FORGET_MS).map(([instance]) => instance);
      for (const instance of over) rivals.delete(instance);
      return over;
    },
  };
}

function cloned({ instance, hostname, address }: SyncRequest, present: Present | undefined): Refused {
  const who = `${hostname} (${address})`;
  return {
    reason: "Cloned",
    message: `${who} has the identity of ${present?.hostname ?? "another machine"}, which is at work as ${instance}: its disk was copied. On ${who}, make a new machine id (rm /etc/machine-id && systemd-machine-id-setup, or --machine-id), remove Davit's data folder, and join it anew.`,
  };
}
