import type { Revision, StoreSize } from "../store.js";

export interface WindowLimits {
  /** Changes kept for watches to resume from. */
  changes: number;
  /** Bytes of their rows. */
  bytes: number;
  /** Past these the log is cut even if it is held. */
  hardChanges: number;
  hardBytes: number;
}

/** What one cut takes away. */
export interface Cut {
  /** Watches can start from here on. */
  through: Revision;
  /** Rows that nothing needs any more; the row of a live object is never among them. */
  rows: readonly Revision[];
  /** The hard limit was reached, so the cut goes past the hold. */
  losesHold: boolean;
}

interface Logged {
  bytes: number;
  /** Of the same key; 0 for none. */
  previousRevision: Revision;
  deleted: boolean;
}

/** At most this many revisions leave per commit, so that no write waits long for it. */
const CUT_AT_ONCE = 1_000;
/** A cut goes on to this part of the limit: rows that lie together leave together, which dirties fewer pages. */
const CUT_DOWN_TO = 0.95;

/** Bookkeeping of the change log: which revisions are in it, how big they are, what may go. No I/O. */
export class LogWindow {
  private logged: Logged[] = [];
  private start = 0;
  private bytes = 0;
  private cutting = false;

  constructor(
    private readonly limits: WindowLimits,
    private oldest: Revision,
    private heldAt: Revision | undefined,
  ) {}

  /** The oldest revision that a watch can start from: everything after it is in the window. */
  get compacted(): Revision {
    return this.oldest;
  }
  get held(): Revision | undefined {
    return this.heldAt;
  }

  /** What is kept now, and the limits in force. */
  size(): Pick<StoreSize, "log" | "limit" | "hardLimit"> {
    const { changes, bytes, hardChanges, hardBytes } = this.limits;
    return {
      log: { changes: this.logged.length - this.start, bytes: this.bytes },
      limit: { changes, bytes },
      hardLimit: { changes: hardChanges, bytes: hardBytes },
    };
  }

  /** Nothing can be held that is gone already. */
  hold(revision: Revision): void {
    this.heldAt = revision < this.oldest ? undefined : revision;
  }

  /** Revisions come one after the other, without gaps. */
  push(logged: Logged): void {
    this.logged.push(logged);
    this.bytes += logged.bytes;
  }

  /** What should go now, if anything. Nothing changes until `apply`. */
  plan(): Cut | undefined {
    const { changes, bytes, hardChanges, hardBytes } = this.limits;
    const count = this.logged.length - this.start;
    if (count > changes || this.bytes > bytes) this.cutting = true;
    if (!this.cutting) return undefined;
    const overHard = count > hardChanges || this.bytes > hardBytes;
    const rows: Revision[] = [];
    let through = this.oldest;
    let countLeft = count;
    let bytesLeft = this.bytes;
    for (let index = this.start; index < this.start + CUT_AT_ONCE; index++) {
      const logged = this.logged[index];
      if (!logged) break;
      if (countLeft <= changes * CUT_DOWN_TO && bytesLeft <= bytes * CUT_DOWN_TO) break;
      if (through === this.heldAt && !overHard) break;
      through++;
      countLeft--;
      bytesLeft -= logged.bytes;
      // Superseded by this change, and this change is no longer asked for. Its own row stays while it is live.
      if (logged.previousRevision > 0) rows.push(logged.previousRevision);
      if (logged.deleted) rows.push(through);
    }
    if (through === this.oldest) {
      this.cutting = false;
      return undefined;
    }
    return { through, rows, losesHold: this.heldAt !== undefined && through > this.heldAt };
  }

  /** After the cut is on disk. */
  apply(cut: Cut): void {
    for (; this.oldest < cut.through; this.oldest++) this.bytes -= this.logged[this.start++]?.bytes ?? 0;
    if (cut.losesHold) this.heldAt = undefined;
    // Let go of the array's used front now and then, not with every cut.
    if (this.start > 2 * CUT_AT_ONCE && this.start > this.logged.length / 2) {
      this.logged = this.logged.slice(this.start);
      this.start = 0;
    }
  }
}
