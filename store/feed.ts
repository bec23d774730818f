import { type Batch, type Change, type Revision, TooSlow } from "./store.js";

/** Hands committed changes to watchers. A slow watcher costs its own queue, up to its limit, and nobody else. */
export class Feed {
  private readonly subscriptions = new Set<Subscription>();

  /** From now on; `revision` is what the subscriber has seen so far. */
  subscribe(prefix: string, revision: Revision, maxBehind: number): Subscription {
    const subscription = new Subscription(prefix, revision, maxBehind, () => this.subscriptions.delete(subscription));
    this.subscriptions.add(subscription);
    return subscription;
  }

  /** One commit's changes, the last of which has `revision`. */
  publish(changes: readonly Change[], revision: Revision): void {
    for (const subscription of this.subscriptions) subscription.offer(changes, revision);
  }

  /** Tells watchers of quiet prefixes how far the order has got. */
  progress(revision: Revision): void {
    for (const subscription of this.subscriptions) subscription.progress(revision);
  }

  close(): void {
    for (const subscription of this.subscriptions) subscription.close();
  }
}

class Subscription {
  private queue: Batch[] = [];
  private behind = 0;
  private state: "open" | "closed" | "too slow" = "open";
  private wake: (() => void) | undefined;

  constructor(
    private readonly prefix: string,
    private revision: Revision,
    private readonly maxBehind: number,
    private readonly leave: () => void,
  ) {}

  offer(changes: readonly Change[], revision: Revision): void {
    const mine = this.prefix === "" ? changes : changes.filter((change) => change.key.startsWith(this.prefix));
    if (mine.length === 0) return;
    if (this.behind + mine.length > this.maxBehind) this.end("too slow");
    else this.push({ changes: mine, revision });
  }

  progress(revision: Revision): void {
    if (revision > this.revision && this.queue.length === 0) this.push({ changes: [], revision });
  }

  close(): void {
    this.end("closed");
  }

  /** The next batch; undefined when closed. @throws TooSlow. One call at a time. */
  async next(): Promise<Batch | undefined> {
    while (this.state === "open" && this.queue.length === 0)
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    if (this.state === "too slow") throw new TooSlow(this.maxBehind);
    if (this.state === "closed") return undefined;
    const batch = this.queue.shift();
    this.behind -= batch?.changes.length ?? 0;
    return batch;
  }

  private push(batch: Batch): void {
    this.revision = batch.revision;
    this.behind += batch.changes.length;
    this.queue.push(batch);
    this.wakeUp();
  }

  private end(state: "closed" | "too slow"): void {
    if (this.state !== "open") return;
    this.state = state;
    this.queue = [];
    this.leave();
    this.wakeUp();
  }

  private wakeUp(): void {
    const wake = this.wake;
    this.wake = undefined;
    wake?.();
  }
}
