import type { Command } from "commander";
import type { Service } from "../api/types.gen.js";
import type { Api } from "./api/api.js";
import { type ApiOptions, withApi, withApiOptions } from "./api/connect.js";
import { followedRevision } from "./api/followed-revision.js";
import { parseTargets, resolve } from "./api/names.js";
import { waitForObjects } from "./api/objects.js";
import { seconds } from "./arguments.js";
import { Failure, UsageError } from "./failure.js";
import { rolloutOf } from "./output/rollout.js";
import { print, progress } from "./output/terminal.js";

interface Options extends ApiOptions {
  watch: boolean;
  timeout: number;
}

export function define(command: Command): void {
  const status = command
    .command("status")
    .description("Waits until a service's deployment is over, and says how it went (exit code 1 if it failed).")
    .argument("<service>", "service/NAME, or NAME")
    .option("--no-watch", "say how it stands now, and return")
    .option("--timeout <SECONDS>", "how long to wait", seconds, 600)
    .addHelpText("after", "\nExamples:\n  $ davit apply -f web.yaml && davit rollout status service/web")
    .action((typed: string, options: Options) => withApi(options, (api) => rolloutStatus(api, typed, options)));
  withApiOptions(status);
}

async function rolloutStatus(api: Api, typed: string, { namespace, watch, timeout }: Options): Promise<void> {
  const [target] = parseTargets(typed.includes("/") ? [typed] : ["service", typed]);
  if (target?.resource.kind !== "Service" || target.name === undefined)
    throw new UsageError(`${typed} is no service/NAME.`);
  const { resource } = target;
  const found = (await resolve(api, resource, namespace, target.name)) as Service;
  const { metadata } = found;
  const waiting = progress();
  const followed = await followedRevision(api, found, timeout * 1000);
  const last = await waitForObjects(
    { api, resource, namespace, timeoutMs: timeout * 1000 },
    (services) => {
      const service = services.get(metadata.name) as Service | undefined;
      if (!service) throw new Failure(`service ${metadata.name} is gone.`);
      const rollout = rolloutOf(service, followed);
      if (rollout.state !== "going" || !watch) return rollout;
      waiting.show(rollout.text);
      return undefined;
    },
    () =>
      new Failure(
        `service ${metadata.name} is not rolled out after ${timeout} s; look at \`davit describe service/${metadata.name}\`.`,
      ),
  );
  waiting.done();
  if (last.state === "failed") throw new Failure(last.text);
  print(last.text);
}
