// Which agents are there: `agentConnected`, written on change only; and how well this control plane itself can hear.
import { keyOf } from "../../api/references.js";
import type { ContainerInstance } from "../../api/types.gen.js";
import type { ControlBus } from "../../bus/transport.js";
import type { Ref } from "../../client/object-client.js";
import { clusterKey } from "../cluster/keys.js";
import type { Deps } from "../deps.js";
import type { Hearing } from "../task/lost.js";
import { connected } from "./status.js";

export interface Connectivity {
  /** Its agent has just said something. Called for every heartbeat: costs next to nothing. `key`: of the instance. */
  heard(key: string): void;
  /** Its agent has said goodbye. Resolves when that is written, or failed to be and will be tried again. */
  gone(instance: Ref): Promise<void>;
  /** `clusterKey`: `<namespace>/<cluster>` */
  hearing(clusterKey: string): Hearing;
  stop(): void;
}

export interface ConnectivityOptions {
  bus: ControlBus;
  /** A silent agent is noticed within so long. */
  graceMs: number;
  selfStopMarginMs: number;
  /** An agent has fallen silent; called before that is written. */
  onSilent(instance: Ref): void;
  /** Machines of this cluster are heard after none was. */
  onHearing(clusterKey: string): void;
}

/** What is known of one agent. */
interface Voice {
  /** Last heard. */
  atMs: number;
  /** It said goodbye. */
  gone: boolean;
  /** It is silent, and whoever has to know knows. */
  missed: boolean;
}

export function createConnectivity(deps: Deps, options: ConnectivityOptions): Connectivity {
  const { world, objects, now, log } = deps;
  const { bus, graceMs } = options;
  const checkMs = Math.max(10, Math.min(1_000, graceMs / 15));
  // Looked at every `checkMs`, and then still to be written: both within the grace.
  const silentMs = graceMs - 2 * checkMs;
  const voices = new Map<string, Voice>();
  const writing = new Set<string>();
  /** Since when at least one machine of a cluster is heard. */
  const hearingSinceMs = new Map<string, number>();
  // A lost bus is not a lost fleet: clocks run only while this process is connected, and begin afresh after it was not.
  let sinceMs = now();
  let checkedMs = now();
  const afresh = (): void => {
    sinceMs = now();
    hearingSinceMs.clear();
  };
  const off = [
    bus.onConnection(afresh),
    world.informers.ContainerInstance.on({ deleted: ({ metadata }) => void voices.delete(keyOf(metadata)) }),
  ];

  async function write(instance: Ref, heard: Parameters<typeof connected>[1]): Promise<void> {
    const key = keyOf(instance);
    if (writing.has(key)) return;
    writing.add(key);
    try {
      await objects.changeStatus("ContainerInstance", instance, (current) =>
        current.status?.epoch === undefined ? undefined : connected(current, heard, now()),
      );
    } catch (error) {
      log.warn({ instance: key, error: String(error) }, "connectivity not written, trying again");
    } finally {
      writing.delete(key);
    }
  }

  /** @returns whether it is heard */
  function check({ metadata, status: shown }: ContainerInstance, nowMs: number): boolean {
    const key = keyOf(metadata);
    const voice = voices.get(key);
    // One that was connected when this process began may not have been heard yet.
    const atMs = voice?.gone ? voice.atMs : Math.max(voice?.atMs ?? 0, sinceMs);
    const silent = voice?.gone === true || nowMs - atMs > silentMs;
    const { namespace, name } = metadata;
    if (silent && voice?.missed === false) {
      voice.missed = true;
      options.onSilent({ namespace, name });
    }
    const there = !silent && voice !== undefined;
    if (shown?.agentConnected !== there && (silent || there)) {
      const status = objects.newest("ContainerInstance", metadata)?.status;
      if (status?.agentConnected === !there)
        void write({ namespace, name }, there ? { agentConnected: true } : { agentConnected: false, atMs });
    }
    return there && voice.atMs >= sinceMs;
  }

  function checkAll(): void {
    const nowMs = now();
    // This process itself was asleep (a laptop's lid, a virtual machine that was halted): it heard nobody meanwhile.
    if (nowMs - checkedMs > silentMs / 2 + checkMs) afresh();
    checkedMs = nowMs;
    if (!bus.connected()) return;
    const heard = new Set<string>();
    for (const instance of world.informers.ContainerInstance.list())
      if (check(instance, nowMs)) heard.add(clusterKey(instance.metadata.namespace, instance.spec.cluster));
    for (const key of hearingSinceMs.keys()) if (!heard.has(key)) hearingSinceMs.delete(key);
    for (const key of heard) {
      if (hearingSinceMs.has(key)) continue;
      hearingSinceMs.set(key, nowMs);
      options.onHearing(key);
    }
  }
  const timer = setInterval(checkAll, checkMs);

  return {
    heard(key) {
      const voice = voices.get(key);
      if (voice === undefined) {
        voices.set(key, { atMs: now(), gone: false, missed: false });
        return;
      }
      voice.atMs = now();
      voice.gone = false;
      voice.missed = false;
    },
    async gone(instance) {
      const atMs = now();
      voices.set(keyOf(instance), { atMs, gone: true, missed: true });
      await write(instance, { agentConnected: false, atMs });
    },
    hearing: (key) => ({
      sinceMs: bus.connected() ? hearingSinceMs.get(key) : undefined,
      graceMs,
      selfStopMarginMs: options.selfStopMarginMs,
    }),
    stop() {
      clearInterval(timer);
      for (const each of off) each();
    },
  };
}
