// The whole control plane on a real store and API server, with simulated machines: what the controllers' tests run on.
import { createHash, randomUUID } from "node:crypto";
import { type Agent, createAgent } from "../../../agent/agent.js";
import type { AgentOptions } from "../../../agent/options.js";
import type { SimulatedOptions } from "../../../agent/runtimes/simulated/options.js";
import {
  createSimulatedRuntime,
  type SimulatedMachine,
  type SimulatedRuntime,
  simulatedMachine,
} from "../../../agent/runtimes/simulated/simulated.js";
import type { ContainerDefinition, Service, ServiceSpec, Task, TaskDefinitionSpec } from "../../../api/types.gen.js";
import { type ApiServer, createApiServer } from "../../../apiserver/index.js";
import type { Goodbye } from "../../../bus/messages.js";
import type { ObjectClient } from "../../../client/object-client.js";
import { type Controllers, type ControllersOptions, startControllers } from "../../../controllers/manager.js";
import { openLmdbStore } from "../../../store/lmdb/lmdb-store.js";
import type { Store } from "../../../store/store.js";
import { temporaryFolder } from "../../support/folder.js";
import { eventually } from "../../support/wait.js";
import { type MemoryBus, memoryBus } from "./bus.js";

const FAST: Partial<AgentOptions> = {
  retryMs: 2,
  maxRetryMs: 20,
  pullBackoffMs: 2,
  answerTimeoutMs: 500,
  busRetryMs: 2,
  maxBusRetryMs: 20,
  cleanupWaitMs: 0,
  relistMs: 200,
  reportWindowMs: 1,
};
export const idOf = (name: string): string => createHash("sha256").update(name).digest("hex").slice(0, 32);

/** Problems that a test did not expect are shown; the rest is quiet. */
const loud = process.env.DAVIT_TEST_LOG === "1";
const log = {
  info: (fields: object, message: string) => void (loud && console.log(message, fields)),
  warn: (fields: object, message: string) => void (loud && console.log("WARN", message, fields)),
  error: (fields: object, message: string) => console.log("ERROR", message, fields),
};
const quietAgent = { info() {}, warn() {}, error() {} };

export interface Machine {
  readonly id: string;
  readonly runtime: () => SimulatedRuntime;
  /** Its agent runs. */
  isUp(): boolean;
  /** The agent ends as by kill -9; containers stay. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** A clean shutdown. */
  stop(kind?: Goodbye["kind"]): Promise<void>;
  /** The machine loses its power: agent and containers end at once. */
  fail(): Promise<void>;
}

export interface House {
  readonly client: ObjectClient;
  readonly api: ApiServer;
  readonly store: Store;
  readonly bus: MemoryBus;
  machine(
    name: string,
    options?: { simulated?: Partial<SimulatedOptions>; agent?: Partial<AgentOptions>; cluster?: string },
  ): Promise<Machine>;
  /** The control plane's controllers end, and others begin on the same store. */
  restartControllers(): Promise<void>;
  stopControllers(): Promise<void>;
  startControllers(): Promise<void>;
  define(family: string, change?: Partial<ContainerDefinition>, rest?: Partial<TaskDefinitionSpec>): Promise<void>;
  serve(name: string, spec?: Partial<ServiceSpec>): Promise<Service>;
  service(name: string): Promise<Service | undefined>;
  tasks(): Promise<readonly Task[]>;
  running(): Promise<readonly Task[]>;
  /** Waits until the service says that it is steady, at its present generation. */
  steady(name: string, timeoutMs?: number): Promise<Service>;
  close(): Promise<void>;
}

