import { existsSync } from "node:fs";
import type { Command } from "commander";
import { connectionOf, kubeconfigPath } from "./api/connect.js";
import { examine, isProblem } from "./doctor/checks.js";
import type { Finding } from "./doctor/facts.js";
import { gather } from "./doctor/gather.js";
import { localFacts } from "./doctor/local-facts.js";
import { page, pageWithout } from "./doctor/page.js";
import { examinePrerequisites, prerequisites } from "./doctor/prerequisites.js";
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
  const path = kubeconfigPath(options);
  if (options.kubeconfig === undefined && !existsSync(path)) {
    const findings = examinePrerequisites(await prerequisites());
    return tell(options, findings, undefined, () => pageWithout(path, findings));
  }
  const connection = await connectionOf(options);
  // Another's kubeconfig says nothing of this machine.
  const isLocal = options.kubeconfig === undefined && (options.dataDir !== undefined || !process.env.DAVIT_KUBECONFIG);
  const local = isLocal ? await localFacts(dataFolder(options.dataDir)) : undefined;
  const facts = await gather(connection, local, Date.now);
  const findings = examine(facts);
  await tell(options, findings, facts.server, () => page(facts, findings));
}

async function tell(
  { output }: Options,
  findings: readonly Finding[],
  server: string | undefined,
  onPage: () => string,
): Promise<void> {
  const wrong = findings.filter(isProblem).length;
  print(output ? await serialize({ ...(server !== undefined && { server }), wrong, findings }, output) : onPage());
  if (wrong > 0) process.exitCode = EXIT.failed;
}
