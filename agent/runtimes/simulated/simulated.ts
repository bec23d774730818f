// A runtime without containers: it keeps books, takes its time and fails as told. Cheap enough for thousands of
// machines in one process. What is done to it from outside (`crash`, `vanish`) is for tests and demonstrations.
import type { NetworkBinding } from "../../../api/types.gen.js";
import { isOrphan } from "../labels.js";
import { Queue } from "../queue.js";
import { type ContainerSpec, type Runtime, type RuntimeContainer, RuntimeError, type Usage } from "../runtime.js";
import { type Duration, SIMULATED_DEFAULTS, type SimulatedOptions } from "./options.js";

export interface SimulatedRuntime extends Runtime {
  /** The container's process ends by itself. */
  crash(id: string, exitCode: number): void;
  /** Removed by somebody else. */
  vanish(id: string): void;
  setHealth(id: string, health: RuntimeContainer["health"]): void;
  /** Every container, also those of other agents on the same `machine`. */
  readonly containers: ReadonlyMap<string, RuntimeContainer>;
}

/** What outlives a runtime object, as a machine's containers outlive its agent. */
export interface SimulatedMachine {
  containers: Map<string, RuntimeContainer>;
  specs: Map<string, ContainerSpec>;
  /** Ids by name, as in Docker there at most once. */
  names: Map<string, string>;
  images: Set<string>;
  nextPort: number;
  created: number;
  /** What all ids of this machine end in. */
  idTail: string;
  timers: Set<NodeJS.Timeout>;
  listeners: Set<(id: string) => void>;
  /** Ends all timers. */
  turnOff(): void;
}

