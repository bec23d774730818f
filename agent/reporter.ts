// Sends task reports in batches, one batch under way at a time, again until it is answered. Of each task only the
// newest state waits: a lost bus costs no memory beyond that.

import type { Log } from "../api/log.js";
import type { InstanceId, TaskId, TaskReport } from "../bus/messages.js";
import type { AgentBus } from "../bus/transport.js";

export interface Reporter {
  add(report: TaskReport): void;
  /** A session is open: reports flow under this epoch. */
  open(epoch: number): void;
  /** Reports wait until the next session. */
  pause(): void;
  /** Reports that wait or are under way. */
  waiting(): number;
  close(): void;
}

/** Keeps a batch well under nats-server's 1 MB. */
const MAX_BATCH = 200;

export function createReporter(deps: {
  instance: InstanceId;
  bus: Pick<AgentBus, "report">;
  options: { reportWindowMs: number; answerTimeoutMs: number; busRetryMs: number; maxBusRetryMs: number };
  random: () => number;
  log: Log;
  /** The control plane has another session than this epoch's. */
  onSuperseded(epoch: number): void;
  /** The control plane does not know these tasks: only a sync can say so for sure. */
  onUnknown(tasks: readonly TaskId[]): void;
}): Reporter {
  const { bus, options, log } = deps;
  const pending = new Map<TaskId, TaskReport>();
  let epoch: number | undefined;
  let sending = 0;
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  function schedule(ms: number): void {
    if (timer || sending > 0 || closed || epoch === undefined || pending.size === 0) return;
    timer = setTimeout(() => {
      timer = undefined;
      void flush();
    }, ms);
  }

  async function flush(): Promise<void> {
    if (epoch === undefined || sending > 0 || pending.size === 0) return;
    const sentUnder = epoch;
    const reports = [...pending.values()].slice(0, MAX_BATCH);
    for (const { task } of reports) pending.delete(task);
    sending = reports.length;
    let waitMs = 0;
    try {
      const answer = await bus.report(
        { type: "davit.v1.ReportBatch", instance: deps.instance, epoch: sentUnder, reports },
        options.answerTimeoutMs,
      );
      failures = 0;
      if (!answer.ok) putBack(reports);
      if (answer.superseded && epoch === sentUnder) {
        epoch = undefined;
        deps.onSuperseded(sentUnder);
      } else if (!answer.ok) waitMs = backOff();
      if (answer.unknown?.length) deps.onUnknown(answer.unknown);
    } catch (error) {
      putBack(reports);
      waitMs = backOff();
      log.info({ reports: reports.length, error: String(error), waitMs }, "reports not answered, sending again");
    } finally {
      sending = 0;
    }
    schedule(waitMs);
  }

  function putBack(reports: readonly TaskReport[]): void {
    // A newer state that came meanwhile stays.
    for (const report of reports) if (!pending.has(report.task)) pending.set(report.task, report);
  }

  function backOff(): number {
    failures += 1;
    const ms = Math.min(options.busRetryMs * 2 ** (failures - 1), options.maxBusRetryMs);
    return ms * (0.5 + deps.random() / 2);
  }

  return {
    add(report) {
      pending.set(report.task, report);
      schedule(options.reportWindowMs);
    },
    open(next) {
      epoch = next;
      failures = 0;
      schedule(0);
    },
    pause() {
      epoch = undefined;
      clearTimeout(timer);
      timer = undefined;
    },
    waiting: () => pending.size + sending,
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}
