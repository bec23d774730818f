import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { connectionOf, kubeconfigPath } from "./api/connect.js";
import { print } from "./output/terminal.js";

interface Options {
  dataDir?: string;
  kubeconfig?: string;
  path?: boolean;
  mergeInto?: string;
}

export function define(command: Command): void {
  command
    .option("--data-dir <D>", "data folder of the local Davit")
    .option("--kubeconfig <F>", "the kubeconfig to read")
    .option("--path", "print only where it is")
    .option("--merge-into <F>", "put the context `davit` into this kubeconfig; its other entries stay as they are")
    .addHelpText(
      "after",
      `
Examples:
  $ export KUBECONFIG=$(davit kubeconfig --path)
  $ davit kubeconfig > ~/davit.yaml            for another machine, after changing the address in it
  $ davit kubeconfig --merge-into ~/.kube/config && kubectl --context davit get services.davit.dev`,
    )
    .action(async (options: Options) => {
      const connection = await connectionOf(options);
      if (options.mergeInto !== undefined) {
        const { writeDavitContext } = await import("./davit-context.js");
        await writeDavitContext(options.mergeInto, connection);
        process.stderr.write(`Context davit written to ${options.mergeInto}.\n`);
      } else print(options.path ? kubeconfigPath(options) : readFileSync(kubeconfigPath(options), "utf8").trimEnd());
    });
}
