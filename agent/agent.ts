// One machine's agent: engine, session and reporter on one runtime and one bus. It keeps no state of its own: what
// runs is read from the runtime's labels, what should run comes with the first sync answer.

import type { Log } from "../api/log.js";
import { LOSS_NOTICED_WITHIN_MS } from "../bus/liveness.js";
import type { Goodbye, InstanceId, Refusal } from "../bus/messages.js";
import type { AgentBus } from "../bus/transport.js";
import type { Contact } from "./contact.js";
import { createEngine } from "./engine/engine.js";
import { createImages } from "./engine/images.js";
import { sleep } from "./engine/sleep.js";
import { type LeftTask, liveTasks } from "./engine/views.js";
import type { View } from "./introspection.js";
import { streamLogs } from "./logs.js";
import { createLostWatch } from "./lost-watch.js";
import { AGENT_DEFAULTS, type AgentOptions } from "./options.js";
import { createProbe } from "./probe.js";
import { registration } from "./registration.js";
import { createReporter } from "./reporter.js";
import { unmetRequirements } from "./requirements.js";
import type { Runtime } from "./runtimes/runtime.js";
import { createSession } from "./session.js";

export interface AgentStatus {
  synced: boolean;
  epoch: number;
  /** Why there is no session, if the control plane said so. */
  refused?: Refusal;
  /** Tasks that are not STOPPED. */
  liveTasks: number;
  /** Reports not answered yet. */
  waitingReports: number;
}

export interface StopOptions {
  /** See `Goodbye`. @default restart */
  kind?: Goodbye["kind"];
}

export interface Agent {
  /** Takes over what runs and joins. Resolves with the first session that the control plane opens, or when stopped;
   *  waits for a runtime or a bus that does not answer, and while it is refused. */
  start(): Promise<void>;
  /**
   * Says goodbye and lets go: containers keep running. With `leave` it stays until the control plane has stopped all
   * its tasks and their containers are removed, `leaveTimeoutMs` at most; a further call ends that wait. Closes neither
   * runtime nor bus.
   * @returns the tasks that still live
   */
  stop(options?: StopOptions): Promise<LeftTask[]>;
  status(): AgentStatus;
  /** What the introspection endpoint shows; undefined before the first session. */
  view(): View | undefined;
}

export interface AgentDeps {
  instance: InstanceId;
  namespace: string;
  cluster: string;
  bus: AgentBus;
  runtime: Runtime;
  options?: Partial<AgentOptions>;
  /** Keeps the time of the last contact over a restart of the agent. */
  contact?: Contact;
  /** Unix epoch, ms. */
  now: () => number;
  /** Time that nobody sets, and that goes on while the machine sleeps, ms. @default now */
  uptimeMs?: () => number;
  /** Uniform in [0, 1). */
  random: () => number;
  log: Log;
}

