// One simulated machine with an agent that can be killed and started again.
import { type Agent, createAgent } from "../../../agent/agent.js";
import type { Contact } from "../../../agent/contact.js";
import type { AgentOptions } from "../../../agent/options.js";
import type { SimulatedOptions } from "../../../agent/runtimes/simulated/options.js";
import {
  createSimulatedRuntime,
  type SimulatedRuntime,
  simulatedMachine,
} from "../../../agent/runtimes/simulated/simulated.js";
import type { Log } from "../../../api/log.js";
import type { AgentBus } from "../../../bus/transport.js";
import { randomFrom } from "../../support/soak-count.js";
import { hex, quiet, revision } from "./builders.js";
import { type Control, createControl } from "./control.js";

/** Waits short enough for tests; behaviour is otherwise the default's. */
export const FAST: Partial<AgentOptions> = {
  retryMs: 2,
  maxRetryMs: 20,
  pullBackoffMs: 2,
  answerTimeoutMs: 40,
  busRetryMs: 2,
  maxBusRetryMs: 20,
  cleanupWaitMs: 0,
  relistMs: 60,
  resyncMs: 60_000,
  reportWindowMs: 1,
  lostLookMs: 5,
};

export interface Bench {
  control: Control;
  agent(): Agent;
  /** What the agent answers on the bus. */
  handlers(): Parameters<AgentBus["serve"]>[0];
  runtime(): SimulatedRuntime;
  /** Starts the agent, or starts it again. */
  start(): Promise<void>;
  /** As kill -9: no goodbye, nothing is awaited. Containers stay. */
  kill(): Promise<void>;
  close(): Promise<void>;
}

export function bench(
  setup: {
    simulated?: Partial<SimulatedOptions>;
    options?: Partial<AgentOptions>;
    log?: Log;
    seed?: number;
    /** The clock that nobody sets, ms. */
    uptimeMs?: () => number;
    contact?: Contact;
    wrap?: (runtime: SimulatedRuntime) => SimulatedRuntime;
  } = {},
): Bench {
  const random = randomFrom(setup.seed ?? 1);
  const control = createControl(random);
  control.revisions = { "default/shop:1": revision() };
  const machine = simulatedMachine(random);
  let runtime: SimulatedRuntime;
  let agent: Agent | undefined;
  let bus = control.connect();
  const made = () => {
    if (!agent) throw new Error("not started");
    return agent;
  };

  async function kill(): Promise<void> {
    await bus.close();
    await agent?.stop();
    await runtime?.close();
    agent = undefined;
  }

  return {
    control,
    agent: made,
    handlers() {
      const handlers = bus.handlers();
      if (!handlers) throw new Error("not started");
      return handlers;
    },
    runtime: () => runtime,
    kill,
    async start() {
      bus = control.connect();
      const plain = createSimulatedRuntime({ random, now: Date.now, machine, options: setup.simulated ?? {} });
      runtime = setup.wrap?.(plain) ?? plain;
      agent = createAgent({
        instance: hex("instance"),
        namespace: "default",
        cluster: "default",
        bus,
        runtime,
        options: { ...FAST, ...setup.options },
        now: Date.now,
        ...(setup.uptimeMs && { uptimeMs: setup.uptimeMs }),
        ...(setup.contact && { contact: setup.contact }),
        random,
        log: setup.log ?? quiet,
      });
      await agent.start();
    },
    async close() {
      await kill();
      machine.turnOff();
    },
  };
}
