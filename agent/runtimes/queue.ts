/** An endless list that one reader follows. Values pushed while it is busy wait; a writer that can wait, too, asks
 *  for `room` first. */
export class Queue<T> {
  private values: T[] = [];
  private wakeReader: (() => void) | undefined;
  private wakeWriters: (() => void)[] = [];
  private ended = false;

  push(value: T): void {
    this.values.push(value);
    this.wakeReader?.();
  }

  /** Undefined if fewer than `limit` values wait, else a promise of when they have been taken. */
  room(limit: number): Promise<void> | undefined {
    if (this.values.length < limit || this.ended) return undefined;
    return new Promise((resolve) => this.wakeWriters.push(resolve));
  }

  end(): void {
    this.ended = true;
    this.wakeReader?.();
    this.letWritersOn();
  }

  /** All that waits, each time. */
  async *batches(): AsyncGenerator<T[], void, undefined> {
    for (;;) {
      const batch = this.values;
      this.values = [];
      this.letWritersOn();
      if (batch.length > 0) yield batch;
      if (this.values.length > 0) continue;
      if (this.ended) return;
      await new Promise<void>((resolve) => {
        this.wakeReader = resolve;
      });
      this.wakeReader = undefined;
    }
  }

  async *read(): AsyncGenerator<T, void, undefined> {
    for await (const batch of this.batches()) yield* batch;
  }

  private letWritersOn(): void {
    const waiting = this.wakeWriters;
    this.wakeWriters = [];
    for (const wake of waiting) wake();
  }
}
