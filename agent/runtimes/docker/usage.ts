// What containers use, from two readings of their counters.
import type { Usage } from "../runtime.js";
import type { StatsAnswer } from "./api.js";

interface Reading {
  atMs: number;
  cpuNanos: number;
  memoryBytes: number;
}

/** Two readings at least so far apart make a figure, and at most so far that it says something about now. */
const LEAST_MS = 1_000;
const MOST_MS = 15_000;
const CPU_UNITS = 1024;
const BYTES_PER_MIB = 1_048_576;
const NANOS_PER_MS = 1_000_000;

export interface UsageMeter {
  usage(ids: readonly string[]): Promise<Map<string, Usage>>;
}

/** @param read one reading; undefined for a container that is not there */
export function createUsageMeter(deps: {
  read(id: string): Promise<StatsAnswer | undefined>;
  wait(ms: number): Promise<void>;
}): UsageMeter {
  let last = new Map<string, Reading>();

  async function readAll(ids: readonly string[]): Promise<Map<string, Reading>> {
    const readings = await Promise.all(ids.map(async (id) => [id, readingOf(await deps.read(id))] as const));
    return new Map(readings.flatMap(([id, reading]) => (reading ? [[id, reading] as const] : [])));
  }

  return {
    async usage(ids) {
      let before = last;
      let after = await readAll(ids);
      const old = [...after].some(([id, { atMs }]) => {
        const since = atMs - (before.get(id)?.atMs ?? Number.NEGATIVE_INFINITY);
        return since < LEAST_MS || since > MOST_MS;
      });
      if (old) {
        before = after;
        await deps.wait(LEAST_MS);
        after = await readAll(ids);
      }
      last = after;
      const usage = new Map<string, Usage>();
      for (const [id, reading] of after) {
        const first = before.get(id);
        if (first && reading.atMs > first.atMs) usage.set(id, between(first, reading));
      }
      return usage;
    },
  };
}

function readingOf(stats: StatsAnswer | undefined): Reading | undefined {
  const cpuNanos = stats?.cpu_stats?.cpu_usage?.total_usage;
  const { usage, stats: parts = {} } = stats?.memory_stats ?? {};
  const atMs = Date.parse(stats?.read ?? "");
  if (cpuNanos === undefined || usage === undefined || Number.isNaN(atMs)) return undefined;
  // Memory that tasks wrote to a tmpfs is counted as cache, too, but cannot be dropped.
  const cache = (parts.file ?? parts.cache ?? 0) - (parts.shmem ?? 0);
  return { atMs, cpuNanos, memoryBytes: Math.max(0, usage - Math.max(0, cache)) };
}

const between = (first: Reading, second: Reading): Usage => ({
  cpuUnits:
    Math.round(
      (Math.max(0, second.cpuNanos - first.cpuNanos) / NANOS_PER_MS / (second.atMs - first.atMs)) * CPU_UNITS * 10,
    ) / 10,
  memoryMiB: Math.round((second.memoryBytes / BYTES_PER_MIB) * 10) / 10,
});
