// What controllers count and time. Every series exists, at zero, from the start.
import type { QueueMetrics } from "../client/work-queue.js";

/** The part of prom-client that is used: its import is the caller's. */
export interface Meter {
  gauge(name: string, help: string, labels: Record<string, string>): { set(value: number): void };
  counter(name: string, help: string, labels: Record<string, string>): { inc(by?: number): void };
  /** Seconds. */
  histogram(name: string, help: string, labels: Record<string, string>): { observe(seconds: number): void };
}

const RESULTS = ["done", "again", "failed"] as const;

/** The series of one controller's queue, all made at once. */
export function queueMetrics(meter: Meter, controller: string): QueueMetrics {
  const labels = { controller };
  const depth = meter.gauge("davit_queue_depth", "Keys waiting for their turn", labels);
  const waited = meter.histogram("davit_queue_wait_seconds", "How long a key waited for its turn", labels);
  const worked = meter.histogram("davit_reconcile_seconds", "How long one look at a key took", labels);
  const results = new Map(
    RESULTS.map((result) => [
      result,
      meter.counter("davit_reconciles_total", "Looks at keys, by outcome", { ...labels, result }),
    ]),
  );
  depth.set(0);
  for (const counter of results.values()) counter.inc(0);
  return {
    depth: (keys) => depth.set(keys),
    waited: (ms) => waited.observe(ms / 1000),
    worked(ms, result) {
      worked.observe(ms / 1000);
      results.get(result)?.inc();
    },
  };
}
