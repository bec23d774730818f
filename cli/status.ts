import type { Command } from "commander";
import { getCondition } from "../api/conditions.js";
import type { ContainerInstance, Service, Task } from "../api/types.gen.js";
import { whyStopped } from "../api/why-stopped.js";
import type { Api } from "./api/api.js";
import { type ApiOptions, withApi, withApiOptions } from "./api/connect.js";
import { fetchList } from "./api/objects.js";
import { findResource } from "./api/resources.js";
import { syncAnnotations } from "./gitops.js";
import { age, columns } from "./output/columns.js";
import { serialize, withDataOption } from "./output/format.js";
import { shortTime } from "./output/machine-page.js";
import { rolloutOf } from "./output/rollout.js";
import { bold, green, print, red, yellow } from "./output/terminal.js";
import { dataFolder } from "./supervisor/data-folder.js";
import { isAlive } from "./supervisor/process.js";
import { CHILDREN, readState } from "./supervisor/state-file.js";

interface Options extends ApiOptions {
  output?: "json" | "yaml";
}

export function define(command: Command): void {
  command
    .description(
      "One screen: machines, services that are not steady and why, and what changed last. Exit code 0 also if something is not steady.",
    )
    .action((options: Options) => withApi(options, (api) => status(api, options)));
  withApiOptions(withDataOption(command));
}

interface Overview {
  processes: Record<string, string> | undefined;
  machines: { name: string; state: string; running: number; pending: number; drain?: string }[];
  services: { namespace: string; name: string; state: string; why: string }[];
  standalone: { running: number; waiting: number };
  changes: { at: string; what: string }[];
  manifests: { state: string; message: string } | undefined;
}

async function status(api: Api, options: Options): Promise<void> {
  const overview = await look(api, options);
  print(options.output ? await serialize(overview, options.output) : screen(overview, api.url, Date.now()));
}

async function look(api: Api, options: Options): Promise<Overview> {
  const list = async (kind: string) => (await fetchList(api, findResource(kind), undefined)).items;
  const [machines, services, tasks, sync] = await Promise.all([
    list("machine"),
    list("service"),
    list("task"),
    syncAnnotations(api),
  ]);
  return {
    processes: options.kubeconfig === undefined ? processes(options.dataDir) : undefined,
    machines: (machines as ContainerInstance[])
      .filter((machine) => machine.status?.status !== "INACTIVE")
      .map((machine) => machineRow(machine, Date.now())),
    services: (services as Service[]).map(serviceRow),
    standalone: standalone(tasks as Task[]),
    changes: lastChanges(services as Service[], tasks as Task[]),
    manifests: sync.state === undefined ? undefined : { state: sync.state, message: sync.message ?? "" },
  };
}

/** What the local supervisor says of its children. */
function processes(dataDir: string | undefined): Record<string, string> | undefined {
  const state = readState(dataFolder(dataDir).state);
  if (!state) return undefined;
  const shown = (child: { pid: number; startTicks: string } | undefined) =>
    child && (isAlive(child) ? `runs (process ${child.pid})` : "is down");
  const rows = [
    ["supervisor", shown(state.supervisor)],
    ...CHILDREN.map((name) => [name, shown(state.children[name])]),
  ];
  return Object.fromEntries(rows.filter(([, value]) => value !== undefined)) as Record<string, string>;
}

function machineRow({ metadata, spec, status = {} }: ContainerInstance, nowMs: number): Overview["machines"][number] {
  const drained = getCondition(status.conditions, "Drained");
  const later = status.status === "ACTIVE" && spec.drainAt !== undefined ? `drains at ${spec.drainAt}` : undefined;
  const state = [status.status ?? "REGISTERING", silence(status, nowMs), later];
  return {
    name: status.hostname ?? metadata.name,
    state: state.filter((part) => part !== undefined).join(", "),
    running: status.runningTasksCount ?? 0,
    pending: status.pendingTasksCount ?? 0,
    ...(drained && { drain: `${drained.reason}: ${drained.message}` }),
  };
}

/** For how long its agent has not been heard. */
function silence(status: NonNullable<ContainerInstance["status"]>, nowMs: number): string | undefined {
  if (status.agentConnected || status.epoch === undefined) return undefined;
  const { disconnectedAt } = status;
  if (disconnectedAt === undefined) return "agent not connected";
  return `agent silent for ${shortTime(nowMs - Date.parse(disconnectedAt))}`;
}

function serviceRow(service: Service): Overview["services"][number] {
  const { state, text } = rolloutOf(service);
  const { namespace, name } = service.metadata;
  return {
    namespace,
    name,
    state: state === "over" ? "steady" : state === "failed" ? "failed" : "not steady",
    why: text,
  };
}

function standalone(tasks: readonly Task[]): Overview["standalone"] {
  const alone = tasks.filter(
    ({ metadata, status }) => metadata.labels?.["davit.dev/service"] === undefined && status?.lastStatus !== "STOPPED",
  );
  const running = alone.filter(({ status }) => status?.lastStatus === "RUNNING").length;
  return { running, waiting: alone.length - running };
}

const SHOWN_CHANGES = 10;

function lastChanges(services: readonly Service[], tasks: readonly Task[]): Overview["changes"] {
  const told = services.flatMap(({ status }) =>
    (status?.events ?? []).map(({ createdAt, message }) => ({ at: createdAt ?? "", what: message ?? "" })),
  );
  const stopped = tasks.flatMap(({ metadata, status }) =>
    status?.stoppedAt === undefined
      ? []
      : [
          {
            at: status.stoppedAt,
            what: `task ${metadata.name} stopped: ${whyStopped(status)}`,
          },
        ],
  );
  return [...told, ...stopped].sort((a, b) => b.at.localeCompare(a.at)).slice(0, SHOWN_CHANGES);
}

function screen(overview: Overview, url: string, nowMs: number): string {
  const { processes, machines, services, changes, manifests, standalone } = overview;
  const unsteady = services.filter(({ state }) => state !== "steady");
  const steady = services.length - unsteady.length;
  const drains = machines.filter(({ drain }) => drain !== undefined);
  const parts = [
    `${bold("Davit")} at ${url}`,
    processes &&
      Object.entries(processes)
        .map(([name, how]) => `  ${name} ${how}`)
        .join("\n"),
    `${bold("Machines")} (${machines.length})`,
    machines.length === 0
      ? `  ${yellow("none yet: nothing can run")}`
      : indent(
          columns(
            ["NAME", "STATE", "RUNNING", "PENDING"],
            machines.map((one) => [one.name, one.state, String(one.running), String(one.pending)]),
          ),
        ),
    drains.length > 0 && drains.map(({ name, drain }) => `  ${yellow(`${name} drains:`)} ${drain}`).join("\n"),
    `${bold("Services")}: ${green(`${steady} steady`)}${unsteady.length > 0 ? `, ${red(`${unsteady.length} not`)}` : ""}`,
    unsteady.length > 0 && unsteady.map(({ why }) => `  ${why}`).join("\n"),
    `${bold("Other tasks")}: ${standalone.running} running, ${standalone.waiting} on their way`,
    manifests &&
      `${bold("Manifests")}: ${manifests.state === "Synced" ? green(manifests.state) : red(manifests.state)}\n${indent(manifests.message)}`,
    changes.length > 0 &&
      `${bold("Last changes")}\n${changes.map(({ at, what }) => `  ${age(at, nowMs).padStart(6)} ago  ${what}`).join("\n")}`,
  ];
  return parts.filter((part) => part !== undefined && part !== false).join("\n");
}

const indent = (text: string): string => text.replace(/^(?=.)/gm, "  ");
