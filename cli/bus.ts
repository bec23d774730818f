import { existsSync } from "node:fs";
import type { Command } from "commander";
import { Failure } from "./failure.js";
import { serialize, withDataOption } from "./output/format.js";
import { print } from "./output/terminal.js";
import { credentials } from "./supervisor/children.js";
import { dataFolder } from "./supervisor/data-folder.js";
import { readState } from "./supervisor/state-file.js";

interface Options {
  dataDir?: string;
  output?: "json" | "yaml";
}

export function define(command: Command): void {
  withDataOption(command.command("info"))
    .description("Where the bus is, with which credentials to read it, and ten lines of code that do.")
    .option("--data-dir <D>", "data folder of the local Davit")
    .action(info);
}

async function info({ dataDir, output }: Options): Promise<void> {
  const folder = dataFolder(dataDir);
  const state = readState(folder.state);
  const reader = credentials(folder).reader;
  if (!state || !existsSync(reader))
    throw new Failure(`no Davit is up on ${folder.root}: start one with \`davit up\`.`);
  const ca = state.natsCaFile;
  const facts = { url: state.natsUrl, ...(ca && { ca }), credentials: reader, subject: "davit.v1.event.>" };
  if (output) return print(await serialize(facts, output));
  print(`URL          ${facts.url}${ca ? `\nCA           ${ca}` : ""}
credentials  ${facts.credentials}   (read-only)
subject      ${facts.subject}   (davit.v1.event.<namespace>.<cluster>.<kind>.<group>.<id>)

Every change of a task, service or machine is one message there. In Node (npm install nats):

${snippet(facts.url, facts.credentials, ca)}

A late joiner asks for the present state first: docs/bus.md shows how, and lists all messages.`);
}

const snippet = (
  url: string,
  file: string,
  ca: string | undefined,
): string => `  import { readFileSync } from "node:fs";
  import { connect, credsAuthenticator } from "nats";
  const bus = await connect({
    servers: "${url}",${ca ? `\n    tls: { caFile: "${ca}" },` : ""}
    authenticator: credsAuthenticator(readFileSync("${file}")),
    inboxPrefix: "_INBOX_reader",
  });
  for await (const message of bus.subscribe("davit.v1.event.>"))
    console.log(message.subject, message.json());`;
