import type { Command } from "commander";
import type { ContainerInstance } from "../api/types.gen.js";
import type { Api } from "./api/api.js";
import { type ApiOptions, withApi, withApiOptions } from "./api/connect.js";
import { resolve } from "./api/names.js";
import { findResource, pathOf } from "./api/resources.js";
import { define as deregister } from "./deregister.js";
import { Failure } from "./failure.js";
import { print } from "./output/terminal.js";

export function define(command: Command): void {
  // The same as `davit deregister`.
  deregister(command.command("deregister"));
  const revoke = command
    .command("revoke")
    .description(
      "Takes a machine's credential back: its agent is cut off at once, and stays out until the machine joins anew with " +
        "another token. Its containers run on; what becomes of its tasks is said by `lostInstances`.",
    )
    .argument("<node...>", "hostname, id, ARN, or a unique beginning of one")
    .addHelpText("after", "\nExamples:\n  $ davit instance revoke rack2-7")
    .action((nodes: string[], options: ApiOptions) =>
      withApi(options, async (api) => {
        for (const node of nodes) await revokeOne(api, node, options);
      }),
    );
  withApiOptions(revoke);
}

async function revokeOne(api: Api, typed: string, { namespace }: ApiOptions): Promise<void> {
  const resource = findResource("containerinstance");
  const { metadata, spec, status } = (await resolve(api, resource, namespace, typed)) as ContainerInstance;
  const { name } = metadata;
  if (status?.publicKey === undefined)
    throw new Failure(
      `machine ${name} (${status?.hostname ?? "unknown host"}) has not joined with a token: it is the one of \`davit up\` itself, ` +
        "whose credential is made anew at each start; stop it with `davit down`.",
    );
  if (spec.revoked) return print(`${resource.qualified}/${name} was revoked before`);
  await api.call(`${pathOf(resource, namespace, name)}?fieldManager=davit-instance`, {
    method: "PATCH",
    contentType: "application/merge-patch+json",
    body: { spec: { revoked: true } },
  });
  print(`${resource.qualified}/${name} revoked`);
}
