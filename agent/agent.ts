// One machine's agent: engine, session and reporter on one runtime and one bus. It keeps no state of its own: what
// runs is read from the runtime's labels, what should run comes with the first sync answer.

import type { Log } from "../api/log.js";
import type { Attribute, Resource } from "../api/types.gen.js";
import type { InstanceId } from "../bus/messages.js";
import type { AgentBus } from "../bus/transport.js";
import { createEngine } from "./engine/engine.js";
import { createImages } from "./engine/images.js";
import { sleep } from "./engine/sleep.js";
import { streamLogs } from "./logs.js";
import { AGENT_DEFAULTS, type AgentOptions, builtInAttributes } from "./options.js";
import { createReporter } from "./reporter.js";
import type { Capacity, Runtime } from "./runtimes/runtime.js";
import { createSession } from "./session.js";

export interface AgentStatus {
  synced: boolean;
  epoch: number;
  /** Tasks that are not STOPPED. */
  liveTasks: number;
  /** Reports not answered yet. */
  waitingReports: number;
}

export interface Agent {
  /** Takes over what runs and joins. Resolves with the first answered sync, or when stopped; waits for a runtime or a
   *  bus that does not answer. */
  start(): Promise<void>;
  /** Says goodbye and lets go: containers keep running. `leave`: the machine is not coming back.
   *  Closes neither runtime nor bus. */
  stop(options?: { leave?: boolean }): Promise<void>;
  status(): AgentStatus;
}

export interface AgentDeps {
  instance: InstanceId;
  namespace: string;
  cluster: string;
  bus: AgentBus;
  runtime: Runtime;
  options?: Partial<AgentOptions>;
  /** Unix epoch, ms. */
  now: () => number;
  /** Uniform in [0, 1). */
  random: () => number;
  log: Log;
}

export function createAgent(deps: AgentDeps): Agent {
  const { instance, namespace, cluster, bus, runtime, now, random, log } = deps;
  const options: AgentOptions = { ...AGENT_DEFAULTS, ...deps.options };
  const stopping = new AbortController();
  let registered: Registration = { resources: [], attributes: [] };

  const reporter = createReporter({
    instance,
    bus,
    options,
    random,
    log,
    onSuperseded: (epoch) => session.superseded(epoch),
    onUnknown: (tasks) => session.syncAgain(`${tasks.length} reported tasks are not known`),
  });
  const engine = createEngine({
    agent: instance,
    runtime,
    images: createImages({ runtime, options, random, log }),
    registered: () => registered.resources,
    options,
    now,
    random,
    log,
    report: reporter.add,
  });
  const session = createSession({
    bus,
    engine,
    reporter,
    identity: () => ({
      instance,
      namespace,
      cluster,
      hostname: options.hostname,
      address: options.address,
      agentVersion: options.agentVersion,
      ...registered,
    }),
    options,
    now,
    random,
    log,
  });

  /** Again until it succeeds or the agent stops. */
  async function insist(what: string, action: () => Promise<void>): Promise<void> {
    for (let failures = 0; !stopping.signal.aborted; failures++) {
      try {
        return await action();
      } catch (error) {
        log.error({ error: error instanceof Error ? error.message : String(error) }, what);
        await sleep(Math.min(options.retryMs * 2 ** failures, options.maxRetryMs), stopping.signal);
      }
    }
  }

  /** Changes as they come; after a break, and every so often, everything is compared. */
  async function follow(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        for await (const change of runtime.changes(stopping.signal)) {
          if (change === "resync") await engine.relist();
          else engine.changed(change.id);
        }
      } catch (error) {
        log.warn({ error: String(error) }, "the runtime's changes broke off");
      }
      if (stopping.signal.aborted) return;
      await sleep(options.retryMs, stopping.signal);
      await insist("the runtime does not answer", () => engine.relist());
    }
  }

  const relisting = setInterval(() => {
    engine.relist().catch((error) => log.warn({ error: String(error) }, "listing failed"));
  }, options.relistMs);

  return {
    async start() {
      await insist("the runtime does not answer", async () => {
        registered = register(await runtime.capacity(), options);
        await engine.adopt();
      });
      if (stopping.signal.aborted) return;
      bus.serve({
        push: session.push,
        superseded: session.superseded,
        logs: (request, signal) => streamLogs({ engine, runtime }, request, signal),
        probe: () => Promise.reject(new Error("not there yet")),
      });
      void follow();
      await session.start();
    },
    async stop({ leave = false } = {}) {
      if (stopping.signal.aborted) return;
      stopping.abort();
      clearInterval(relisting);
      const { epoch } = session.state();
      session.close();
      reporter.close();
      engine.close();
      if (epoch > 0) bus.goodbye({ type: "davit.v1.Goodbye", instance, epoch, kind: leave ? "leave" : "restart" });
    },
    status: () => ({ ...session.state(), liveTasks: engine.size(), waitingReports: reporter.waiting() }),
  };
}

interface Registration {
  resources: Resource[];
  attributes: Attribute[];
  dockerVersion?: string;
}

function register(capacity: Capacity, options: AgentOptions): Registration {
  const attributes = new Map<string, Attribute>();
  const drivers = options.loggingDrivers.map((driver) => ({
    name: `com.amazonaws.ecs.capability.logging-driver.${driver}`,
  }));
  for (const attribute of [...builtInAttributes(), ...drivers, ...capacity.attributes, ...options.attributes])
    attributes.set(attribute.name, attribute);
  const memoryMiB = options.memoryMiB ?? capacity.memoryMiB - options.reservedMemoryMiB;
  return {
    resources: [
      { name: "CPU", type: "INTEGER", integerValue: options.cpuUnits ?? capacity.cpuUnits },
      { name: "MEMORY", type: "INTEGER", integerValue: memoryMiB },
      { name: "PORTS", type: "STRINGSET", stringSetValue: options.reservedPorts.map(String) },
      { name: "PORTS_UDP", type: "STRINGSET", stringSetValue: options.reservedPortsUdp.map(String) },
    ],
    attributes: [...attributes.values()],
    dockerVersion: capacity.version,
  };
}
