import type { Condition } from "../../api/meta.js";
import type { Service } from "../../api/types.gen.js";
import { isBehind } from "../api/followed-revision.js";

export interface Rollout {
  state: "over" | "going" | "failed";
  /** One sentence. */
  text: string;
}

/** How a service's newest deployment stands. Pure.
 *  @param followed the revision that it is to be of, if that is known */
export function rolloutOf(service: Service, followed?: string): Rollout {
  const { metadata, status, spec } = service;
  const name = `service ${metadata.name}`;
  if (status === undefined || (status.observedGeneration ?? 0) < metadata.generation)
    return { state: "going", text: `${name}: the change is not seen yet` };
  const refused = findFalse(status.conditions, "Accepted");
  if (refused) return { state: "failed", text: `${name}: ${refused.reason}: ${refused.message}` };
  const primary = status.deployments?.find((one) => one.status === "PRIMARY");
  const counts = `${primary?.runningCount ?? 0} of ${primary?.desiredCount ?? spec.desiredCount ?? 1} tasks of ${primary?.taskDefinition ?? spec.taskDefinition}`;
  if (primary?.rolloutState === "FAILED")
    return { state: "failed", text: `${name}: the deployment failed: ${primary.rolloutStateReason ?? counts}` };
  const ready = status.conditions?.find(({ type }) => type === "Ready");
  if (ready?.status === "True" && isBehind(service, followed))
    return { state: "going", text: `${name}: the new revision ${followed} is not seen yet` };
  if (ready?.status === "True" && primary?.rolloutState !== "IN_PROGRESS")
    return { state: "over", text: `${name} is rolled out: ${counts} run` };
  const why = ready?.status === "False" && ready.message ? `; ${ready.message}` : "";
  return { state: "going", text: `${name}: ${counts} run, ${status.healthyCount ?? 0} healthy${why}` };
}

const findFalse = (conditions: Condition[] | undefined, type: string): Condition | undefined =>
  conditions?.find((one) => one.type === type && one.status === "False");
