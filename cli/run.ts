import { randomBytes } from "node:crypto";
import { type Command, Option } from "commander";
import type { ApiObject, Condition } from "../api/meta.js";
import type { Task, TaskDefinition, TaskDefinitionRevision } from "../api/types.gen.js";
import { whyStopped } from "../api/why-stopped.js";
import { type ApiOptions, withApi, withApiOptions } from "./api/connect.js";
import type { Api } from "./api/http.js";
import { resolve } from "./api/names.js";
import { fetchList, waitForObjects } from "./api/objects.js";
import { findResource, pathOf } from "./api/resources.js";
import { count, seconds } from "./arguments.js";
import { Failure } from "./failure.js";
import { listOf, serialize } from "./output/format.js";
import { print, progress } from "./output/terminal.js";

interface Options extends ApiOptions {
  count: number;
  cluster?: string;
  startedBy?: string;
  wait?: true | "running" | "stopped";
  waitForCapacity?: number;
  timeout: number;
  output?: "json" | "yaml" | "name";
}

/** Marks a task as made by a command: it may be removed some time after it has stopped. */
const RUN_LABEL = "davit.dev/run";
/** How long the control plane may take to say whether there is room. */
const PLACED_WITHIN_MS = 15_000;
const TASKS = findResource("task");

export function define(command: Command): void {
  command
    .argument("<definition>", "FAMILY (its newest revision) or FAMILY:N")
    .option("--count <N>", "how many tasks", count, 1)
    .option("--cluster <NAME>", "in this cluster")
    .option("--started-by <TEXT>", "kept in the tasks' startedBy")
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
    .addOption(
      new Option("-o, --output <FORMAT>", "the tasks as json, yaml, or by name").choices(["json", "yaml", "name"]),
    )
    .addHelpText(
      "after",
      `
Exit code 1 if a task could not be placed, did not start, or (with --wait) did not end with exit code 0.

Examples:
  $ davit run migrate                          one task of the newest revision
  $ davit run migrate:3 --wait                 and wait for its end
  $ davit run migrate -o json | jq -r .metadata.name
  $ davit run worker --count 10 --wait-for-capacity 60`,
    )
    .action((definition: string, options: Options) => withApi(options, (api) => run(api, definition, options)));
  withApiOptions(command);
}

async function run(api: Api, typed: string, options: Options): Promise<void> {
  const revision = await runnableRevision(api, typed, options.namespace);
  const made: Task[] = [];
  for (let each = 0; each < options.count; each += 1) made.push(await createTask(api, revision, options));
  const names = made.map(({ metadata }) => metadata.name);
  const placed = await awaitPlacement(api, names, options);
  const { tasks, failure } = options.wait ? await awaitState(api, names, options) : { tasks: placed };
  await printTasks(tasks, options.output ?? "name");
  if (failure) throw failure;
}

async function printTasks(tasks: readonly Task[], output: "json" | "yaml" | "name"): Promise<void> {
  if (output === "name") for (const { metadata } of tasks) print(`task.davit.dev/${metadata.name}`);
  else print(await serialize(tasks.length === 1 ? tasks[0] : listOf(tasks), output));
}

/** The revision to run. @throws Failure if there is none that can be run: a command says so at once */
async function runnableRevision(api: Api, typed: string, namespace: string): Promise<TaskDefinitionRevision> {
  const arn = typed.startsWith("arn:") ? typed.slice(typed.lastIndexOf("/") + 1) : typed;
  const [family = "", number] = arn.split(":");
  let wanted = arn;
  if (number === undefined) {
    const definition = (await resolve(api, findResource("taskdefinition"), namespace, family)) as TaskDefinition;
    const ready = failing(definition.status?.conditions, "Ready");
    if (!definition.status?.latestRevision)
      throw new Failure(
        `task definition ${family} has no revision yet${ready ? `: ${ready.message}` : "; try again in a moment"}.`,
      );
    wanted = definition.status.latestRevision;
  }
  const revisions = (await fetchList(api, findResource("taskdefinitionrevision"), namespace))
    .items as TaskDefinitionRevision[];
  const revision = revisions.find(({ spec }) => `${spec.family}:${spec.revision}` === wanted);
  if (!revision) throw new Failure(`there is no task definition ${wanted} in namespace ${namespace}.`);
  if (revision.status?.status === "INACTIVE") throw new Failure(`TaskDefinition is inactive: ${wanted}.`);
  const refused = failing(revision.status?.conditions, "Runnable");
  if (refused) throw new Failure(`${wanted} can't be run: ${refused.message}`);
  return revision;
}

const failing = (conditions: Condition[] | undefined, type: string): Condition | undefined =>
  conditions?.find((one) => one.type === type && one.status === "False");

