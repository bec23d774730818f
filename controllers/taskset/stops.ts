// How a pass over a service's task sets stops tasks: each as what it was judged to be, or not at all.
import type { Task } from "../../api/types.gen.js";
import { ApiError, type ObjectClient } from "../../client/object-client.js";
import type { RollingTaskState } from "../../state-machines/rolling.js";
import type { Deps } from "../deps.js";
import { MANAGER } from "../labels.js";
import { inParallel } from "../parallel.js";
import { isStopped } from "../task/view.js";
import type { Pass } from "./actions.js";
import { isLeavingTask, stateOf, type TasksPlan } from "./plan.js";

type StopDeps = Pick<Deps, "objects" | "now">;
type StopPass = Pick<Pass, "machines" | "graceMs" | "nowMs">;

/** ECS's words for a task that its service stops because it is UNHEALTHY. */
export const FAILED_HEALTH_CHECKS = "Task failed container health checks";

/** Davit's own words for a task that leaves a machine that drains: ECS has none. */
export const drainingReason = (instance: string): string => `Container instance (instance ${instance}) is draining`;

/** @returns the tasks that were asked to stop */
export async function stopAll(
  deps: StopDeps,
  client: ObjectClient,
  pass: StopPass,
  { stops }: Pick<TasksPlan, "stops">,
): Promise<Task[]> {
  const asked: Task[] = [];
  await inParallel(stops, async (task) => {
    const stopped = await stopOne(deps, client, pass, task);
    if (stopped) asked.push(stopped);
  });
  return asked;
}

/** Lost races over one task's stop before its pass ends and is run again. */
const MAX_ATTEMPTS = 10;

/**
 * Stops the task as what it was judged to be, or not at all: one that was only starting, and had to go for that, may
 * have become one that the floor needs. Of that the next pass decides.
 */
async function stopOne(
  { objects, now }: StopDeps,
  client: ObjectClient,
  pass: StopPass,
  task: Task,
): Promise<Task | undefined> {
  const { uid } = task.metadata;
  const state = stateIn(pass, task, pass.nowMs);
  const stop = { desiredStatus: "STOPPED", stopCode: "ServiceSchedulerInitiated", stopReason: reasonOf(task, pass) };
  let current = objects.newest("Task", task.metadata);
  for (let attempt = 1; ; attempt++) {
    if (current?.metadata.uid !== uid || isStopped(current) || stateIn(pass, current, now()) !== state)
      return undefined;
    const { resourceVersion } = current.metadata;
    const patch = { metadata: { uid, resourceVersion }, spec: stop };
    try {
      const stopped = await client.patch("Task", task.metadata, patch, { fieldManager: MANAGER });
      objects.wrote("Task", stopped);
      return stopped;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.code === 404) return undefined;
      if (error.code !== 409 || attempt === MAX_ATTEMPTS) throw error;
      current = await client.get("Task", task.metadata);
    }
  }
}

const stateIn = ({ graceMs, machines }: StopPass, task: Task, nowMs: number): RollingTaskState =>
  stateOf(task, nowMs, graceMs, machines?.silent);

function reasonOf(task: Task, pass: StopPass): string {
  const { nowMs, machines } = pass;
  if (stateIn(pass, task, nowMs) === "unhealthy") return FAILED_HEALTH_CHECKS;
  const { containerInstance, startedBy = "" } = task.spec;
  if (containerInstance !== undefined && isLeavingTask(task, machines)) return drainingReason(containerInstance);
  return `Scaling activity initiated by (deployment ${startedBy})`;
}
