import type { Command } from "commander";
import { type ApiOptions, withApi, withApiOptions } from "./api/connect.js";
import { serialize, withDataOption } from "./output/format.js";
import { print } from "./output/terminal.js";
import { ownVersion } from "./own-version.js";

export function define(command: Command): void {
  withDataOption(command)
    .option("--client", "of this program only")
    .action(async (options: ApiOptions & { client?: boolean; output?: "json" | "yaml" }) => {
      const versions = { client: ownVersion(), ...(!options.client && { server: await serverVersion(options) }) };
      if (options.output) print(await serialize(versions, options.output));
      else for (const [part, version] of Object.entries(versions)) print(`${part}: ${version}`);
    });
  withApiOptions(command);
}

async function serverVersion(options: ApiOptions): Promise<string> {
  try {
    const answer = (await withApi(options, (api) => api.call("/version"))) as { gitVersion?: string };
    return answer.gitVersion ?? "unknown";
  } catch {
    return "not running";
  }
}
