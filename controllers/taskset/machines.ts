// What of its machines matters to the plan of a service. Pure.
import type { ContainerInstance } from "../../api/types.gen.js";
import { isLeaving, isSilent } from "../instance/drain.js";

export interface MachineFacts {
  /** Names of machines that drain or leave: tasks on them are on their way out. */
  leaving: ReadonlySet<string>;
  /** Names of machines whose agent is not heard: how their tasks are is not known, so they count as not healthy,
   *  and no other task is stopped on their account. */
  silent: ReadonlySet<string>;
}

/** Undefined where all machines are as they should be: then no task needs to be looked at for it.
 *  @param apart the cluster's machines that drain, leave or are silent; others do no harm */
export function machineFacts(apart: readonly ContainerInstance[]): MachineFacts | undefined {
  if (apart.length === 0) return undefined;
  const names = (those: (instance: ContainerInstance) => boolean): Set<string> =>
    new Set(apart.filter(those).map(({ metadata }) => metadata.name));
  return { leaving: names(isLeaving), silent: names(isSilent) };
}
