// Which agents are there: `agentConnected`, written on change only, and their tasks' `connectivity` with it.
import { keyOf } from "../../api/references.js";
import type { ContainerInstance, Task, TaskStatus } from "../../api/types.gen.js";
import type { ControlBus } from "../../bus/transport.js";
import type { Ref } from "../../client/object-client.js";
import type { Deps } from "../deps.js";
import { inParallel } from "../parallel.js";
import { connected } from "./status.js";

export interface Connectivity {
  /** Its agent has just said something. */
  heard(instance: Ref): void;
  /** Its agent has said goodbye. */
  gone(instance: Ref): void;
  /** Its object may say something else than what is known here. */
  changed(instance: ContainerInstance | undefined): void;
  stop(): void;
}

export interface ConnectivityOptions {
  bus: ControlBus;
  /** A silent agent counts as disconnected after so long. */
  graceMs: number;
}

export function createConnectivity(deps: Deps, { bus, graceMs }: ConnectivityOptions): Connectivity {
  const { world, objects, now, log } = deps;
  const heardMs = new Map<string, number>();
  const writing = new Set<string>();
  // A lost bus is not a lost fleet: clocks run only while this process is connected, and begin afresh after it was not.
  let sinceMs = now();
  const off = bus.onConnection(() => {
    sinceMs = now();
  });

  async function write(instance: Ref, isConnected: boolean): Promise<void> {
    const key = keyOf(instance);
    if (writing.has(key)) return;
    writing.add(key);
    try {
      await objects.changeStatus("ContainerInstance", instance, (current) =>
        current.status?.epoch === undefined ? undefined : connected(current, isConnected, now()),
      );
      await inParallel(world.tasksOn(instance), async (task) => {
        await objects.changeStatus("Task", task.metadata, (current) => reachable(current, isConnected, now()));
      });
    } catch (error) {
      log.warn({ instance: key, error: String(error) }, "connectivity not written, trying again");
    } finally {
      writing.delete(key);
    }
  }

  const check = (instance: ContainerInstance): void => {
    const { status, metadata } = instance;
    if (status?.epoch === undefined || !bus.connected()) return;
    const key = keyOf(metadata);
    const lastMs = Math.max(heardMs.get(key) ?? 0, sinceMs);
    const silent = now() - lastMs > graceMs;
    if (silent && status.agentConnected) void write(metadata, false);
    else if (!silent && !status.agentConnected && heardMs.has(key)) void write(metadata, true);
  };
  const timer = setInterval(
    () => {
      for (const instance of world.informers.ContainerInstance.list()) check(instance);
    },
    Math.min(1_000, graceMs / 5),
  );

  return {
    heard: (instance) => void heardMs.set(keyOf(instance), now()),
    gone(instance) {
      heardMs.delete(keyOf(instance));
      void write(instance, false);
    },
    changed(instance) {
      if (instance === undefined) return;
      check(objects.newest("ContainerInstance", instance.metadata) ?? instance);
      // Tasks that were told to be out of reach are told again with it.
      const { namespace, name } = instance.metadata;
      const apart = world.tasksOn({ namespace, name }).some(({ status }) => status?.connectivity === "DISCONNECTED");
      if (apart && heardMs.has(keyOf(instance.metadata))) void write(instance.metadata, true);
    },
    stop() {
      clearInterval(timer);
      off();
    },
  };
}

/** A task as its agent's connection has it. Undefined where it is said already, or no longer matters. */
function reachable({ status }: Task, isConnected: boolean, nowMs: number): TaskStatus | undefined {
  const connectivity = isConnected ? "CONNECTED" : "DISCONNECTED";
  if (status === undefined || status.lastStatus === "STOPPED" || status.connectivity === connectivity) return undefined;
  const version = (status.version ?? 0) + 1;
  return { ...status, connectivity, version, ...(isConnected && { connectivityAt: new Date(nowMs).toISOString() }) };
}
