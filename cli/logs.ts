import type { Command } from "commander";
import type { Task } from "../api/types.gen.js";
import { ApiError } from "../client/object-client.js";
import type { Api } from "./api/api.js";
import { type ApiOptions, withApi, withApiOptions } from "./api/connect.js";
import { parseTargets, resolve } from "./api/names.js";
import { fetchList, watch } from "./api/objects.js";
import { findResource, pathOf } from "./api/resources.js";
import { count, seconds } from "./arguments.js";
import { Failure, messageOf, UsageError } from "./failure.js";
import { grey, print } from "./output/terminal.js";

interface Options extends ApiOptions {
  follow?: boolean;
  container?: string;
  tail?: number;
  since?: number;
  timestamps?: boolean;
  prefix?: boolean;
}

/** One line of the answer of `tasks/NAME/log`. */
interface LogLine {
  container: string;
  stream: "stdout" | "stderr";
  atMs: number;
  text: string;
}

const TASKS = findResource("task");

export function define(command: Command): void {
  command
    .argument("<target>", "task/ID or service/NAME")
    .option("-f, --follow", "go on with what comes; for a service also with its new tasks")
    .option("-c, --container <NAME>", "of this container only")
    .option("--tail <N>", "begin with the last N lines of each container", count)
    .option("--since <SECONDS>", "nothing older than this", seconds)
    .option("--timestamps", "each line with its time")
    .option("--prefix", "each line with its task and container (the default for more than one)")
    .addHelpText("after", "\nExamples:\n  $ davit logs service/web -f\n  $ davit logs task/4f2a --tail 20 --timestamps")
    .action((target: string, options: Options) => withApi(options, (api) => logs(api, target, options)));
  withApiOptions(command);
}

async function logs(api: Api, typed: string, options: Options): Promise<void> {
  const [target] = parseTargets(typed.includes("/") ? [typed] : ["task", typed]);
  if (!target?.name || !["Task", "Service"].includes(target.resource.kind))
    throw new UsageError(`${typed} is neither task/ID nor service/NAME.`);
  const object = await resolve(api, target.resource, options.namespace, target.name);
  if (object.kind === "Task") return taskLogs(api, object as Task, options, options.prefix ?? false);
  const belongs = (task: Task): boolean => serviceOf(task) === object.metadata.name;
  if (options.follow) return followService(api, belongs, options);
  const { items } = await fetchList(api, TASKS, options.namespace);
  const tasks = (items as Task[]).filter((task) => belongs(task) && task.status?.lastStatus === "RUNNING");
  if (tasks.length === 0)
    throw new Failure(
      `service ${object.metadata.name} has no running task; \`davit get tasks --stopped\` shows those that stopped.`,
    );
  for (const task of tasks) await taskLogs(api, task, options, options.prefix ?? tasks.length > 1);
}

/** metadata.name of the service that a task belongs to. */
const serviceOf = ({ metadata }: Task): string | undefined => metadata.labels?.["davit.dev/service"];

/** Every running task of the service, and those that come later. Ends with Ctrl-C. */
async function followService(api: Api, belongs: (task: Task) => boolean, options: Options): Promise<void> {
  const followed = new Set<string>();
  const follow = (task: Task): void => {
    if (!belongs(task) || task.status?.lastStatus !== "RUNNING" || followed.has(task.metadata.uid)) return;
    followed.add(task.metadata.uid);
    void taskLogs(api, task, options, options.prefix ?? true)
      .catch((error: unknown) => process.stderr.write(`davit: ${task.metadata.name}: ${messageOf(error)}\n`))
      // An agent that was away for a moment: its task is followed again when it is seen again.
      .finally(() => followed.delete(task.metadata.uid));
  };
  for (;;) {
    const { items, metadata } = await fetchList(api, TASKS, options.namespace);
    for (const task of items as Task[]) follow(task);
    try {
      for await (const { type, object } of watch(
        api,
        TASKS,
        options.namespace,
        metadata.resourceVersion,
        new AbortController().signal,
      ))
        if (type !== "BOOKMARK" && type !== "DELETED") follow(object as Task);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  }
}

async function taskLogs(api: Api, task: Task, options: Options, prefix: boolean): Promise<void> {
  const query = new URLSearchParams({
    ...(options.follow && { follow: "true" }),
    ...(options.container && { container: options.container }),
    ...(options.tail !== undefined && { tailLines: String(options.tail) }),
    ...(options.since !== undefined && { sinceSeconds: String(options.since) }),
  });
  const path = `${pathOf(TASKS, task.metadata.namespace, task.metadata.name)}/log?${query}`;
  for await (const lines of api.stream(path, { accept: "application/x-ndjson" }))
    for (const line of lines as readonly (LogLine | { error: string })[]) {
      if ("error" in line) throw new Failure(`the logs of ${task.metadata.name} ended: ${line.error}`);
      print(render(line, task, options, prefix));
    }
}

function render({ container, atMs, text }: LogLine, task: Task, { timestamps }: Options, prefix: boolean): string {
  const head = prefix ? `${grey(`${task.metadata.name}/${container}`)} ` : "";
  return `${head}${timestamps ? `${new Date(atMs).toISOString()} ` : ""}${text}`;
}
