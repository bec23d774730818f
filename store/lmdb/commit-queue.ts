/** Group commit: what comes while one commit is under way goes into the next, so that one sync serves many. */
export class CommitQueue<T> {
  private waiting: T[] = [];
  private running: Promise<void> | undefined;

  /** `commit` never rejects. At most `maxAtOnce` items at a time, in the order they came. */
  constructor(
    private readonly commit: (items: readonly T[]) => Promise<void>,
    private readonly maxAtOnce: number,
  ) {}

  add(item: T): void {
    this.waiting.push(item);
    this.running ??= this.run();
  }

  /** Resolves when nothing is waiting or under way. */
  async idle(): Promise<void> {
    await this.running;
  }

  private async run(): Promise<void> {
    while (this.waiting.length > 0) {
      // Let the rest of this turn's writes, and what the last answers bring about, join this commit.
      await new Promise<void>((resolve) => setImmediate(resolve));
      await this.commit(this.waiting.splice(0, this.maxAtOnce));
    }
    this.running = undefined;
  }
}
