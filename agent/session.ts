// The agent's side of a session: sync, then pushes in order, heartbeats, and sync again whenever something is missing.
// While the bus is away nothing happens here, and nothing is stopped.

import type { Log } from "../api/log.js";
import type { AssignmentPush, SyncAnswer, SyncRequest } from "../bus/messages.js";
import type { AgentBus } from "../bus/transport.js";
import type { Engine } from "./engine/engine.js";
import { sleep } from "./engine/sleep.js";
import type { Reporter } from "./reporter.js";
import { createRivalry } from "./rivalry.js";

export interface Session {
  /** Resolves with the first answered sync, or when closed. */
  start(): Promise<void>;
  push(message: AssignmentPush): void;
  superseded(epoch: number): void;
  /** Something is missing: open a new session. */
  syncAgain(why: string): void;
  state(): { epoch: number; synced: boolean };
  close(): void;
}

export interface SessionDeps {
  bus: AgentBus;
  engine: Pick<Engine, "replaceAll" | "assign" | "forget" | "inventory">;
  reporter: Pick<Reporter, "open" | "pause">;
  /** All of the request but what changes with each sync. */
  identity: () => Omit<SyncRequest, "type" | "tasks">;
  options: { answerTimeoutMs: number; busRetryMs: number; maxBusRetryMs: number; resyncMs: number };
  now: () => number;
  random: () => number;
  log: Log;
}

/** How long a message about a session may be under way. */
const CROSSING_MS = 2_000;

export function createSession(deps: SessionDeps): Session {
  const { bus, engine, reporter, options, random, log } = deps;
  const closing = new AbortController();
  const rivalry = createRivalry(deps.now, options.busRetryMs * 5);
  let epoch = 0;
  let seq = 0;
  /** Pushes of a session whose sync answer is still on its way. */
  let early: AssignmentPush[] = [];
  let openedAtMs = 0;
  let wanted: string | undefined;
  let running = false;
  let opened: (() => void) | undefined;
  let heartbeat: NodeJS.Timeout | undefined;
  let resync: NodeJS.Timeout | undefined;

  function syncAgain(why: string): void {
    wanted = why;
    reporter.pause();
    if (!running) void run();
  }

  async function run(): Promise<void> {
    running = true;
    for (let failures = 0; wanted !== undefined && !closing.signal.aborted; ) {
      // Without a connection the next one brings us back.
      if (!bus.connected()) break;
      const waitMs = Math.max(rivalry.waitMs(), backOffMs(failures));
      if (waitMs > 0) await sleep(waitMs, closing.signal);
      if (closing.signal.aborted) break;
      const why = wanted;
      wanted = undefined;
      try {
        const request: SyncRequest = { type: "davit.v1.SyncRequest", ...deps.identity(), tasks: engine.inventory() };
        const answer = await bus.sync(request, options.answerTimeoutMs);
        if (closing.signal.aborted) break;
        accept(answer, failures);
        failures = 0;
      } catch (error) {
        failures += 1;
        wanted ??= why;
        log.warn({ why, failures, error: String(error) }, "sync not answered, trying again");
      }
    }
    running = false;
  }

  function backOffMs(failures: number): number {
    if (failures === 0) return 0;
    return Math.min(options.busRetryMs * 2 ** (failures - 1), options.maxBusRetryMs) * (0.5 + random() / 2);
  }

  /** @param unanswered syncs of our own before this one, each of which may have opened a session. */
  function accept(answer: SyncAnswer, unanswered: number): void {
    if (answer.epoch <= epoch) throw new Error(`the answer is of session ${answer.epoch}, after ${epoch}`);
    if (epoch > 0 && answer.epoch > epoch + 1 + unanswered) rivalry.met();
    epoch = answer.epoch;
    openedAtMs = deps.now();
    seq = answer.seq;
    const complete = engine.replaceAll(answer.assignments, answer.revisions);
    if (!complete) log.error({ epoch }, "the sync answer lacks definitions");
    log.info({ epoch, assignments: answer.assignments.length }, "session open");
    reporter.open(epoch);
    beat(answer.heartbeatMs);
    const kept = early;
    early = [];
    for (const message of kept) push(message);
    opened?.();
  }

  function beat(everyMs: number): void {
    clearInterval(heartbeat);
    heartbeat = setInterval(() => {
      if (!bus.connected() || rivalry.displaced()) return;
      bus.heartbeat({ type: "davit.v1.Heartbeat", instance: deps.identity().instance, epoch });
    }, everyMs);
    clearTimeout(resync);
    resync = setTimeout(() => syncAgain("regular"), options.resyncMs * (0.75 + random() / 2));
  }

  function push(message: AssignmentPush): void {
    if (message.epoch < epoch) return;
    if (message.epoch > epoch) {
      if (running) early.push(message);
      else syncAgain("push of an unknown session");
      return;
    }
    if (message.seq <= seq) return;
    if (message.seq > seq + 1) {
      // A gap. What the lost push said is in the next sync answer, also in one that is under way: it will be of a
      // newer session than this push.
      if (!running) syncAgain(`push ${message.seq} after ${seq}`);
      return;
    }
    seq = message.seq;
    const complete = engine.assign(message.assignments, message.revisions);
    engine.forget(message.forget);
    if (!complete && !running) syncAgain("a definition is not known");
  }

  function superseded(present: number): void {
    if (present < epoch || running || closing.signal.aborted) return;
    // Word of our own session, on its way while it opened.
    if (present === epoch && deps.now() - openedAtMs < CROSSING_MS) return;
    rivalry.lost();
    if (rivalry.displaced())
      log.error(
        { epoch, present, waitMs: rivalry.waitMs() },
        "another agent uses this instance's identity and keeps its session: this one waits, and keeps what it runs. Join each machine by itself, and remove the copied data folder",
      );
    else log.warn({ epoch, present }, "the session is over, opening another");
    syncAgain("superseded");
  }

  const unlisten = bus.onConnection((connected) => {
    if (connected) syncAgain("connected");
    else reporter.pause();
  });

  return {
    push,
    superseded,
    syncAgain,
    state: () => ({ epoch, synced: epoch > 0 && wanted === undefined && !running && bus.connected() }),
    start() {
      const first = new Promise<void>((resolve) => {
        opened = resolve;
        closing.signal.addEventListener("abort", () => resolve(), { once: true });
      });
      syncAgain("start");
      return first;
    },
    close() {
      closing.abort();
      unlisten();
      reporter.pause();
      clearInterval(heartbeat);
      clearTimeout(resync);
    },
  };
}
