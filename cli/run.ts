import { type Command, Option } from "commander";
import { mergeTags } from "../api/tags.js";
import type { Tag, Task, TaskSpec } from "../api/types.gen.js";
import type { Api } from "./api/api.js";
import { type ApiOptions, withApi, withApiOptions } from "./api/connect.js";
import { findResource } from "./api/resources.js";
import { count, seconds, tags } from "./arguments.js";
import { Failure, UsageError } from "./failure.js";
import { type ObjectFormat, printObjects, withObjectOutput } from "./output/format.js";
import { createTask, type RunRequest, requestsIn, runnableRevision } from "./run/requests.js";
import { awaitPlacement, awaitState, type WaitOptions } from "./run/waits.js";

interface Options extends ApiOptions, WaitOptions {
  filename?: string;
  count: number;
  cluster?: string;
  startedBy?: string;
  tag: Tag[];
  propagateTags?: "TASK_DEFINITION" | "NONE";
  enableEcsManagedTags?: boolean;
  output?: ObjectFormat;
}

export function define(command: Command): void {
  command
    .argument("[definition]", "FAMILY (its newest revision) or FAMILY:N")
    .option("-f, --filename <FILE>", "a RunTask request in ECS JSON instead (- for standard input)")
    .option("--count <N>", "how many tasks", count, 1)
    .option("--cluster <NAME>", "in this cluster")
    .option("--started-by <TEXT>", "kept in the tasks' startedBy")
    .option("--tag <KEY=VALUE>", "a tag of the tasks; may be given several times", tags, [])
    .addOption(
      new Option("--propagate-tags <FROM>", "further tags, from the task definition").choices([
        "TASK_DEFINITION",
        "NONE",
      ]),
    )
    .option("--enable-ecs-managed-tags", "a tag aws:ecs:clusterName that names the cluster")
    .addOption(
      new Option("--wait [FOR]", "until they have run to their end, or are `running`")
        .choices(["running", "stopped"])
        .preset("stopped"),
    )
    .option(
      "--wait-for-capacity <SECONDS>",
      "how long a task may wait for room; without it no room is a failure at once",
      seconds,
    )
    .option("--timeout <SECONDS>", "how long --wait may take", seconds, 300)
    .addHelpText(
      "after",
      `
Exit code 1 if a task could not be placed, did not start, or (with --wait) did not end with exit code 0.

Examples:
  $ davit run migrate                          one task of the newest revision
  $ davit run migrate:3 --wait                 and wait for its end
  $ davit run worker --count 10 --wait-for-capacity 60
  $ davit run report --tag team=blue --propagate-tags TASK_DEFINITION
  $ davit run -f run-task.json                 overrides and all`,
    )
    .action((definition: string | undefined, options: Options) =>
      withApi(options, (api) => run(api, requests(definition, options), options)),
    );
  withApiOptions(withObjectOutput(command));
}

function requests(definition: string | undefined, options: Options): RunRequest[] {
  if ((definition === undefined) === (options.filename === undefined))
    throw new UsageError("name either a FAMILY[:N], or a file with -f.");
  if (options.filename !== undefined)
    return requestsIn(options.filename).map(({ spec, count }) => ({ spec: withTagOptions(spec, options), count }));
  const spec = {
    taskDefinition: definition ?? "",
    ...(options.cluster && { cluster: options.cluster }),
    ...(options.startedBy && { startedBy: options.startedBy }),
  };
  return [{ spec: withTagOptions(spec, options), count: options.count }];
}

/** What is typed wins over what a file says. */
function withTagOptions(spec: TaskSpec, { tag, propagateTags, enableEcsManagedTags }: Options): TaskSpec {
  const tags = mergeTags(tag, spec.tags);
  return {
    ...spec,
    ...(tags && tags.length > 0 && { tags: [...tags] }),
    ...(propagateTags && { propagateTags }),
    ...(enableEcsManagedTags && { enableECSManagedTags: true }),
  };
}

async function run(api: Api, wanted: readonly RunRequest[], options: Options): Promise<void> {
  const names: string[] = [];
  for (const request of wanted)
    for (const { metadata } of await start(api, request, options.namespace)) names.push(metadata.name);
  const { placed, failures } = await awaitPlacement(api, names, options);
  const started = placed.map(({ metadata }) => metadata.name);
  const waited = options.wait && started.length > 0;
  const { tasks, failure } = waited ? await awaitState(api, started, options) : { tasks: placed };
  await printObjects(findResource("task"), tasks, options.output, "started");
  if (failures.length > 0)
    throw new Failure(
      `${failures.length} of ${names.length} tasks could not be run:\n${failures.map((line) => `  ${line}`).join("\n")}`,
    );
  if (failure) throw failure;
}

async function start(api: Api, { spec, count }: RunRequest, namespace: string): Promise<Task[]> {
  const { spec: definition } = await runnableRevision(api, spec.taskDefinition, namespace);
  const tags = spec.propagateTags === "TASK_DEFINITION" ? mergeTags(spec.tags, definition.tags) : spec.tags;
  const pinned = {
    ...spec,
    taskDefinition: `${definition.family}:${definition.revision}`,
    ...(tags && { tags: [...tags] }),
  };
  const made: Task[] = [];
  for (let each = 0; each < count; each += 1) made.push(await createTask(api, pinned, definition.family, namespace));
  return made;
}