export function createAgent(deps: AgentDeps): Agent {
  const { instance, namespace, cluster, bus, runtime, contact, now, uptimeMs = now, random, log } = deps;
  const options: AgentOptions = { ...AGENT_DEFAULTS, ...deps.options };
  const stopping = new AbortController();
  /** Ends the wait of a machine that leaves. */
  const leaving = new AbortController();
  let leaves = false;
  let registered = registration({ cpuUnits: 0, memoryMiB: 0, version: "", attributes: [] }, options);
  /** Why the runtime did not answer when it was last asked. */
  let runtimeTrouble: string | undefined;

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
  const lastContactMs = contact?.load();
  const session = createSession({
    bus,
    engine,
    reporter,
    identity: () => ({ instance, namespace, cluster, ...registered }),
    options,
    now,
    uptimeMs,
    lostSinceMs: lastContactMs === undefined ? undefined : lastContactMs - LOSS_NOTICED_WITHIN_MS,
    random,
    log,
    onOpen: () => leaves && sayGoodbye("leave"),
  });
  const lostWatch = createLostWatch({ engine, session, uptimeMs, contact, lookMs: options.lostLookMs });
  const probe = createProbe({
    engine,
    runtime,
    options,
    now,
    problems: () => {
      const { refused } = session.state();
      return [
        ...(runtimeTrouble === undefined ? [] : [`the runtime does not answer: ${runtimeTrouble}`]),
        ...(refused ? [`refused by the control plane: ${refused.message}`] : []),
      ];
    },
  });

  function sayGoodbye(kind: Goodbye["kind"]): void {
    const { epoch } = session.state();
    if (epoch > 0) bus.goodbye({ type: "davit.v1.Goodbye", instance, epoch, kind });
  }

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

  async function relist(): Promise<void> {
    try {
      await engine.relist();
      runtimeTrouble = undefined;
    } catch (error) {
      runtimeTrouble = error instanceof Error ? error.message : String(error);
      throw error;
    }
  }

  /** Changes as they come; after a break, and every so often, everything is compared. */
  async function follow(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        for await (const change of runtime.changes(stopping.signal)) {
          if (change === "resync") await relist();
          else engine.changed(change.id);
        }
      } catch (error) {
        log.warn({ error: String(error) }, "the runtime's changes broke off");
      }
      if (stopping.signal.aborted) return;
      await sleep(options.retryMs, stopping.signal);
      await insist("the runtime does not answer", relist);
    }
  }

  const relisting = setInterval(() => {
    relist().catch((error) => log.warn({ error: String(error) }, "listing failed"));
  }, options.relistMs);

  /** Until no task lives, the control plane knows it, and nothing of them is left. */
  async function leave(): Promise<void> {
    leaves = true;
    sayGoodbye("leave");
    const deadlineMs = uptimeMs() + options.leaveTimeoutMs;
    const isLeft = (): boolean => session.state().synced && engine.size() === 0 && reporter.waiting() === 0;
    // A machine that has left already is not let in again.
    const isOver = (): boolean => uptimeMs() >= deadlineMs || session.state().refused?.reason === "Deregistered";
    while (!isLeft() && !isOver() && !leaving.signal.aborted) await sleep(LOOK_MS, leaving.signal);
    engine.sweep();
    const isClean = (): boolean => [...engine.records()].every(({ state }) => state !== "STOPPED");
    while (!isClean() && !isOver() && !leaving.signal.aborted) await sleep(LOOK_MS, leaving.signal);
  }

  function end(): void {
    stopping.abort();
    clearInterval(relisting);
    lostWatch.close();
    session.close();
    reporter.close();
    engine.close();
  }

  return {
    async start() {
      for (const problem of options.problems) log.warn({}, problem);
      await insist("this machine cannot be used yet", async () => {
        const capacity = await runtime.capacity();
        const unmet = unmetRequirements(capacity);
        if (unmet.length > 0) throw new Error(unmet.join("; "));
        registered = registration(capacity, options);
        await engine.adopt();
      });
      if (stopping.signal.aborted) return;
      bus.serve({
        push(message) {
          session.push(message);
          // A task that must not outlive the contact for long has come, perhaps: that there is contact is noted at once.
          lostWatch.look();
        },
        superseded: session.superseded,
        logs: (request, signal) => streamLogs({ engine, runtime }, request, signal),
        probe,
      });
      void follow();
      await session.start();
    },
    async stop({ kind = "restart" } = {}) {
      if (stopping.signal.aborted) return liveTasks(engine.records());
      if (leaves) leaving.abort();
      else if (kind === "leave") {
        await leave();
        if (stopping.signal.aborted) return liveTasks(engine.records());
      } else sayGoodbye(kind);
      end();
      return liveTasks(engine.records());
    },
    status() {
      const { epoch, synced, refused } = session.state();
      return {
        epoch,
        synced,
        ...(refused && { refused }),
        liveTasks: engine.size(),
        waitingReports: reporter.waiting(),
      };
    },
    view() {
      const { containerInstanceArn } = session.state();
      return containerInstanceArn === undefined
        ? undefined
        : { cluster, containerInstanceArn, version: options.agentVersion, tasks: engine.records() };
    },
  };
}

/** How often a machine that leaves looks whether it may go. */
const LOOK_MS = 50;
