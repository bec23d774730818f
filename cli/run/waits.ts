// Until tasks that a command started are placed, run, or have ended; and what failed of them.
import type { ApiObject, Condition } from "../../api/meta.js";
import type { Task } from "../../api/types.gen.js";
import { whyStopped } from "../../api/why-stopped.js";
import type { Api } from "../api/api.js";
import { waitForObjects } from "../api/objects.js";
import { findResource, pathOf } from "../api/resources.js";
import { Failure } from "../failure.js";
import { progress } from "../output/terminal.js";

export interface WaitOptions {
  namespace: string;
  wait?: true | "running" | "stopped";
  /** Seconds. */
  waitForCapacity?: number;
  /** Seconds. */
  timeout: number;
}

/** How long the control plane may take to say whether there is room. */
const PLACED_WITHIN_MS = 15_000;
const TASKS = findResource("task");

export const failing = (conditions: Condition[] | undefined, type: string): Condition | undefined =>
  conditions?.find((one) => one.type === type && one.status === "False");

export interface Placement {
  /** They have a machine. */
  placed: Task[];
  /** One sentence for each of the others. */
  failures: string[];
}

/** Until each has a machine. Those that find none are deleted. */
export async function awaitPlacement(api: Api, names: string[], options: WaitOptions): Promise<Placement> {
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
  return { placed: tasks.filter(({ spec }) => spec.containerInstance !== undefined), failures };
}

/** Until each runs, or has ended: the tasks as they are then, and how those failed that did. */
export async function awaitState(
  api: Api,
  names: string[],
  options: WaitOptions,
): Promise<{ tasks: Task[]; failure?: Failure }> {
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

/** Has stopped, and not by its containers' own end with exit code 0. */
export const hasFailed = ({ status }: Task): boolean =>
  status?.lastStatus === "STOPPED" &&
  (status.stopCode !== "EssentialContainerExited" ||
    (status.containers ?? []).some(({ exitCode }) => exitCode !== undefined && exitCode !== 0));

async function waitForTasks(
  api: Api,
  names: string[],
  { namespace }: WaitOptions,
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
