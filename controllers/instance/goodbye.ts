// What an agent's goodbye means for its machine and its tasks (decision A16).
import { keyOf } from "../../api/references.js";
import type { Goodbye } from "../../bus/messages.js";
import type { Ref } from "../../client/object-client.js";
import type { Deps } from "../deps.js";
import { inParallel } from "../parallel.js";
import { isAssigned } from "../task/assignment.js";
import { hostGone, strandedStatus } from "../task/lost-status.js";
import type { Connectivity } from "./connectivity.js";
import { LEFT, leaving } from "./departure.js";

/** If a write fails, the machine is one that has fallen silent. */
export function createGoodbye(deps: Deps, connectivity: Connectivity): (instance: Ref, kind: Goodbye["kind"]) => void {
  const { objects, now, log } = deps;

  async function part(ref: Ref, kind: Goodbye["kind"]): Promise<void> {
    switch (kind) {
      case "restart":
        return connectivity.gone(ref);
      case "stop":
        await connectivity.gone(ref);
        return machineStopped(deps, ref);
      case "leave":
        await objects.changeStatus("ContainerInstance", ref, (current) => leaving(current, LEFT, false, now()));
    }
  }
  return (instance, kind) => {
    part(instance, kind).catch((error) =>
      log.warn({ instance: keyOf(instance), kind, error: String(error) }, "a goodbye is not written"),
    );
  };
}

/** Its containers stop with it, whatever its tasks' policies for silent machines are. */
async function machineStopped({ world, objects, now }: Deps, ref: Ref): Promise<void> {
  const instance = objects.newest("ContainerInstance", ref);
  if (instance === undefined) return;
  const words = { stopCode: "TerminationNotice" as const, stopReason: hostGone(instance) };
  await inParallel(world.tasksOn(ref), async ({ metadata }) => {
    await objects.changeStatus("Task", metadata, (task) =>
      isAssigned(task) ? strandedStatus(task, words, "MachineStopped", now()) : undefined,
    );
  });
}
