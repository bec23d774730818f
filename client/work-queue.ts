import { type BackOffLimits, backOffMs } from "./back-off.js";

/** What a reconciler answers: nothing more to do until something changes, or look again after a while. */
export type Outcome = { readonly kind: "done" } | { readonly kind: "again"; readonly afterMs: number };

const DONE: Outcome = { kind: "done" };
export const done = (): Outcome => DONE;
export const again = (afterMs: number): Outcome => ({ kind: "again", afterMs });

/** Called as things happen; make every series at zero before. */
export interface QueueMetrics {
  /** Keys that wait for their turn, without those that wait for a time. */
  depth(keys: number): void;
  /** How long a key waited for its turn. */
  waited(ms: number): void;
  worked(ms: number, result: Outcome["kind"] | "failed"): void;
}

export interface WorkQueueOptions {
  /** Must not leave anything undone that a later call with the same key would not do. */
  work(key: string): Promise<Outcome>;
  /** A key's work threw; it comes again after a back-off. */
  onFailure(key: string, error: unknown, failures: number, retryAfterMs: number): void;
  /** Keys worked on at once. @default 16 */
  concurrency?: number;
  /** Of one key, after failures in a row. @default 5 ms to 1,000 s */
  backOff?: BackOffLimits;
  /** 0 up to 1. @default Math.random */
  random?: () => number;
  /** Milliseconds, for the metrics. @default Date.now */
  now?: () => number;
  metrics?: QueueMetrics;
}

/** Each key waits at most once and is never worked on twice at a time; one added while it is worked on comes again
 *  afterwards. First come, first served. */
export class WorkQueue {
  /** Key → since when, in order. */
  private readonly ready = new Map<string, number>();
  private readonly working = new Set<string>();
  private readonly addedMeanwhile = new Set<string>();
  private readonly later = new Map<string, { atMs: number; timer: NodeJS.Timeout }>();
  private readonly failures = new Map<string, number>();
  private readonly concurrency: number;
  private readonly now: () => number;
  private stopped: (() => void) | undefined;
  private stopping: Promise<void> | undefined;
  private paused = true;
  private scheduled: NodeJS.Immediate | undefined;

  constructor(private readonly options: WorkQueueOptions) {
    this.concurrency = options.concurrency ?? 16;
    this.now = options.now ?? Date.now;
    options.metrics?.depth(0);
  }

  get depth(): number {
    return this.ready.size;
  }
  /** Whether nothing is worked on or waits for its turn; something may wait for its time. */
  get idle(): boolean {
    return this.ready.size === 0 && this.working.size === 0;
  }

  /** Work begins; keys added before have waited. */
  start(): void {
    this.paused = false;
    this.schedule();
  }

  /** Now, also for a key that waits for its time. */
  add(key: string): void {
    if (this.stopping !== undefined) return;
    this.forgetLater(key);
    if (this.working.has(key)) {
      this.addedMeanwhile.add(key);
      return;
    }
    if (!this.ready.has(key)) {
      this.ready.set(key, this.now());
      this.options.metrics?.depth(this.ready.size);
    }
    this.schedule();
  }

  /** After a while, or sooner if it is added sooner. */
  addAfter(key: string, afterMs: number): void {
    if (this.stopping !== undefined) return;
    const atMs = this.now() + afterMs;
    const waiting = this.later.get(key);
    if (waiting && waiting.atMs <= atMs) return;
    this.forgetLater(key);
    const timer = setTimeout(() => this.add(key), Math.min(Math.max(0, afterMs), MAX_TIMER_MS)).unref();
    this.later.set(key, { atMs, timer });
  }

  /** Begins nothing any more, and resolves when what is worked on has ended. */
  stop(): Promise<void> {
    this.stopping ??= new Promise((resolve) => {
      for (const key of [...this.later.keys()]) this.forgetLater(key);
      this.ready.clear();
      this.addedMeanwhile.clear();
      this.options.metrics?.depth(0);
      this.stopped = resolve;
      if (this.working.size === 0) resolve();
    });
    return this.stopping;
  }

  /** In the next turn: what this turn adds comes together, and a key that comes back at once leaves the others, and
   *  the network, their turn. */
  private schedule(): void {
    this.scheduled ??= setImmediate(() => {
      this.scheduled = undefined;
      this.next();
    });
  }

  private next(): void {
    if (this.paused) return;
    for (const [key, sinceMs] of this.ready) {
      if (this.working.size >= this.concurrency) return;
      this.ready.delete(key);
      this.working.add(key);
      this.options.metrics?.depth(this.ready.size);
      this.options.metrics?.waited(this.now() - sinceMs);
      void this.run(key);
    }
  }

  private async run(key: string): Promise<void> {
    const startMs = this.now();
    let result: Outcome["kind"] | "failed" = "failed";
    try {
      const outcome = await this.options.work(key);
      result = outcome.kind;
      this.failures.delete(key);
      if (outcome.kind === "again") this.addAfterWork(key, outcome.afterMs);
    } catch (error) {
      const failures = (this.failures.get(key) ?? 0) + 1;
      this.failures.set(key, failures);
      const { backOff = { minMs: 5, maxMs: 1_000_000 }, random = Math.random } = this.options;
      const retryAfterMs = backOffMs(failures, backOff, random);
      this.addAfterWork(key, retryAfterMs);
      this.options.onFailure(key, error, failures, retryAfterMs);
    } finally {
      this.options.metrics?.worked(this.now() - startMs, result);
      this.finish(key);
    }
  }

  private addAfterWork(key: string, afterMs: number): void {
    if (afterMs <= 0) this.addedMeanwhile.add(key);
    else this.addAfter(key, afterMs);
  }

  private finish(key: string): void {
    this.working.delete(key);
    if (this.addedMeanwhile.delete(key)) this.add(key);
    else this.schedule();
    if (this.working.size === 0) this.stopped?.();
  }

  private forgetLater(key: string): void {
    clearTimeout(this.later.get(key)?.timer);
    this.later.delete(key);
  }
}

/** A longer timer would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;
