/** One timer for many deadlines, at most one per item: the earliest asked for counts. */
export interface Alarm<T> {
  set(item: T, atMs: number): void;
  clear(item: T): void;
  close(): void;
}

export function createAlarm<T>(now: () => number, ring: (item: T) => void): Alarm<T> {
  const due = new Map<T, number>();
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let armedForMs = Number.POSITIVE_INFINITY;

  function arm(atMs: number): void {
    if (atMs >= armedForMs) return;
    clearTimeout(timer);
    armedForMs = atMs;
    timer = setTimeout(fire, Math.min(Math.max(0, atMs - now()), 0x7fff_ffff));
  }

  function fire(): void {
    armedForMs = Number.POSITIVE_INFINITY;
    const nowMs = now();
    let nextMs = Number.POSITIVE_INFINITY;
    const rings: T[] = [];
    for (const [item, atMs] of due) {
      if (atMs <= nowMs) rings.push(item);
      else nextMs = Math.min(nextMs, atMs);
    }
    for (const item of rings) due.delete(item);
    if (nextMs < armedForMs) arm(nextMs);
    for (const item of rings) ring(item);
  }

  return {
    set(item, atMs) {
      if (closed) return;
      const before = due.get(item);
      if (before !== undefined && before <= atMs) return;
      due.set(item, atMs);
      arm(atMs);
    },
    clear(item) {
      due.delete(item);
    },
    close() {
      closed = true;
      clearTimeout(timer);
      due.clear();
    },
  };
}
