// A machine on its page: how it is, what becomes of its tasks if it stays silent, how its drain goes, what it holds.
import { getCondition } from "../../api/conditions.js";
import { clusterNameOf, serviceNameOf } from "../../api/names.js";
import { controllerOf } from "../../api/references.js";
import type { Cluster, ContainerInstance, Resource, Service, Task } from "../../api/types.gen.js";
import { type LostPolicy, lostPolicy } from "../../controllers/task/lost.js";
import { isPending, isRunning, isSetAside, isStopped, stopAsked } from "../../controllers/task/view.js";
import { columns } from "./columns.js";
import type { Field, KindPage } from "./page.js";

export interface MachineContents {
  cluster: Cluster | undefined;
  /** By namespace and service, the standalone ones last. */
  groups: readonly TaskGroup[];
}
interface TaskGroup {
  /** Undefined: the standalone tasks. */
  service: string | undefined;
  tasks: readonly Task[];
  /** What happens to them when the machine stays silent. */
  policy: LostPolicy;
}

export function machineContents(
  machine: ContainerInstance,
  cluster: Cluster | undefined,
  services: readonly Service[],
  tasks: readonly Task[],
): MachineContents {
  const there = tasks.filter((task) => task.spec.containerInstance === machine.metadata.name && !isStopped(task));
  const byService = new Map<string, Task[]>();
  for (const task of there) {
    const name = controllerOf(task)?.kind === "TaskSet" ? (task.metadata.labels?.["davit.dev/service"] ?? "") : "";
    byService.set(name, [...(byService.get(name) ?? []), task]);
  }
  const groups = [...byService].map(([name, own]): TaskGroup => {
    const service = services.find(({ metadata }) => metadata.name === name);
    return {
      service: name === "" ? undefined : service === undefined ? name : serviceNameOf(service),
      tasks: own,
      policy: lostPolicy(service?.spec.lostInstances, cluster?.spec.lostInstances),
    };
  });
  return { cluster, groups: groups.sort((a, b) => ((a.service ?? "~") < (b.service ?? "~") ? -1 : 1)) };
}

export function machinePage(machine: ContainerInstance, nowMs: number, contents?: MachineContents): KindPage {
  const { spec, status = {} } = machine;
  const attributes = [...(spec.attributes ?? []), ...(status.attributes ?? [])];
  const drained = getCondition(status.conditions, "Drained");
  return {
    fields: [
      ["ARN", status.containerInstanceArn],
      ["Cluster", clusterNameOf(spec.cluster)],
      ["Hostname", status.hostname],
      ["Zone", attributes.find(({ name }) => name === "ecs.availability-zone")?.value],
      ["Address", status.address],
      ["Machine id", status.machineId],
      ["State", `${status.status ?? "REGISTERING"}${status.statusReason ? `: ${status.statusReason}` : ""}`],
      ...wishes(machine),
      ["Agent", connection(machine, contents, nowMs)],
      ["Credential", status.credentialExpiresAt && `good until ${status.credentialExpiresAt}, renewed before`],
      ["Versions", versions(machine)],
      ["Tasks", `${status.runningTasksCount ?? 0} running, ${status.pendingTasksCount ?? 0} pending`],
    ],
    sections: [
      ["Drain", drained === undefined ? "" : `${drained.reason}: ${drained.message.replaceAll("; ", ";\n")}`],
      ["Tasks by service", contents === undefined ? "" : taskTable(contents.groups)],
      ["Resources", resourceTable(status.registeredResources, status.remainingResources, status.portRange)],
      [
        "Attributes",
        attributes.length === 0
          ? ""
          : columns(
              ["NAME", "VALUE"],
              attributes.map(({ name, value = "" }) => [name, value]),
            ),
      ],
    ],
  };
}

function wishes({ spec, status }: ContainerInstance): Field[] {
  const at = spec.drainAt === undefined || spec.status === "DRAINING" ? undefined : spec.drainAt;
  return [
    ["Drains", at && (status?.status === "DRAINING" ? `since ${at}` : `at ${at}`)],
    ["Deregister", spec.deregister],
    ["Revoked", spec.revoked ? "its credential is no good any more; it must join anew" : undefined],
  ];
}

