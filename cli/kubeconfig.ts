import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { kubeconfig } from "../apiserver/kubeconfig.js";
import type { Connection } from "../client/http-transport.js";
import { connectionOf, kubeconfigPath } from "./api/connect.js";
import { print } from "./output/terminal.js";
import { dataFolder } from "./supervisor/data-folder.js";
import { readState } from "./supervisor/state-file.js";

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
  $ davit kubeconfig > ~/davit.yaml            for another machine, where Davit listens beyond this one (\`up --bind\`)
  $ davit kubeconfig --merge-into ~/.kube/config && kubectl --context davit get services.davit.dev`,
    )
    .action(async (options: Options) => {
      const connection = await connectionOf(options);
      if (options.mergeInto !== undefined) {
        const { writeDavitContext } = await import("./davit-context.js");
        await writeDavitContext(options.mergeInto, connection);
        process.stderr.write(`Context davit written to ${options.mergeInto}.\n`);
      } else if (options.path) print(kubeconfigPath(options));
      else print((forOthers(options, connection) ?? readFileSync(kubeconfigPath(options), "utf8")).trimEnd());
    });
}

/** That of the local Davit with the address under which other machines reach it, where there is one. */
function forOthers(options: Options, { ca, token }: Connection): string | undefined {
  const folder = dataFolder(options.dataDir);
  if (kubeconfigPath(options) !== folder.kubeconfig || ca === undefined || token === undefined) return undefined;
  const server = readState(folder.state)?.advertised;
  return server === undefined ? undefined : kubeconfig({ server, ca, token });
}
