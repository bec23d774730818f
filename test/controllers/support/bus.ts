// The bus in memory: both ends of the protocol, with messages that get lost.
import type { InstanceId } from "../../../bus/messages.js";
import type { AgentBus, ControlBus } from "../../../bus/transport.js";

type ControlHandlers = Parameters<ControlBus["serve"]>[0];
type AgentHandlers = Parameters<AgentBus["serve"]>[0];

export interface MemoryBus {
  /** Part of all messages that get lost, 0 to 1, in either direction. */
  loss: number;
  /** A control plane's end; a further one takes its place. */
  control(): ControlBus;
  agent(instance: InstanceId): AgentBus;
  /** The connection of all ends goes away and comes back. */
  setConnected(connected: boolean): void;
  /** One agent is cut off: nothing gets through in either direction. `silently`: it does not notice that itself. */
  cut(instance: InstanceId, silently?: boolean): void;
  heal(instance: InstanceId): void;
  readonly counts: { pushes: number; reports: number; syncs: number };
}

export function memoryBus(random: () => number = Math.random): MemoryBus {
  let connected = true;
  let serving: ControlHandlers | undefined;
  const agents = new Map<InstanceId, Set<{ handlers: AgentHandlers | undefined }>>();
  type Listener = (connected: boolean) => void;
  const listeners = new Set<Listener>();
  const listenersOf = new Map<InstanceId, Set<Listener>>();
  const cuts = new Map<InstanceId, { silently: boolean }>();
  const counts = { pushes: 0, reports: 0, syncs: 0 };
  const lost = (instance: InstanceId): boolean => !connected || cuts.has(instance) || random() < bus.loss;
  const connection = {
    connected: () => connected,
    onConnection(listener: (connected: boolean) => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const toAgent = (instance: InstanceId, deliver: (handlers: AgentHandlers) => void): void => {
    if (lost(instance)) return;
    setImmediate(() => {
      for (const { handlers } of agents.get(instance) ?? []) if (handlers) deliver(handlers);
    });
  };
  /** A request: it or its answer may get lost. What goes over is copied, as by a real bus. */
  const ask = <A>(
    instance: InstanceId,
    serve: (handlers: ControlHandlers) => Promise<A>,
    timeoutMs: number,
  ): Promise<A> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
      const handlers = serving;
      if (lost(instance) || !handlers) return;
      setImmediate(() => {
        serve(handlers).then(
          (answer) => {
            if (lost(instance)) return;
            clearTimeout(timer);
            resolve(structuredClone(answer));
          },
          () => undefined,
        );
      });
    });

  const bus: MemoryBus = {
    loss: 0,
    counts,
    control: () => ({
      ...connection,
      close: async () => undefined,
      serve: (handlers) => {
        serving = handlers;
      },
      push(instance, message) {
        counts.pushes++;
        const copy = structuredClone(message);
        toAgent(instance, (handlers) => handlers.push(copy));
      },
      supersede: (instance, epoch) => toAgent(instance, (handlers) => handlers.superseded(epoch)),
      probe: () => Promise.reject(new Error("no agent answers probes here")),
      logs: () => {
        throw new Error("no logs here");
      },
    }),
    agent(instance) {
      const end: { handlers: AgentHandlers | undefined } = { handlers: undefined };
      const isOpen = (): boolean => agents.get(instance)?.has(end) === true;
      const ends = agents.get(instance) ?? new Set();
      agents.set(instance, ends.add(end));
      const own = listenersOf.get(instance) ?? new Set();
      listenersOf.set(instance, own);
      const mine = new Set<Listener>();
      return {
        connected: () => connected && cuts.get(instance)?.silently !== false,
        onConnection(listener) {
          own.add(listener);
          mine.add(listener);
          return () => own.delete(listener);
        },
        async close() {
          ends.delete(end);
          for (const listener of mine) own.delete(listener);
        },
        sync(request, timeoutMs) {
          counts.syncs++;
          const copy = structuredClone(request);
          return ask(instance, (handlers) => handlers.sync(copy), timeoutMs);
        },
        report(batch, timeoutMs) {
          counts.reports += batch.reports.length;
          const copy = structuredClone(batch);
          return ask(instance, (handlers) => handlers.report(copy), timeoutMs);
        },
        heartbeat: (message) => void (!isOpen() || lost(instance) || serving?.heartbeat(message)),
        goodbye: (message) => void (!isOpen() || lost(instance) || serving?.goodbye(message)),
        serve: (handlers) => {
          end.handlers = handlers;
        },
      };
    },
    setConnected(next) {
      connected = next;
      for (const listener of listeners) listener(next);
      for (const [instance, own] of listenersOf)
        if (cuts.get(instance)?.silently !== false) for (const listener of own) listener(next);
    },
    cut(instance, silently = false) {
      const before = cuts.get(instance);
      cuts.set(instance, { silently });
      if (connected && !silently && before?.silently !== false)
        for (const listener of listenersOf.get(instance) ?? []) listener(false);
    },
    heal(instance) {
      const before = cuts.get(instance);
      cuts.delete(instance);
      if (connected && before?.silently === false)
        for (const listener of listenersOf.get(instance) ?? []) listener(true);
    },
  };
  return bus;
}