export function simulatedMachine(random: () => number = Math.random): SimulatedMachine {
  const idTail = Array.from({ length: 6 }, () => hex32(random() * 2 ** 32)).join("");
  const timers = new Set<NodeJS.Timeout>();
  return {
    containers: new Map(),
    specs: new Map(),
    names: new Map(),
    images: new Set(),
    nextPort: 32_768,
    created: 0,
    idTail,
    timers,
    listeners: new Set(),
    turnOff() {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
}

const LAST_PORT = 60_999;

export function createSimulatedRuntime(deps: {
  /** Uniform in [0, 1); seed it for runs that repeat. */
  random: () => number;
  now: () => number;
  options?: Partial<SimulatedOptions>;
  machine?: SimulatedMachine;
}): SimulatedRuntime {
  const { random, now, machine = simulatedMachine(deps.random) } = deps;
  const options: SimulatedOptions = { ...SIMULATED_DEFAULTS, ...deps.options };
  const { containers, specs } = machine;
  const queues = new Set<Queue<{ id: string }>>();
  const notify = (id: string) => {
    for (const queue of queues) queue.push({ id });
  };
  machine.listeners.add(notify);

  const draw = (duration: Duration): number =>
    typeof duration === "number" ? duration : duration[0] + random() * (duration[1] - duration[0]);
  const happens = (rate: number): boolean => rate > 0 && random() < rate;
  const changed = (id: string) => {
    for (const listener of machine.listeners) listener(id);
  };

  function after(ms: number, then: () => void): void {
    const timer = setTimeout(() => {
      machine.timers.delete(timer);
      then();
    }, ms);
    machine.timers.add(timer);
  }
  const wait = (ms: number): Promise<void> | undefined =>
    ms > 0 ? new Promise((resolve) => after(ms, resolve)) : undefined;

  function set(id: string, change: Partial<RuntimeContainer>): void {
    const container = containers.get(id);
    if (container) containers.set(id, { ...container, ...change });
  }

  function end(id: string, exitCode: number): void {
    if (containers.get(id)?.lastStatus !== "RUNNING") return;
    set(id, { lastStatus: "STOPPED", exitCode, finishedAtMs: now(), networkBindings: [] });
    changed(id);
  }

  function bindings({ definition, networkMode }: ContainerSpec): NetworkBinding[] {
    return (definition.portMappings ?? []).map(({ containerPort = 0, hostPort, protocol = "tcp" }) => ({
      bindIP: "0.0.0.0",
      containerPort,
      hostPort: networkMode === "host" ? containerPort : hostPort || freePort(),
      protocol,
    }));
  }

  function freePort(): number {
    const port = machine.nextPort;
    machine.nextPort = port === LAST_PORT ? 32_768 : port + 1;
    return port;
  }

  /** What will happen to a container by itself once it runs. */
  function live(id: string, spec: ContainerSpec): void {
    if (happens(options.crashRate)) after(draw(options.crashMs), () => end(id, 1));
    else if (options.runMs !== undefined) after(draw(options.runMs), () => end(id, options.exitCode));
    if (!spec.definition.healthCheck) return;
    const health = happens(options.unhealthyRate) ? "UNHEALTHY" : "HEALTHY";
    after(draw(options.healthyAfterMs), () => setHealth(id, health));
  }

  function setHealth(id: string, health: RuntimeContainer["health"]): void {
    if (containers.get(id)?.lastStatus !== "RUNNING") return;
    set(id, { health });
    changed(id);
  }

  function erase(id: string): void {
    const name = containers.get(id)?.runtimeName;
    if (name !== undefined) machine.names.delete(name);
    containers.delete(id);
    specs.delete(id);
  }

  return {
    containers,
    setHealth,
    crash: end,
    vanish(id) {
      erase(id);
      changed(id);
    },
    async capacity() {
      return {
        cpuUnits: options.cpuUnits,
        memoryMiB: options.memoryMiB,
        version: "simulated",
        attributes: [{ name: "ecs.os-type", value: "linux" }],
      };
    },
    list: async () => [...containers.values()].filter(({ runtimeName }) => !isOrphan(runtimeName)),
    orphans: async () => [...containers.values()].filter(({ runtimeName }) => isOrphan(runtimeName)),
    inspect: async (id) => containers.get(id),
    hasImage: async (image) => machine.images.has(image),
    async pull(image) {
      if (!machine.images.has(image)) await wait(draw(options.pullMs));
      if (happens(options.pullFailureRate))
        throw new RuntimeError("CannotPullContainerError", `API error (404): repository ${image} not found`);
      machine.images.add(image);
    },
    async create(spec) {
      const existing = machine.names.get(spec.runtimeName);
      if (existing) return existing;
      if (happens(options.createFailureRate))
        throw new RuntimeError("CannotCreateContainerError", "API error (500): simulated failure");
      // 64 hex digits, as Docker's.
      const id = hex32(random() * 2 ** 32) + hex32(machine.created++) + machine.idTail;
      specs.set(id, spec);
      machine.names.set(spec.runtimeName, id);
      containers.set(id, {
        id,
        task: spec.task,
        name: spec.definition.name,
        runtimeName: spec.runtimeName,
        labels: spec.labels,
        image: spec.definition.image,
        lastStatus: "CREATED",
        health: "UNKNOWN",
        networkBindings: [],
      });
      return id;
    },
    async start(id) {
      await wait(draw(options.startMs));
      const spec = specs.get(id);
      if (!spec) throw new RuntimeError("CannotStartContainerError", `API error (404): No such container: ${id}`);
      if (containers.get(id)?.lastStatus === "RUNNING") return;
      if (happens(options.startFailureRate))
        throw new RuntimeError("CannotStartContainerError", "API error (500): simulated failure");
      set(id, { lastStatus: "RUNNING", startedAtMs: now(), networkBindings: bindings(spec) });
      live(id, spec);
    },
    async stop(id, graceMs) {
      if (containers.get(id)?.lastStatus !== "RUNNING") return;
      if (happens(options.stopFailureRate)) throw new RuntimeError("DockerTimeoutError", "the stop was not answered");
      const stopMs = draw(options.stopMs);
      await wait(Math.min(stopMs, graceMs));
      end(id, stopMs > graceMs ? 137 : options.exitCode);
    },
    async remove(id) {
      erase(id);
    },
    async rename(id, runtimeName) {
      const before = containers.get(id)?.runtimeName;
      if (before === undefined) return;
      machine.names.delete(before);
      machine.names.set(runtimeName, id);
      set(id, { runtimeName });
    },
    async usage(ids) {
      const usage = new Map<string, Usage>();
      for (const id of ids) {
        const definition = specs.get(id)?.definition;
        if (!definition || containers.get(id)?.lastStatus !== "RUNNING") continue;
        const { cpu = 0, memory, memoryReservation } = definition;
        const memoryMiB = (memoryReservation ?? memory ?? 0) * options.memoryUse;
        usage.set(id, { cpuUnits: cpu * options.cpuUse, memoryMiB });
      }
      return usage;
    },
    disk: async () => ({ path: "/simulated", totalBytes: options.diskTotalBytes, freeBytes: options.diskFreeBytes }),
    async *changes(signal) {
      const queue = new Queue<{ id: string }>();
      queues.add(queue);
      signal.addEventListener("abort", () => queue.end(), { once: true });
      try {
        if (!signal.aborted) yield* queue.read();
      } finally {
        queues.delete(queue);
      }
    },
    async *logs(id, { follow, signal }) {
      const container = containers.get(id);
      if (container?.startedAtMs !== undefined)
        yield { stream: "stdout", atMs: container.startedAtMs, text: `simulated ${container.image}` };
      if (follow && container?.lastStatus === "RUNNING")
        await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    },
    async close() {
      machine.listeners.delete(notify);
      for (const queue of queues) queue.end();
      // A machine that was given lives on, and with it what its containers do by themselves.
      if (!deps.machine) machine.turnOff();
    },
  };
}

const hex32 = (value: number): string => Math.floor(value).toString(16).padStart(8, "0");
