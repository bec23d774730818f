import type { Command } from "commander";
import { connectionOf } from "./api/connect.js";
import { examine, isProblem } from "./doctor/checks.js";
import { gather } from "./doctor/gather.js";
import { localFacts } from "./doctor/local-facts.js";
import { page } from "./doctor/page.js";
import { EXIT } from "./failure.js";
import { serialize, withDataOption } from "./output/format.js";
import { print } from "./output/terminal.js";
import { dataFolder } from "./supervisor/data-folder.js";

interface Options {
  dataDir?: string;
  kubeconfig?: string;
  output?: "json" | "yaml";
}

export function define(command: Command): void {
  command
    .description(
      "Looks for what is wrong and says what to do about it: the API, clocks, versions, certificates, tokens, disks, rights, " +
        "silent machines, tasks that wait, containers that belong to nobody. It changes nothing. Exit code 1 if something is wrong.",
    )
    .option("--kubeconfig <F>", "the Davit of this kubeconfig (default: $DAVIT_KUBECONFIG, else DATA_DIR/kubeconfig)")
    .option("--data-dir <D>", "data folder of the local Davit")
    .addHelpText("after", "\nExamples:\n  $ davit doctor\n  $ davit doctor -o json | jq -r '.findings[].what'")
    .action(doctor);
  withDataOption(command);
}

async function doctor(options: Options): Promise<void> {
  const connection = await connectionOf(options);
  // Another's kubeconfig says nothing of this machine.
  const isLocal = options.kubeconfig === undefined && (options.dataDir !== undefined || !process.env.DAVIT_KUBECONFIG);
  const local = isLocal ? await localFacts(dataFolder(options.dataDir)) : undefined;
  const facts = await gather(connection, local, Date.now);
  const findings = examine(facts);
  const wrong = findings.filter(isProblem).length;
  print(
    options.output ? await serialize({ server: facts.server, wrong, findings }, options.output) : page(facts, findings),
  );
  if (wrong > 0) process.exitCode = EXIT.failed;
}
