// How full machines, clusters and services are: spec/07 §9's formulas. Pure.

/** Of a machine, a task or many of them. */
export interface Amounts {
  /** 1024 a core. */
  cpuUnits: number;
  memoryMiB: number;
  gpus: number;
}
/** What is in use now. GPUs can't be over-used, so nobody measures them. */
export type Usage = Pick<Amounts, "cpuUnits" | "memoryMiB">;

export interface MachineLoad {
  /** ECS's `status`. */
  status: string;
  registered: Amounts;
  /** By the tasks that are bound to it and not stopped. */
  reserved: Amounts;
  /** By its tasks together; undefined where nobody knows. */
  used?: Usage;
}

/** Percent in full precision: round for display alone. Undefined where there is nothing to take a share of. */
export interface ClusterMetrics {
  cpuReservation?: number;
  memoryReservation?: number;
  gpuReservation?: number;
  cpuUtilization?: number;
  memoryUtilization?: number;
}
export type ServiceMetrics = Pick<ClusterMetrics, "cpuUtilization" | "memoryUtilization">;

/** Only these count in any metric of a cluster. (spec/07 §9.2) */
export const countsInMetrics = ({ status }: Pick<MachineLoad, "status">): boolean =>
  status === "ACTIVE" || status === "DRAINING";

/** Of one machine as well: it is a cluster of one. A machine whose use nobody knows counts in the reservations, and in
 *  the utilizations neither above nor below the line. */
export function clusterMetrics(machines: readonly MachineLoad[]): ClusterMetrics {
  const counted = machines.filter(countsInMetrics);
  const registered = total(counted.map((machine) => machine.registered));
  const reserved = total(counted.map((machine) => machine.reserved));
  const known = counted.filter((machine) => machine.used !== undefined);
  const knownRegistered = total(known.map((machine) => machine.registered));
  const used = total(known.map((machine) => machine.used ?? NOTHING));
  return withoutUndefined({
    cpuReservation: percent(reserved.cpuUnits, registered.cpuUnits),
    memoryReservation: percent(reserved.memoryMiB, registered.memoryMiB),
    gpuReservation: percent(reserved.gpus, registered.gpus),
    cpuUtilization: percent(used.cpuUnits, knownRegistered.cpuUnits),
    memoryUtilization: percent(used.memoryMiB, knownRegistered.memoryMiB),
  });
}

/** Of a service, or of one task. `reserved` is what each of its tasks asks for: with one definition, that times their
 *  number. May exceed 100: idle CPU is everybody's. A task whose use nobody knows does not count at all. */
export function serviceMetrics(tasks: readonly { reserved: Usage; used?: Usage }[]): ServiceMetrics {
  const known = tasks.filter((task) => task.used !== undefined);
  const reserved = total(known.map((task) => task.reserved));
  const used = total(known.map((task) => task.used ?? NOTHING));
  return withoutUndefined({
    cpuUtilization: percent(used.cpuUnits, reserved.cpuUnits),
    memoryUtilization: percent(used.memoryMiB, reserved.memoryMiB),
  });
}

const NOTHING: Amounts = { cpuUnits: 0, memoryMiB: 0, gpus: 0 };

export const total = (all: readonly Partial<Amounts>[]): Amounts =>
  all.reduce<Amounts>(
    (sum, { cpuUnits = 0, memoryMiB = 0, gpus = 0 }) => ({
      cpuUnits: sum.cpuUnits + cpuUnits,
      memoryMiB: sum.memoryMiB + memoryMiB,
      gpus: sum.gpus + gpus,
    }),
    NOTHING,
  );

const percent = (part: number, whole: number): number | undefined => (whole > 0 ? (100 * part) / whole : undefined);

/** As people see it: whole percents, none that is not full yet (55.6 is shown as 55). */
export const shownPercent = (percent: number | undefined): string =>
  percent === undefined ? "-" : `${Math.floor(percent)}%`;

function withoutUndefined<T extends object>(values: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}
