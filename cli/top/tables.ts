// How `davit top` shows a report.
import { type Amounts, type ClusterMetrics, shownPercent, type Usage } from "../../api/utilization.js";
import { columns } from "../output/columns.js";
import type { ClusterRow, InstanceRow, Report, ServiceRow, TaskRow } from "./report.js";

export const SUBJECTS = ["clusters", "instances", "services", "tasks"] as const;
export type Subject = (typeof SUBJECTS)[number];

type Column<T> = readonly [heading: string, cell: (row: T) => string];

interface Full extends ClusterMetrics {
  registered: Amounts;
  reserved: Amounts;
}

/** `55% (10240/18432)`: the exact numbers say what the percent is of. */
const share = (percent: number | undefined, part: number, whole: number): string =>
  percent === undefined ? "-" : `${shownPercent(percent)} (${part}/${whole})`;

const FULLNESS: readonly Column<Full>[] = [
  ["CPU RESERVED", (row) => share(row.cpuReservation, row.reserved.cpuUnits, row.registered.cpuUnits)],
  ["CPU USED", ({ cpuUtilization }) => shownPercent(cpuUtilization)],
  ["MEMORY RESERVED", (row) => share(row.memoryReservation, row.reserved.memoryMiB, row.registered.memoryMiB)],
  ["MEMORY USED", ({ memoryUtilization }) => shownPercent(memoryUtilization)],
];
const GPU: Column<Full> = ["GPU RESERVED", (row) => share(row.gpuReservation, row.reserved.gpus, row.registered.gpus)];

interface Busy extends ClusterMetrics {
  reserved: Amounts;
  used?: Usage;
}
const use = (percent: number | undefined, used: number | undefined, reserved: number): string =>
  used === undefined ? "-" : `${shownPercent(percent)} (${used.toFixed(0)}/${reserved})`;
const BUSYNESS: readonly Column<Busy>[] = [
  ["CPU", ({ cpuUtilization, used, reserved }) => use(cpuUtilization, used?.cpuUnits, reserved.cpuUnits)],
  [
    "MEMORY MIB",
    ({ memoryUtilization, used, reserved }) => use(memoryUtilization, used?.memoryMiB, reserved.memoryMiB),
  ],
];

const CLUSTERS: readonly Column<ClusterRow>[] = [
  ["CLUSTER", ({ name }) => name],
  ["MACHINES", ({ machines }) => String(machines)],
  ["TASKS", ({ tasks }) => String(tasks)],
  ...FULLNESS,
];
const INSTANCES: readonly Column<InstanceRow>[] = [
  ["NAME", ({ name }) => name.slice(0, 12)],
  ["HOST", ({ hostname }) => hostname],
  ["CLUSTER", ({ cluster }) => cluster],
  ["STATUS", ({ status }) => status],
  ["TASKS", ({ tasks }) => String(tasks)],
  ...FULLNESS,
];
const SERVICES: readonly Column<ServiceRow>[] = [
  ["SERVICE", ({ name }) => name],
  ["CLUSTER", ({ cluster }) => cluster],
  ["TASKS", ({ tasks }) => String(tasks)],
  ...BUSYNESS,
];
const TASKS: readonly Column<TaskRow>[] = [
  ["TASK", ({ name }) => name],
  ["CLUSTER", ({ cluster }) => cluster],
  ["GROUP", ({ group }) => group],
  ["MACHINE", ({ machine }) => machine.slice(0, 12)],
  ...BUSYNESS,
];

/** @param namespaces whether rows are of several */
export function table(report: Report, subject: Subject, namespaces: boolean): string {
  const gpu = report.instances.some(({ registered }) => registered.gpus > 0) ? [GPU] : [];
  const parts = {
    clusters: () => render(report.clusters, [...CLUSTERS, ...gpu], namespaces),
    instances: () => render(report.instances, [...INSTANCES, ...gpu], namespaces),
    services: () => render(report.services, SERVICES, namespaces),
    tasks: () => render(report.tasks, TASKS, namespaces),
  };
  return parts[subject]();
}

function render<T extends { namespace: string }>(
  rows: readonly T[],
  shown: readonly Column<T>[],
  namespaces: boolean,
): string {
  const all: readonly Column<T>[] = namespaces ? [["NAMESPACE", ({ namespace }) => namespace], ...shown] : shown;
  return columns(
    all.map(([heading]) => heading),
    rows.map((row) => all.map(([, cell]) => cell(row))),
  );
}

/** One line per machine whose use nobody knows; empty if there is none. */
export const silentMachines = ({ silent }: Report): string =>
  silent
    .map(({ name, hostname, why }) => `No answer from ${hostname || name}, so its use is not counted: ${why}`)
    .join("\n");
