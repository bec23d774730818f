// Agents' reports into tasks' status; what is answered is on disk.
import { ecsId } from "../../api/arn.js";
import type { Task } from "../../api/types.gen.js";
import type { TaskReport } from "../../bus/messages.js";
import type { Deps } from "../deps.js";
import { foldReport } from "./fold.js";

/** A task without any check counts as healthy so long after RUNNING where its service says nothing (decision C7). */
const MIN_HEALTHY_SECONDS = 40;

export interface Reports {
  /** @returns whether the control plane knows the task, on this machine. Resolves after the commit. */
  fold(instance: string, report: TaskReport): Promise<boolean>;
}

export function createReports({ world, objects, client, now, arnsOf }: Deps): Reports {
  const isIt = (task: Task, instance: string, report: TaskReport): boolean =>
    ecsId(task.metadata.uid) === report.task && task.spec.containerInstance === instance;

  return {
    async fold(instance, report) {
      const ref = { namespace: report.namespace, name: report.name };
      // A cache may be a moment behind; "unknown" makes an agent remove containers, so the store itself is asked.
      const known = objects.newest("Task", ref) ?? (await client.get("Task", ref));
      if (known === undefined || !isIt(known, instance, report)) return false;
      await objects.changeStatus("Task", ref, (task) => {
        if (!isIt(task, instance, report)) return undefined;
        const { address, hostname } = world.instanceOf(task)?.status ?? {};
        return foldReport(task, report, {
          nowMs: now(),
          definitions: world.definitionOf(task)?.containerDefinitions ?? [],
          minHealthySeconds: minHealthySeconds(world, task),
          address: address ?? hostname ?? "",
          arns: arnsOf(task.metadata.namespace),
        });
      });
      return true;
    },
  };
}

/** The service's; a task that no service counts is healthy when it runs. */
function minHealthySeconds(world: Deps["world"], task: Task): number {
  const set = world.taskSetOf(task);
  if (set === undefined) return 0;
  const service = world.informers.Service.get({ namespace: set.metadata.namespace, name: set.spec.service });
  return service?.spec.deploymentConfiguration?.minHealthySeconds ?? MIN_HEALTHY_SECONDS;
}
