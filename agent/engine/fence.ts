// After a sync answer, what is no longer this machine's goes before anything new comes: a lost task whose place was
// given away must not meet its successor, and its port or its name must be free again. A stop that hangs holds starts
// back for as long as it hangs, but says so, and lets reports out after a while.

import type { Log } from "../../api/log.js";
import { stillDown } from "./plan.js";
import type { ContainerRecord, TaskRecord } from "./record.js";

export interface Fence {
  /** This task has to go first. */
  add(task: TaskRecord): void;
  /** Something about this task has changed. */
  look(task: TaskRecord): void;
  /** Nothing may be created or started now. */
  holds(): boolean;
  /** Resolves when nothing is in the way any more, or when that takes too long; undefined if nothing is. */
  clearing(): Promise<void> | undefined;
  /** What it says once it takes too long: which containers hold everything up. */
  problems(): string[];
  close(): void;
}

/** Alive, or still to be removed. A dead container whose removal fails is in nobody's way. */
const inTheWay = (container: ContainerRecord): boolean =>
  !stillDown(container) ||
  ((container.observed !== undefined || container.busy === "remove") && container.attempts === 0);

export function createFence(deps: {
  tasks: ReadonlyMap<string, TaskRecord>;
  /** On top of the longest stop timeout. */
  hangingMs: number;
  log: Log;
  onDown(): void;
}): Fence {
  const { tasks, log } = deps;
  const waiting = new Set<TaskRecord>();
  let clear: { done: Promise<void>; resolve(): void } | undefined;
  let timer: NodeJS.Timeout | undefined;
  let late = false;

  const blocking = (task: TaskRecord): ContainerRecord[] =>
    tasks.get(task.key) === task ? [...task.containers.values()].filter(inTheWay) : [];
  const names = (): string[] =>
    [...waiting].flatMap((task) =>
      blocking(task).map(({ name, observed }) => `${observed?.runtimeName ?? name} of task ${task.task}`),
    );

  function raise(): void {
    let resolve = () => {};
    const done = new Promise<void>((then) => {
      resolve = then;
    });
    clear = { done, resolve };
    const longestMs = Math.max(...[...waiting].flatMap((task) => blocking(task).map(({ graceMs }) => graceMs)));
    timer = setTimeout(() => {
      late = true;
      log.error(
        { containers: names() },
        "containers that are no longer this machine's do not stop: nothing new is started before they are gone",
      );
      clear?.resolve();
    }, longestMs + deps.hangingMs);
  }

  function lower(): void {
    clearTimeout(timer);
    clear?.resolve();
    clear = undefined;
    if (late) log.info({}, "what was no longer this machine's is gone: tasks start again");
    late = false;
    deps.onDown();
  }

  return {
    add(task) {
      if (blocking(task).length === 0) return;
      waiting.add(task);
      if (!clear) raise();
    },
    look(task) {
      if (!waiting.has(task) || blocking(task).length > 0) return;
      waiting.delete(task);
      if (waiting.size === 0) lower();
    },
    holds: () => waiting.size > 0,
    clearing: () => (late ? undefined : clear?.done),
    problems: () =>
      late
        ? names().map((name) => `${name} is not this machine's any more and does not stop: nothing new is started`)
        : [],
    close: () => clearTimeout(timer),
  };
}