/** `connected`, or for how long it is not and what comes of that. */
function connection({ status = {} }: ContainerInstance, contents: MachineContents | undefined, nowMs: number): string {
  if (status.agentConnected) return "connected";
  if (status.agentConnected === undefined || status.epoch === undefined) return "not yet connected";
  const { disconnectedAt } = status;
  if (disconnectedAt === undefined) return "not connected";
  const silent = `silent ${shortTime(nowMs - Date.parse(disconnectedAt))}`;
  if (contents === undefined || status.status === "INACTIVE") return silent;
  const policies = contents.groups.map(({ policy }) => policyText(policy));
  const [only = policyText(lostPolicy(undefined, contents.cluster?.spec.lostInstances)), ...others] = new Set(policies);
  return others.length === 0 ? `${silent}; tasks ${only}` : `${silent}; what becomes of its tasks differs, see below`;
}

function policyText({ action, afterMs, onReturn }: LostPolicy): string {
  switch (action) {
    case "KEEP":
      return "are kept as they are";
    case "STOP":
      return `stop by themselves and are replaced at ${shortTime(afterMs)}`;
    case "REPLACE":
      return `replaced at ${shortTime(afterMs)}${onReturn === "ORIGINAL" ? ", until it is back" : ""}`;
  }
}

/** `40 s`, `5 min`, `4 min 20 s`, `3 h 5 min`, `2 d 4 h`: the two greatest units. */
export function shortTime(ms: number): string {
  let seconds = Math.max(0, Math.floor(ms / 1_000));
  const parts: string[] = [];
  for (const [unit, size] of [
    ["d", 86_400],
    ["h", 3_600],
    ["min", 60],
    ["s", 1],
  ] as const) {
    const whole = Math.floor(seconds / size);
    seconds -= whole * size;
    if (whole > 0) parts.push(`${whole} ${unit}`);
    else if (parts.length > 0) break;
  }
  return parts.slice(0, 2).join(" ") || "0 s";
}

const versions = ({ status = {} }: ContainerInstance): string =>
  [
    status.versionInfo?.agentVersion && `agent ${status.versionInfo.agentVersion}`,
    status.versionInfo?.dockerVersion?.replace(/^DockerVersion: /, "Docker "),
  ]
    .filter((part) => part !== undefined && part !== "")
    .join(", ");

function taskTable(groups: readonly TaskGroup[]): string {
  if (groups.length === 0) return "";
  const rows = groups.map(({ service, tasks, policy }) => {
    const count = (those: (task: Task) => boolean): string => String(tasks.filter(those).length);
    return [
      service ?? "(standalone)",
      count((task) => isRunning(task) && !stopAsked(task) && !isSetAside(task)),
      count((task) => isPending(task) && !stopAsked(task)),
      count((task) => stopAsked(task) || !(isRunning(task) || isPending(task))),
      tasks.some(isSetAside) ? "replaced until it is back" : policyText(policy),
    ];
  });
  return columns(["SERVICE", "RUNNING", "PENDING", "STOPPING", "IF IT STAYS SILENT"], rows);
}

function resourceTable(
  registered: readonly Resource[] = [],
  remaining: readonly Resource[] = [],
  portRange?: string,
): string {
  if (registered.length === 0) return "";
  const left = (name: string) => remaining.find((one) => one.name === name);
  const amounts = registered
    .filter(({ type }) => type !== "STRINGSET")
    .map((one) => [one.name, amount(one), amount(left(one.name)), ""]);
  // For ports the list is of those that are taken, from the start and by now.
  const ports = registered
    .filter(({ type }) => type === "STRINGSET")
    .map((one) => {
      const own = one.stringSetValue ?? [];
      const used = (left(one.name)?.stringSetValue ?? []).filter((port) => !own.includes(port));
      return [
        one.name,
        portRange ?? "all",
        "",
        [taken("reserved", own), taken("in use", used)].filter(Boolean).join("; "),
      ];
    });
  return columns(["NAME", "REGISTERED", "REMAINING", "TAKEN"], [...amounts, ...ports]);
}

const amount = (one: Resource | undefined): string =>
  one === undefined ? "" : String(one.integerValue ?? one.longValue ?? one.doubleValue ?? "");
const taken = (how: string, ports: readonly string[]): string =>
  ports.length === 0 ? "" : `${how} ${ports.join(",")}`;
