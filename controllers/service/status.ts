// A service's status, as a whole, from what is seen. Pure.
import type { Arns } from "../../api/arn.js";
import { getCondition, setCondition } from "../../api/conditions.js";
import type { Condition } from "../../api/meta.js";
import type { Deployment, Service, ServiceStatus, TaskSet } from "../../api/types.gen.js";
import { advanceDeployment, type DeploymentState, ecsDeploymentStatus } from "../../state-machines/deployment.js";
import { ignoredCondition } from "../ignored.js";
import { LABEL, labelValue } from "../labels.js";
import { STUCK } from "../taskset/status.js";
import { desiredCountOf, type Problem, type SetView } from "./plan.js";
import { deploymentId } from "./template.js";

export interface ServiceFacts {
  cluster: string;
  serviceName: string;
  sets: readonly SetView[];
  /** Name of the task set that is wanted. */
  primary?: string;
  problem?: Problem;
  /** Why a task of it has no machine. */
  unplaced?: string;
  /** The start throttle is at work. */
  throttled: boolean;
  /** Why the newest task of it that never became healthy has stopped. Only asked for when the service is not steady. */
  lastFailure: () => string | undefined;
  arns: Arns;
  nowMs: number;
}

/** Everything but the events. */
export function serviceStatus(service: Service, facts: ServiceFacts): ServiceStatus {
  const { metadata, status = {} } = service;
  const { cluster, serviceName, arns } = facts;
  const primary = facts.sets.find(({ set }) => set.metadata.name === facts.primary);
  const state = deploymentState(service, facts, primary);
  const sum = (of: "running" | "pending" | "healthy") =>
    facts.sets.reduce((total, { counts }) => total + counts[of], 0);
  const deleting = metadata.deletionTimestamp !== undefined;
  const next: ServiceStatus = {
    ...status,
    observedGeneration: metadata.generation,
    serviceArn: arns.service(cluster, serviceName),
    clusterArn: arns.cluster(cluster),
    createdAt: status.createdAt ?? metadata.creationTimestamp,
    status: deleting ? "DRAINING" : "ACTIVE",
    desiredCount: desiredCountOf(service),
    runningCount: sum("running"),
    pendingCount: sum("pending"),
    healthyCount: sum("healthy"),
    selector: `${LABEL.service}=${labelValue(metadata.name)}`,
    deployments: deploymentsOf(service, facts, state),
  };
  if (primary) {
    next.taskDefinition = primary.set.spec.taskDefinition;
    next.deploymentState = state;
  }
  next.conditions = conditionsOf(service, facts, { primary, state });
  return next;
}

/** All its tasks healthy, as many as are wanted, and none of another deployment left. */
export function isSteady(service: Service, { sets, primary, problem }: ServiceFacts): boolean {
  const desired = desiredCountOf(service);
  return (
    problem === undefined &&
    sets.some(({ set }) => set.metadata.name === primary) &&
    sets.every(({ set, counts }) =>
      set.metadata.name === primary
        ? counts.healthy === desired && counts.alive === desired && set.spec.desiredCount === desired
        : counts.alive === 0,
    )
  );
}

/** The machine's state for the deployment that is wanted; another task set begins anew. */
function deploymentState(service: Service, facts: ServiceFacts, primary: SetView | undefined): DeploymentState {
  const before = service.status?.deployments?.find(({ status }) => status === "PRIMARY");
  const same = primary !== undefined && before?.id === deploymentId(primary.set.metadata.uid);
  const state = same
    ? ((service.status?.deploymentState as DeploymentState | undefined) ?? "IN_PROGRESS")
    : "IN_PROGRESS";
  return isSteady(service, facts) ? advanceDeployment(state, "STEADY").state : state;
}

/** The newest first; those without tasks are gone (ECS shows them no longer). */
function deploymentsOf(service: Service, facts: ServiceFacts, state: DeploymentState): Deployment[] {
  const known = service.status?.deployments ?? [];
  const deployments = facts.sets
    .filter(({ set, counts }) => set.metadata.name === facts.primary || counts.alive > 0)
    .sort((a, b) => rank(b.set, facts) - rank(a.set, facts))
    .map((view) => deploymentOf(view, known, facts, view.set.metadata.name === facts.primary ? state : "SUPERSEDED"));
  const same = deployments.length === known.length && deployments.every((each, at) => each === known[at]);
  return same ? known : deployments;
}

