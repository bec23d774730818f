import { Argument, type Command } from "commander";
import { resourceIdOf } from "../api/arn.js";
import { clusterNameOf } from "../api/names.js";
import type { ContainerInstance, Service, Task, TaskDefinitionRevision } from "../api/types.gen.js";
import { countsInMetrics } from "../api/utilization.js";
import type { Api } from "./api/api.js";
import { type ApiOptions, withApi, withApiOptions } from "./api/connect.js";
import { fetchList } from "./api/objects.js";
import { probeAll } from "./api/probes.js";
import { findResource } from "./api/resources.js";
import { Failure } from "./failure.js";
import { serialize, withDataOption } from "./output/format.js";
import { print } from "./output/terminal.js";
import { type Report, report } from "./top/report.js";
import { SUBJECTS, type Subject, silentMachines, table } from "./top/tables.js";

interface Options extends ApiOptions {
  allNamespaces?: boolean;
  cluster?: string;
  output?: "json" | "yaml";
}

export function define(command: Command): void {
  command
    .description(
      "How full it is: what tasks reserve of the registered CPU and memory, and what they use, as their machines measure it " +
        "over a second just now. Machines that are neither ACTIVE nor DRAINING don't count; those that don't answer are named.",
    )
    .addArgument(new Argument("[what]").choices(SUBJECTS).default("clusters"))
    .option("-A, --all-namespaces", "of all namespaces")
    .option("--cluster <C>", "of this cluster only")
    .addHelpText(
      "after",
      `
Of a service and of a task it is the share of what the tasks reserve: idle CPU is everybody's, so it may pass 100%.

Examples:
  $ davit top                       clusters
  $ davit top instances --cluster prod
  $ davit top tasks -o json | jq '.tasks[] | [.name, .used.memoryMiB]'`,
    )
    .action((subject: Subject, options: Options) => withApi(options, (api) => top(api, subject, options)));
  withApiOptions(withDataOption(command));
}

async function top(api: Api, subject: Subject, options: Options): Promise<void> {
  const { cluster, allNamespaces = false, output } = options;
  const seen = await look(api, options);
  if (cluster !== undefined && seen.clusters.length === 0)
    throw new Failure(
      `cluster ${cluster} has no machine that is ACTIVE or DRAINING; \`davit get clusters\` lists those there are.`,
    );
  if (output) return print(await serialize({ [subject]: seen[subject], silent: seen.silent }, output));
  if (seen.instances.length === 0) process.stderr.write("No machine is ACTIVE or DRAINING.\n");
  print(table(seen, subject, allNamespaces));
  const silent = silentMachines(seen);
  if (silent !== "") process.stderr.write(`${silent}\n`);
}

async function look(api: Api, { allNamespaces, namespace, cluster }: Options): Promise<Report> {
  const list = async (kind: string) =>
    (await fetchList(api, findResource(kind), allNamespaces ? undefined : namespace)).items;
  const [instances, tasks, services, revisions] = await Promise.all([
    list("containerinstance"),
    list("task"),
    list("service"),
    list("taskdefinitionrevision"),
  ]);
  const wanted = cluster === undefined ? undefined : resourceIdOf(cluster);
  const counted = (instances as ContainerInstance[]).filter(
    ({ spec, status }) =>
      countsInMetrics({ status: status?.status ?? "" }) &&
      (wanted ?? clusterNameOf(spec.cluster)) === clusterNameOf(spec.cluster),
  );
  const probes = await probeAll(api, counted, { now: Date.now });
  return report(
    {
      instances: counted,
      tasks: tasks as Task[],
      services: services as Service[],
      revisions: revisions as TaskDefinitionRevision[],
      probes,
    },
    wanted,
  );
}
