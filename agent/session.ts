// The agent's side of a session: sync, then pushes in order, heartbeats, and sync again whenever something is missing.
// While the bus is away, or the control plane refuses a session, nothing happens here, and nothing is stopped.

import type { Log } from "../api/log.js";
import { LOSS_NOTICED_WITHIN_MS } from "../bus/liveness.js";
import type { AssignmentPush, Refusal, SyncAnswer, SyncRequest } from "../bus/messages.js";
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
  /** Something is missing: open a new session. @param sinceMs on the uptime's clock, if not now */
  syncAgain(why: string, sinceMs?: number): void;
  state(): SessionState;
  /** When contact with the control plane was last proven, on the uptime's clock; undefined while there is a session. */
  lostSinceMs(): number | undefined;
  close(): void;
}

export interface SessionState {
  epoch: number;
  synced: boolean;
  /** Why there is no session, if the control plane said so. */
  refused?: Refusal;
  /** As the control plane names the machine. */
  containerInstanceArn?: string;
}

export interface SessionDeps {
  bus: AgentBus;
  engine: Pick<Engine, "replaceAll" | "clearing" | "assign" | "forget" | "letGo" | "inventory">;
  reporter: Pick<Reporter, "open" | "pause">;
  /** All of the request but what changes with each sync. */
  identity: () => Omit<SyncRequest, "type" | "tasks" | "epoch">;
  options: { answerTimeoutMs: number; busRetryMs: number; maxBusRetryMs: number; resyncMs: number };
  now: () => number;
  /** Time that nobody sets, and that goes on while the machine sleeps, ms. */
  uptimeMs: () => number;
  /** When an earlier process of this agent last had contact, on that clock. */
  lostSinceMs: number | undefined;
  random: () => number;
  log: Log;
  /** A session is open. */
  onOpen(epoch: number): void;
}

/** How long a message about a session may be under way. */
const CROSSING_MS = 2_000;

export function createSession(deps: SessionDeps): Session {
  const { bus, engine, reporter, options, uptimeMs, random, log } = deps;
  const closing = new AbortController();
  const rivalry = createRivalry(deps.now, options.busRetryMs * 5);
  let epoch = 0;
  let seq = 0;
  /** Pushes of a session whose sync answer is still on its way. */
  let early: AssignmentPush[] = [];
  let openedAtMs = 0;
  let lostSinceMs = deps.lostSinceMs ?? uptimeMs();
  let hasContact = false;
  let refusal: Refusal | undefined;
  let refusedForMs = 0;
  let hasLetGo = false;
  let arn: string | undefined;
  let wanted: string | undefined;
  let started = false;
  let running = false;
  let opened: (() => void) | undefined;
  let heartbeat: NodeJS.Timeout | undefined;
  let resync: NodeJS.Timeout | undefined;

  function lost(sinceMs: number): void {
    if (hasContact) lostSinceMs = sinceMs;
    hasContact = false;
  }

  function syncAgain(why: string, sinceMs = uptimeMs()): void {
    // Before the start it is not known yet what this machine has, and what runs on it.
    if (!started) return;
    wanted = why;
    lost(sinceMs);
    reporter.pause();
    if (!running) void run();
  }

  async function run(): Promise<void> {
    running = true;
    for (let failures = 0; wanted !== undefined && !closing.signal.aborted; ) {
      // Without a connection the next one brings us back.
      if (!bus.connected()) break;
      const waitMs = Math.max(rivalry.waitMs(), backOffMs(failures), refusedForMs);
      refusedForMs = 0;
      if (waitMs > 0) await sleep(waitMs, closing.signal);
      if (closing.signal.aborted) break;
      const why = wanted;
      wanted = undefined;
      try {
        const tasks = engine.inventory();
        const request: SyncRequest = { type: "davit.v1.SyncRequest", ...deps.identity(), epoch, tasks };
        const answer = await bus.sync(request, options.answerTimeoutMs);
        if (closing.signal.aborted) break;
        if (answer.refused) {
          refused(answer.refused);
          wanted ??= why;
        } else accept(answer, failures);
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

  function refused(by: Refusal): void {
    clearInterval(heartbeat);
    clearTimeout(resync);
    refusedForMs = by.retryMs * (0.75 + random() / 2);
    const news = by.reason !== refusal?.reason || by.message !== refusal.message;
    refusal = by;
    // It was told before, perhaps, and did not hear it.
    if (by.orphan) engine.letGo();
    const { reason, message, retryMs } = by;
    // That passes by itself, as after a reboot.
    if (reason === "Busy") log.info({ reason, message, retryMs }, "not yet: asking again");
    else if (news)
      log.error({ reason, retryMs }, `refused by the control plane, everything here runs on meanwhile: ${message}`);
    if (by.orphan) letGo();
  }

  function letGo(): void {
    if (!hasLetGo) log.warn({}, "this machine's containers are orphaned: they run on, and are nobody's");
    hasLetGo = true;
    engine.letGo();
  }

  /** @param unanswered syncs of our own before this one, each of which may have opened a session. */
  function accept(answer: SyncAnswer, unanswered: number): void {
    if (answer.epoch <= epoch) throw new Error(`the answer is of session ${answer.epoch}, after ${epoch}`);
    if (epoch > 0 && answer.epoch > epoch + 1 + unanswered) rivalry.met();
    epoch = answer.epoch;
    openedAtMs = deps.now();
    seq = answer.seq;
    if (refusal) log.info({ epoch }, "no longer refused");
    refusal = undefined;
    arn = answer.containerInstanceArn;
    hasContact = true;
    hasLetGo = false;
    const complete = engine.replaceAll(answer.assignments, answer.revisions);
    if (!complete) log.error({ epoch }, "the sync answer lacks definitions");
    log.info({ epoch, assignments: answer.assignments.length }, "session open");
    openReports(epoch);
    beat(answer.heartbeatMs);
    const kept = early;
    early = [];
    for (const message of kept) push(message);
    deps.onOpen(epoch);
    opened?.();
  }

  /** What is no longer this machine's goes before anything is said of the rest. */
  function openReports(mine: number): void {
    const clearing = engine.clearing();
    if (!clearing) reporter.open(mine);
    void clearing?.then(() => {
      if (epoch === mine && wanted === undefined && !closing.signal.aborted && bus.connected()) reporter.open(mine);
    });
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
    // First: what the same push forgets is to run on, too.
    if (message.orphan) letGo();
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
    if (connected) return syncAgain("connected");
    lost(uptimeMs() - LOSS_NOTICED_WITHIN_MS);
    reporter.pause();
  });

  return {
    push,
    superseded,
    syncAgain,
    state: () => ({
      epoch,
      synced: epoch > 0 && wanted === undefined && !running && bus.connected(),
      ...(refusal && { refused: refusal }),
      ...(arn !== undefined && { containerInstanceArn: arn }),
    }),
    lostSinceMs: () => (hasContact ? undefined : lostSinceMs),
    start() {
      const first = new Promise<void>((resolve) => {
        opened = resolve;
        closing.signal.addEventListener("abort", () => resolve(), { once: true });
      });
      started = true;
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
