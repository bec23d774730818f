import type { Command } from "commander";
import type { ApiObject } from "../api/meta.js";
import { clusterNameOf, clusterNameOfObject } from "../api/names.js";
import type { Cluster, ContainerInstance, Service, Task } from "../api/types.gen.js";
import type { Api } from "./api/api.js";
import { type ApiOptions, withApi, withApiOptions } from "./api/connect.js";
import { parseTargets, resolve } from "./api/names.js";
import { fetchList } from "./api/objects.js";
import { findResource } from "./api/resources.js";
import { UsageError } from "./failure.js";
import { clusterContents } from "./output/cluster-page.js";
import { machineContents } from "./output/machine-page.js";
import { type Contents, page } from "./output/page.js";
import { print } from "./output/terminal.js";

export function define(command: Command): void {
  command
    .argument("<kind...>", "KIND NAME…, or KIND/NAME…")
    .addHelpText(
      "after",
      "\nExamples:\n  $ davit describe service web     deployments, conditions, what happened\n  $ davit describe task/4f2a       why it stopped, its containers and ports\n  $ davit describe instance db-3   its connection, drain, resources, tasks by service",
    )
    .action((args: string[], options: ApiOptions) => withApi(options, (api) => describe(api, args, options)));
  withApiOptions(command);
}

/** What is told on an object's page, and not by the object itself: what a cluster holds keeps it from being deleted,
 *  and what a machine holds waits for it. */
async function contentsOf(api: Api, object: ApiObject): Promise<Contents> {
  const { namespace } = object.metadata;
  const list = async (kind: string) => (await fetchList(api, findResource(kind), namespace)).items;
  if (object.kind === "Cluster") {
    const [services, machines] = await Promise.all([list("service"), list("machine")]);
    return {
      cluster: clusterContents(object as Cluster, services as Service[], machines as ContainerInstance[]),
    };
  }
  if (object.kind === "ContainerInstance") {
    const machine = object as ContainerInstance;
    const [services, tasks, clusters] = await Promise.all([list("service"), list("task"), list("cluster")]);
    const cluster = (clusters as Cluster[]).find(
      (each) => clusterNameOfObject(each) === clusterNameOf(machine.spec.cluster),
    );
    return { machine: machineContents(machine, cluster, services as Service[], tasks as Task[]) };
  }
  return {};
}

async function describe(api: Api, args: string[], { namespace }: ApiOptions): Promise<void> {
  const pages: string[] = [];
  for (const { resource, name } of parseTargets(args)) {
    if (name === undefined && args.length > 1) throw new UsageError(`name the ${resource.singular} to describe.`);
    const objects =
      name === undefined
        ? (await fetchList(api, resource, namespace)).items
        : [await resolve(api, resource, namespace, name)];
    for (const object of objects) pages.push(page(object, Date.now(), await contentsOf(api, object)));
  }
  print(pages.join(`\n\n${"-".repeat(60)}\n\n`));
}
