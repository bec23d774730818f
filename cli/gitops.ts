import type { Command } from "commander";
import { SYNC_ANNOTATIONS } from "../gitops/sync-status.js";
import type { Api } from "./api/api.js";
import { type ApiOptions, withApi, withApiOptions } from "./api/connect.js";
import { fetchObject } from "./api/objects.js";
import { findResource, pathOf } from "./api/resources.js";
import { Failure } from "./failure.js";
import { print } from "./output/terminal.js";

export function define(command: Command): void {
  command.description(
    "The folder given to `davit up --manifests DIR`. What leaves the folder is deleted, unless the folder is empty or " +
      "unreadable or loses more than 30 % at once: then it is kept until confirmed.",
  );
  const status = command.command("status").description("How the folder sync is doing.");
  withApiOptions(status).action((options: ApiOptions) => withApi(options, showStatus));
  const confirm = command.command("confirm").description("Lets go what left the folder and is kept.");
  confirm.addHelpText(
    "after",
    "\nIt holds for exactly the objects that `davit gitops status` shows; if more leave the folder, it must be given again.",
  );
  withApiOptions(confirm).action((options: ApiOptions) => withApi(options, giveConfirmation));
}

const CLUSTER = { namespace: "default", name: "default" };

/** What the folder sync last said of itself. */
export async function syncAnnotations(api: Api): Promise<Partial<Record<keyof typeof SYNC_ANNOTATIONS, string>>> {
  const cluster = await fetchObject(api, findResource("cluster"), CLUSTER.namespace, CLUSTER.name);
  const annotations = cluster?.metadata.annotations ?? {};
  return Object.fromEntries(
    Object.entries(SYNC_ANNOTATIONS).flatMap(([name, key]) =>
      annotations[key] === undefined ? [] : [[name, annotations[key]]],
    ),
  );
}

async function showStatus(api: Api): Promise<void> {
  const { state, message, since } = await syncAnnotations(api);
  if (state === undefined) return print("No folder is followed (`davit up --manifests DIR`).");
  print(`${state} since ${since}\n${message}`);
}

async function giveConfirmation(api: Api): Promise<void> {
  const { held, message } = await syncAnnotations(api);
  if (held === undefined) throw new Failure("nothing waits for a confirmation.");
  await api.call(
    `${pathOf(findResource("cluster"), CLUSTER.namespace, CLUSTER.name)}?fieldManager=davit-gitops-confirm`,
    {
      method: "PATCH",
      contentType: "application/merge-patch+json",
      body: { metadata: { annotations: { [SYNC_ANNOTATIONS.confirm]: held } } },
    },
  );
  print(`Confirmed: ${message}`);
}
