import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { isFatal } from "../failure.js";
import { boundLog, sizeOf, tail } from "./log-file.js";
import { end, identify, isAlive, type ProcessIdentity, waitGone } from "./process.js";

export interface ChildSpec {
  name: string;
  command: string;
  args: readonly string[];
  env?: Record<string, string>;
  logFile: string;
  /** How long it may take to end by itself after SIGTERM. */
  graceMs: number;
}

export interface ChildEvents {
  started(process: ProcessIdentity): void;
  /** It ended and will be started again after `delayMs`; `said` is what it printed last. */
  ended(how: string, delayMs: number, said: string): void;
  /** It ended saying that starting again would not help; `said` is what it printed last. */
  fatal(said: string): void;
}

const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 10_000;
/** A child that lived this long starts with the first delay again. */
const STEADY_MS = 10_000;
/** There is no exit event for a process that another one started. */
const ADOPTED_POLL_MS = 250;

/** What decides whether a running child is the one that would be started now. The environment may hold secrets, so it
 *  counts by its hash. */
export function commandLineOf({ command, args, env = {} }: ChildSpec): string {
  const hash = createHash("sha256")
    .update(JSON.stringify(Object.entries(env).sort()))
    .digest("hex")
    .slice(0, 16);
  return [command, ...args, `#${hash}`].join(" ");
}

/** Keeps one child process running, with back-off, until stopped. */
export class Child {
  readonly #spec: ChildSpec;
  readonly #events: ChildEvents;
  readonly #stop = new AbortController();
  #process: ProcessIdentity | undefined;
  #running: Promise<void> | undefined;

  constructor(spec: ChildSpec, events: ChildEvents) {
    this.#spec = spec;
    this.#events = events;
  }

  get process(): ProcessIdentity | undefined {
    return this.#process;
  }

  /** @param adopted a process of the same command line that already runs */
  start(adopted?: ProcessIdentity): void {
    this.#running ??= this.#keepRunning(adopted);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    if (this.#process) await end(this.#process, this.#spec.graceMs);
    await this.#running;
  }

  async #keepRunning(adopted: ProcessIdentity | undefined): Promise<void> {
    let delayMs = FIRST_DELAY_MS;
    let next = adopted;
    while (!this.#stop.signal.aborted) {
      const logFrom = sizeOf(this.#spec.logFile);
      const startedAt = performance.now();
      const { code, how } = await this.#runOnce(next);
      next = undefined;
      this.#process = undefined;
      if (this.#stop.signal.aborted) return;
      const said = lastWords(tail(this.#spec.logFile, logFrom));
      if (isFatal(code)) return this.#events.fatal(said);
      delayMs = performance.now() - startedAt > STEADY_MS ? FIRST_DELAY_MS : delayMs;
      this.#events.ended(how, delayMs, said);
      await sleep(delayMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
      delayMs = Math.min(delayMs * 2, MAX_DELAY_MS);
    }
  }

  async #runOnce(adopted: ProcessIdentity | undefined): Promise<{ code: number | null; how: string }> {
    if (adopted && isAlive(adopted)) {
      this.#process = adopted;
      this.#events.started(adopted);
      while (!(await waitGone(adopted, ADOPTED_POLL_MS * 40)));
      return { code: null, how: "ended" };
    }
    const child = this.#spawn();
    const exited = once(child, "exit").catch((error: unknown) => [null, String(error)]);
    if (child.pid === undefined) return { code: null, how: String((await exited)[1]) };
    const identity = identify(child.pid);
    if (identity) {
      this.#process = identity;
      this.#events.started(identity);
    }
    const [code, signal] = await exited;
    return { code: typeof code === "number" ? code : null, how: signal ? `killed by ${signal}` : `exit code ${code}` };
  }

  #spawn(): ChildProcess {
    const { command, args, env, logFile } = this.#spec;
    boundLog(logFile);
    const log = openSync(logFile, "a", 0o600);
    try {
      // A process group of its own: Ctrl-C reaches the supervisor alone, which then stops its children in order.
      // A file, not a pipe: the child outlives a supervisor that is killed.
      return spawn(command, args, { stdio: ["ignore", log, log], detached: true, env: { ...process.env, ...env } });
    } finally {
      closeSync(log);
    }
  }
}

/** The last line that a failing child printed, without the program's name in front. */
export function lastWords(log: string): string {
  const lines = log.trimEnd().split("\n");
  const own = lines.findLast((line) => line.startsWith("davit: "));
  return (own ?? lines.at(-1) ?? "").replace(/^davit: /, "");
}
