// What there is to say about the engine's records to people: who lives, who is nobody's, what does not work. Pure.
import type { TaskId } from "../../bus/messages.js";
import type { ContainerRecord, TaskRecord } from "./record.js";

type Records = Iterable<Readonly<TaskRecord>>;

export interface LeftTask {
  task: TaskId;
  namespace: string;
  name: string;
}

/** Tasks that are not down. */
export const liveTasks = (records: Records): LeftTask[] =>
  [...records]
    .filter(({ state, desired }) => state !== "STOPPED" && desired !== "LET_GO")
    .map(({ task, namespace, name }) => ({ task, namespace, name }));

/** The runtime's ids of what runs, by task. */
export function runningContainers(records: Records): Map<TaskId, string[]> {
  const byTask = new Map<TaskId, string[]>();
  for (const { task, containers } of records)
    for (const { observed } of containers.values())
      if (observed?.lastStatus === "RUNNING") byTask.set(task, [...(byTask.get(task) ?? []), observed.id]);
  return byTask;
}

/** Containers of tasks that are not assigned (any more): alive, or not removed in time. */
export function strays(records: Records, nowMs: number, hangingMs: number) {
  return [...records].flatMap(({ task, desired, keepUntilMs, containers }) =>
    desired !== "ABSENT"
      ? []
      : [...containers.values()].flatMap(({ observed }) =>
          observed && (observed.lastStatus === "RUNNING" || nowMs > keepUntilMs + hangingMs)
            ? [{ id: observed.id, name: observed.runtimeName, task, deliberate: false }]
            : [],
        ),
  );
}

/** So many failures in a row are no accident. */
const FAILURES = 3;

/** One sentence for each container that does not stop, or cannot be removed or renamed. */
export function troubles(records: Records, nowMs: number, hangingMs: number): string[] {
  return [...records].flatMap((task) =>
    [...task.containers.values()].flatMap((container) => {
      const trouble = troubleOf(task, container, nowMs, hangingMs);
      return trouble === undefined ? [] : [trouble];
    }),
  );
}

function troubleOf(
  task: Readonly<TaskRecord>,
  { observed, graceMs, attempts, trouble, name }: ContainerRecord,
  nowMs: number,
  hangingMs: number,
): string | undefined {
  const words = trouble === undefined ? "" : `: ${trouble}`;
  const who = `${observed?.runtimeName ?? name} of task ${task.task}`;
  const goesDown = task.cause !== undefined && (task.desired !== "UNKNOWN" || task.lostForMs !== undefined);
  if (goesDown && observed?.lastStatus === "RUNNING") {
    const hangsForMs = nowMs - task.sinceMs - graceMs;
    return hangsForMs < hangingMs ? undefined : `${who} does not stop, for ${Math.round(hangsForMs / 1000)} s${words}`;
  }
  if (attempts < FAILURES || observed === undefined) return undefined;
  if (task.desired === "ABSENT") return `${who} cannot be removed${words}`;
  if (task.desired === "LET_GO") return `${who} cannot be renamed${words}`;
  return undefined;
}