const rank = (set: TaskSet, { primary }: ServiceFacts): number =>
  set.metadata.name === primary ? Number.POSITIVE_INFINITY : Date.parse(set.metadata.creationTimestamp);

/** The known record where nothing has changed. */
function deploymentOf(
  { set, counts }: SetView,
  known: readonly Deployment[],
  { nowMs }: ServiceFacts,
  state: DeploymentState,
): Deployment {
  const id = deploymentId(set.metadata.uid);
  const before = known.find((deployment) => deployment.id === id);
  const { launchType, networkConfiguration } = set.spec;
  const next: Deployment = {
    id,
    ...ecsDeploymentStatus(state, before?.rolloutState ?? "IN_PROGRESS"),
    taskDefinition: set.spec.taskDefinition,
    taskSet: set.metadata.name,
    desiredCount: state === "SUPERSEDED" ? counts.wanted : set.spec.desiredCount,
    pendingCount: counts.pending,
    runningCount: counts.running,
    failedTasks: set.status?.failedTasks ?? 0,
    createdAt: before?.createdAt ?? new Date(nowMs).toISOString(),
    updatedAt: before?.updatedAt ?? new Date(nowMs).toISOString(),
    ...(launchType && { launchType }),
    ...(networkConfiguration && { networkConfiguration }),
  };
  next.rolloutStateReason =
    next.rolloutState === "COMPLETED" ? `ECS deployment ${id} completed.` : `ECS deployment ${id} in progress.`;
  if (before !== undefined && isSame(before, next)) return before;
  return { ...next, updatedAt: new Date(nowMs).toISOString() };
}

const isSame = (a: Deployment, b: Deployment): boolean =>
  a.status === b.status &&
  a.rolloutState === b.rolloutState &&
  a.desiredCount === b.desiredCount &&
  a.pendingCount === b.pendingCount &&
  a.runningCount === b.runningCount &&
  a.failedTasks === b.failedTasks;

function conditionsOf(
  service: Service,
  facts: ServiceFacts,
  { primary, state }: { primary: SetView | undefined; state: DeploymentState },
): Condition[] {
  const { nowMs } = facts;
  const { generation: observedGeneration } = service.metadata;
  const set = (conditions: readonly Condition[] | undefined, type: string, { ok, reason, message }: Word) =>
    setCondition(conditions, { type, status: ok ? "True" : "False", reason, message, observedGeneration }, nowMs);

  let conditions = set(service.status?.conditions, "Ready", readyWord(service, facts, primary));
  conditions = set(conditions, "Progressing", progressWord(state, primary));
  return ignoredCondition(conditions, "Service", service.spec, observedGeneration, nowMs);
}

interface Word {
  ok: boolean;
  reason: string;
  message: string;
}

/** What keeps the service from being as it should, the plainest first. */
function readyWord(service: Service, facts: ServiceFacts, primary: SetView | undefined): Word {
  const desired = desiredCountOf(service);
  const no = (reason: string, message: string): Word => ({ ok: false, reason, message });
  if (service.metadata.deletionTimestamp !== undefined) return no("Draining", "The service is being deleted.");
  if (facts.problem) return no(facts.problem.reason, facts.problem.message);
  if (isSteady(service, facts)) return { ok: true, reason: "SteadyState", message: "" };
  if (facts.unplaced !== undefined) return no("NoRoom", `A task has no container instance: ${facts.unplaced}`);
  const failure = facts.lastFailure();
  const because = failure === undefined ? "" : ` The last one that failed: ${failure}`;
  if (facts.throttled) return no("StartThrottled", `Tasks stop before they run: starts are slowed down.${because}`);
  const stuck = getCondition(primary?.set.status?.conditions, "Ready");
  if (stuck?.reason === STUCK) return no(STUCK, stuck.message);
  const { healthy = 0, running = 0 } = primary?.counts ?? {};
  if (healthy >= desired)
    return no("Deploying", `${healthy} of ${desired} tasks are healthy; others are still to stop.`);
  const young = running > healthy ? " What runs counts once its checks pass, or after minHealthySeconds." : "";
  return no("Deploying", `${healthy} of ${desired} tasks are healthy.${because || young}`);
}

const progressWord = (state: DeploymentState, primary: SetView | undefined): Word =>
  primary === undefined
    ? { ok: false, reason: "NoDeployment", message: "" }
    : state === "COMPLETED"
      ? { ok: false, reason: "DeploymentCompleted", message: "" }
      : { ok: true, reason: "DeploymentInProgress", message: "" };
