import { existsSync } from "node:fs";
import type { Command } from "commander";
import type { Connection } from "../../client/http-transport.js";
import { readKubeconfig } from "../../client/kubeconfig.js";
import { Failure, messageOf } from "../failure.js";
import { dataFolder } from "../supervisor/data-folder.js";
import { type Api, createApi } from "./api.js";

export interface ApiOptions {
  dataDir?: string;
  kubeconfig?: string;
  namespace: string;
}

/** The options of every command that talks to the API. */
export function withApiOptions(command: Command): Command {
  return command
    .option("-n, --namespace <NS>", "namespace (Davit's word for an account)", "default")
    .option(
      "--kubeconfig <F>",
      "reach the Davit of this kubeconfig (default: $DAVIT_KUBECONFIG, else DATA_DIR/kubeconfig)",
    )
    .option(
      "--data-dir <D>",
      "data folder of the local Davit (default: $DAVIT_DATA_DIR, else /var/lib/davit or ~/.davit)",
    );
}

/** Which kubeconfig a command means. */
export const kubeconfigPath = ({ kubeconfig, dataDir }: Pick<ApiOptions, "kubeconfig" | "dataDir">): string =>
  kubeconfig ?? (dataDir === undefined ? process.env.DAVIT_KUBECONFIG : undefined) ?? dataFolder(dataDir).kubeconfig;

export async function connectionOf(options: Pick<ApiOptions, "kubeconfig" | "dataDir">): Promise<Connection> {
  const path = kubeconfigPath(options);
  if (!existsSync(path))
    throw new Failure(
      `there is no Davit yet (${path} does not exist): start one with \`davit up\`, or name it with --data-dir or --kubeconfig.`,
    );
  try {
    return (await readKubeconfig({ path })).connection;
  } catch (error) {
    throw new Failure(`${messageOf(error)}. Name another kubeconfig with --kubeconfig.`);
  }
}

/** Opens the API for the length of one action, and prints the server's warnings at its end. */
export async function withApi<T>(options: ApiOptions, action: (api: Api) => Promise<T>): Promise<T> {
  const api = createApi(await connectionOf(options));
  try {
    return await action(api);
  } finally {
    for (const warning of api.takeWarnings()) process.stderr.write(`Warning: ${warning}\n`);
    api.close();
  }
}