export async function openHouse(
  options: Partial<
    Pick<ControllersOptions, "graceMs" | "heartbeatMs" | "now" | "keepInactiveMs" | "selfStopMarginMs" | "version">
  > = {},
): Promise<House> {
  const folder = temporaryFolder("controllers");
  const store = await openLmdbStore({ folder: folder.path });
  const api = createApiServer({ store, now: Date.now, newUid: randomUUID, random: Math.random, log });
  await api.bootstrap();
  const client = api.trustedClient;
  const bus = memoryBus();
  const machines: { machine: Machine; books: SimulatedMachine }[] = [];
  let controllers: Controllers | undefined;

  const house: House = {
    client,
    api,
    store,
    bus,
    async machine(name, { simulated = {}, agent: agentOptions = {}, cluster = "default" } = {}) {
      const books = simulatedMachine();
      const id = idOf(name);
      let runtime: SimulatedRuntime | undefined;
      let agent: Agent | undefined;
      let end = bus.agent(id);
      const machine: Machine = {
        id,
        runtime: () => {
          if (!runtime) throw new Error(`${name} is not started`);
          return runtime;
        },
        isUp: () => agent !== undefined,
        async start() {
          end = bus.agent(id);
          runtime = createSimulatedRuntime({ now: Date.now, random: Math.random, machine: books, options: simulated });
          agent = createAgent({
            instance: id,
            namespace: "default",
            cluster,
            bus: end,
            runtime,
            options: { ...FAST, hostname: name, address: "10.0.0.7", ...agentOptions },
            now: Date.now,
            random: Math.random,
            log: quietAgent,
          });
          await agent.start();
        },
        async kill() {
          await end.close();
          await agent?.stop();
          await runtime?.close();
          agent = undefined;
        },
        async fail() {
          await machine.kill();
          books.turnOff();
        },
        async stop(kind) {
          await agent?.stop(kind && { kind });
          await end.close();
          await runtime?.close();
          agent = undefined;
        },
      };
      machines.push({ machine, books });
      await machine.start();
      return machine;
    },
    async startControllers() {
      controllers = startControllers({
        client,
        bus: bus.control(),
        now: Date.now,
        random: Math.random,
        newUid: randomUUID,
        log,
        graceMs: 1_000,
        heartbeatMs: 100,
        ...options,
      });
      await controllers.ready;
    },
    async stopControllers() {
      await controllers?.stop();
      controllers = undefined;
    },
    async restartControllers() {
      await house.stopControllers();
      await house.startControllers();
    },
    async define(family, change = {}, rest = {}) {
      const spec = { containerDefinitions: [{ name: "app", image: "busybox", memory: 16, ...change }], ...rest };
      const ref = { namespace: "default", name: family };
      const known = await client.get("TaskDefinition", ref);
      const object = { apiVersion: "davit.dev/v1" as const, kind: "TaskDefinition" as const, metadata: ref, spec };
      if (known) await client.patch("TaskDefinition", ref, { spec });
      else await client.create("TaskDefinition", object);
    },
    async serve(name, spec = {}) {
      const { deploymentConfiguration, ...rest } = spec;
      return client.create("Service", {
        apiVersion: "davit.dev/v1",
        kind: "Service",
        metadata: { namespace: "default", name },
        spec: {
          taskDefinition: "app",
          desiredCount: 3,
          ...rest,
          deploymentConfiguration: { minHealthySeconds: 0, ...deploymentConfiguration },
        },
      });
    },
    service: (name) => client.get("Service", { namespace: "default", name }),
    tasks: async () => (await client.list("Task", { namespace: "default" })).items,
    running: async () => (await house.tasks()).filter(({ status }) => status?.lastStatus === "RUNNING"),
    steady: (name, timeoutMs) =>
      eventually(
        `service ${name} is steady`,
        async () => {
          const service = await house.service(name);
          const ready = service?.status?.conditions?.find(({ type }) => type === "Ready");
          const current = service?.status?.observedGeneration === service?.metadata.generation;
          if (service && current && ready?.status === "True") return service;
          throw new Error(`${name}: ${ready?.reason} ${ready?.message}`);
        },
        timeoutMs,
      ),
    async close() {
      await house.stopControllers();
      for (const { machine, books } of machines) {
        await machine.kill();
        books.turnOff();
      }
      await api.close();
      await store.close();
      folder.remove();
    },
  };
  await house.startControllers();
  return house;
}
