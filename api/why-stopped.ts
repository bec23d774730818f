// Why a task stopped, in one line for people: ECS says it half in the task, half in its containers.
import type { TaskStatus } from "./types.gen.js";

/** `Task failed to start (main: CannotPullContainerError: …)`, `Essential container in task exited (main: exit code 3)`;
 *  empty where nothing is known. */
export function whyStopped({ stoppedReason, stopCode, containers = [] }: TaskStatus): string {
  const details = containers.flatMap(({ name = "", reason, exitCode }) => {
    const told = [exitCode === undefined ? undefined : `exit code ${exitCode}`, reason].filter(Boolean).join(", ");
    return told === "" || stoppedReason?.includes(told) ? [] : [`${name}: ${told}`];
  });
  const why = stoppedReason ?? stopCode ?? "";
  return details.length === 0 ? why : `${why} (${details.join("; ")})`.trim();
}