async function createTask(api: Api, { spec }: TaskDefinitionRevision, options: Options): Promise<Task> {
  const base =
    spec.family
      .toLowerCase()
      .replace(/[^a-z0-9-]+/g, "-")
      .replace(/^-+|-+$/g, "")
      .slice(0, 50) || "task";
  const body = {
    apiVersion: "davit.dev/v1",
    kind: "Task",
    metadata: {
      name: `${base}-${randomBytes(4).toString("hex")}`,
      namespace: options.namespace,
      labels: { [RUN_LABEL]: "true" },
    },
    spec: {
      taskDefinition: `${spec.family}:${spec.revision}`,
      ...(options.cluster && { cluster: options.cluster }),
      ...(options.startedBy && { startedBy: options.startedBy }),
    },
  };
  return (await api.call(`${pathOf(TASKS, options.namespace)}?fieldManager=davit-run`, {
    method: "POST",
    body,
  })) as Task;
}

/** Until each has a machine. Those that find none are deleted and reported. */
async function awaitPlacement(api: Api, names: string[], options: Options): Promise<Task[]> {
  const patienceMs = (options.waitForCapacity ?? 0) * 1000;
  const since = performance.now();
  const waiting = progress();
  const decided = (task: Task): boolean =>
    task.spec.containerInstance !== undefined ||
    task.status?.lastStatus === "STOPPED" ||
    (failing(task.status?.conditions, "Placed") !== undefined && performance.now() - since >= patienceMs);
  const tasks = await waitForTasks(api, names, options, Math.max(patienceMs, PLACED_WITHIN_MS), (list) => {
    waiting.show(`${list.filter(decided).length} of ${names.length} tasks placed …`);
    return list.length === names.length && list.every(decided) ? list : undefined;
  });
  waiting.done();
  const homeless = tasks.filter(
    ({ spec, status }) => spec.containerInstance === undefined && status?.lastStatus !== "STOPPED",
  );
  const failures = homeless.map(
    (task) => `${task.metadata.name}: ${failing(task.status?.conditions, "Placed")?.message ?? "no machine was found"}`,
  );
  for (const { metadata } of homeless)
    await api.call(pathOf(TASKS, options.namespace, metadata.name), { method: "DELETE" });
  const broken = tasks.filter(
    ({ spec, status }) => spec.containerInstance === undefined && status?.lastStatus === "STOPPED",
  );
  failures.push(...broken.map((task) => `${task.metadata.name}: ${whyStopped(task.status ?? {})}`));
  if (failures.length > 0)
    throw new Failure(
      `${failures.length} of ${names.length} tasks could not be run:\n${failures.map((line) => `  ${line}`).join("\n")}`,
    );
  return tasks;
}

/** The tasks as they are then, and how those failed that did: they are shown all the same. */
async function awaitState(api: Api, names: string[], options: Options): Promise<{ tasks: Task[]; failure?: Failure }> {
  const over = (task: Task): boolean =>
    task.status?.lastStatus === "STOPPED" || (options.wait !== "stopped" && task.status?.lastStatus === "RUNNING");
  const waiting = progress();
  const tasks = await waitForTasks(api, names, options, options.timeout * 1000, (list) => {
    waiting.show(list.map(({ metadata, status }) => `${metadata.name} ${status?.lastStatus ?? "new"}`).join(", "));
    return list.length === names.length && list.every(over) ? list : undefined;
  });
  waiting.done();
  const failed = tasks.filter(hasFailed);
  if (failed.length === 0) return { tasks };
  const lines = failed.map(({ metadata, status = {} }) => `  ${metadata.name}: ${whyStopped(status)}`);
  return { tasks, failure: new Failure(`${failed.length} of ${names.length} tasks failed:\n${lines.join("\n")}`) };
}

const hasFailed = ({ status }: Task): boolean =>
  status?.lastStatus === "STOPPED" &&
  (status.stopCode !== "EssentialContainerExited" ||
    (status.containers ?? []).some(({ exitCode }) => exitCode !== undefined && exitCode !== 0));

async function waitForTasks(
  api: Api,
  names: string[],
  { namespace }: Options,
  timeoutMs: number,
  done: (tasks: Task[]) => Task[] | undefined,
): Promise<Task[]> {
  const pick = (objects: ReadonlyMap<string, ApiObject>): Task[] =>
    names.flatMap((name) => {
      const task = objects.get(name);
      return task ? [task as Task] : [];
    });
  return waitForObjects(
    { api, resource: TASKS, namespace, timeoutMs },
    (objects) => done(pick(objects)),
    () =>
      new Failure(
        `the tasks ${names.join(", ")} are not that far after ${timeoutMs / 1000} s; look at \`davit get tasks --all\`.`,
      ),
  );
}
