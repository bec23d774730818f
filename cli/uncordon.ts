import type { Command } from "commander";
import { type ApiOptions, withApi, withApiOptions } from "./api/connect.js";
import { machineLabel, patchMachine, resolveMachines } from "./api/machines.js";
import { print } from "./output/terminal.js";

export function define(command: Command): void {
  command
    .description("Takes a drain back, also one that is still to come: the machine is ACTIVE and gets tasks again.")
    .argument("<node...>", "host name, id, ARN, or a unique beginning of one")
    .addHelpText(
      "after",
      "\nTasks that were not yet asked to stop stay where they are; those that have moved do not come back by themselves.\n\nExamples:\n  $ davit uncordon db-3",
    )
    .action((nodes: string[], options: ApiOptions) =>
      withApi(options, async (api) => {
        for (const machine of await resolveMachines(api, options.namespace, nodes)) {
          await patchMachine(api, machine, "davit-uncordon", { status: "ACTIVE", drainAt: null });
          print(`${machineLabel(machine)} is to be ACTIVE`);
        }
      }),
    );
  withApiOptions(command);
}
