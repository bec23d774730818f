import type { Command } from "commander";
import type { ApiObject } from "../api/meta.js";
import type { Cluster, ContainerInstance, Service } from "../api/types.gen.js";
import type { Api } from "./api/api.js";
import { type ApiOptions, withApi, withApiOptions } from "./api/connect.js";
import { parseTargets, resolve } from "./api/names.js";
import { fetchList } from "./api/objects.js";
import { findResource } from "./api/resources.js";
import { UsageError } from "./failure.js";
import { type ClusterContents, clusterContents } from "./output/cluster-page.js";
import { page } from "./output/page.js";
import { print } from "./output/terminal.js";

export function define(command: Command): void {
  command
    .argument("<kind...>", "KIND NAME…, or KIND/NAME…")
    .addHelpText(
      "after",
      "\nExamples:\n  $ davit describe service web     deployments, conditions, what happened\n  $ davit describe task/4f2a       why it stopped, its containers and ports",
    )
    .action((args: string[], options: ApiOptions) => withApi(options, (api) => describe(api, args, options)));
  withApiOptions(command);
}

/** What a cluster holds keeps it from being deleted, so its page names it. */
async function contentsOf(api: Api, object: ApiObject): Promise<ClusterContents | undefined> {
  if (object.kind !== "Cluster") return undefined;
  const { namespace } = object.metadata;
  const [services, machines] = await Promise.all(
    ["service", "containerinstance"].map((kind) => fetchList(api, findResource(kind), namespace)),
  );
  return clusterContents(
    object as Cluster,
    (services?.items ?? []) as Service[],
    (machines?.items ?? []) as ContainerInstance[],
  );
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
