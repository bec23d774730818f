/** How simulated containers behave. Times are ms; a pair is a range to draw from evenly. */
export type Duration = number | readonly [fromMs: number, toMs: number];

export interface SimulatedOptions {
  cpuUnits: number;
  memoryMiB: number;
  /** First use of an image on this machine; later uses find it. */
  pullMs: Duration;
  startMs: Duration;
  /** From the stop call until the container is down; never longer than the grace time. */
  stopMs: Duration;
  /** A container exits by itself this long after its start; absent: never. */
  runMs?: Duration;
  exitCode: number;
  /** Parts from 0 to 1 of all pulls, creations, starts and stops that fail. */
  pullFailureRate: number;
  createFailureRate: number;
  startFailureRate: number;
  stopFailureRate: number;
  /** Part of all started containers that exit with code 1 after `crashMs`. */
  crashRate: number;
  crashMs: Duration;
  /** Containers with a health check turn HEALTHY after this; the given part of them UNHEALTHY. */
  healthyAfterMs: Duration;
  unhealthyRate: number;
  /** What a running container uses, as a part of what its definition asks for. */
  cpuUse: number;
  memoryUse: number;
  diskTotalBytes: number;
  diskFreeBytes: number;
}

export const SIMULATED_DEFAULTS: SimulatedOptions = {
  cpuUnits: 4096,
  memoryMiB: 16_384,
  pullMs: 0,
  startMs: 0,
  stopMs: 0,
  exitCode: 0,
  pullFailureRate: 0,
  createFailureRate: 0,
  startFailureRate: 0,
  stopFailureRate: 0,
  crashRate: 0,
  crashMs: 0,
  healthyAfterMs: 0,
  unhealthyRate: 0,
  cpuUse: 0.25,
  memoryUse: 0.5,
  diskTotalBytes: 100 * 2 ** 30,
  diskFreeBytes: 60 * 2 ** 30,
};
