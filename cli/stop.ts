import type { Command } from "commander";
import type { Task } from "../api/types.gen.js";
import type { Api } from "./api/api.js";
import { type ApiOptions, withApi, withApiOptions } from "./api/connect.js";
import { resolve } from "./api/names.js";
import { fetchObject, waitForObjects } from "./api/objects.js";
import { findResource, pathOf } from "./api/resources.js";
import { seconds } from "./arguments.js";
import { Failure } from "./failure.js";
import { print, progress } from "./output/terminal.js";

interface Options extends ApiOptions {
  reason?: string;
  wait?: boolean;
  timeout: number;
}

export function define(command: Command): void {
  command
    .argument("<task...>", "name, id, ARN, or a unique beginning of one")
    .option("--reason <TEXT>", "kept as the task's stop reason")
    .option("--wait", "until it is STOPPED")
    .option("--timeout <SECONDS>", "how long to wait", seconds, 120)
    .addHelpText(
      "after",
      "\nA stopped task of a service is replaced: to stop the service, set its desiredCount to 0 or delete it.\n\nExamples:\n  $ davit stop 4f2a9c --reason 'stuck' --wait",
    )
    .action((tasks: string[], options: Options) =>
      withApi(options, async (api) => {
        for (const typed of tasks) await stop(api, typed.replace(/^tasks?\//, ""), options);
      }),
    );
  withApiOptions(command);
}

async function stop(api: Api, typed: string, { namespace, reason, wait, timeout }: Options): Promise<void> {
  const resource = findResource("task");
  const task = (await resolve(api, resource, namespace, typed)) as Task;
  const { name } = task.metadata;
  if (task.status?.lastStatus === "STOPPED") return print(`task.davit.dev/${name} is already stopped`);
  if (task.spec.desiredStatus !== "STOPPED")
    await api.call(`${pathOf(resource, namespace, name)}?fieldManager=davit-stop`, {
      method: "PATCH",
      contentType: "application/merge-patch+json",
      body: {
        spec: { desiredStatus: "STOPPED", stopCode: "UserInitiated", stopReason: reason ?? "Task stopped by user" },
      },
    });
  if (!wait) return print(`task.davit.dev/${name} is stopping`);
  const waiting = progress();
  await waitForObjects(
    { api, resource, namespace, timeoutMs: timeout * 1000 },
    (tasks) => {
      const now = tasks.get(name) as Task | undefined;
      if (!now || now.status?.lastStatus === "STOPPED") return true;
      waiting.show(`task ${name} is ${now.status?.lastStatus ?? "new"} …`);
      return undefined;
    },
    () => new Failure(`task ${name} is not stopped after ${timeout} s; look at \`davit describe task/${name}\`.`),
  );
  waiting.done();
  const last = (await fetchObject(api, resource, namespace, name)) as Task | undefined;
  print(`task.davit.dev/${name} stopped${last?.status?.stoppedReason ? `: ${last.status.stoppedReason}` : ""}`);
}
