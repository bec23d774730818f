// Makes tasks match the counts: all task sets of one service in one pass, so that floor and ceiling hold over them.
import { ecsId } from "../../api/arn.js";
import { getCondition } from "../../api/conditions.js";
import { clusterNameOf, serviceNameOf } from "../../api/names.js";
import { controllerOf, isControlledBy, parseKey } from "../../api/references.js";
import type { Service, Task, TaskDefinitionRevision, TaskSet } from "../../api/types.gen.js";
import { again, done } from "../../client/work-queue.js";
import { clusterKey } from "../cluster/keys.js";
import type { Reconcile } from "../deps.js";
import { createPace } from "../pace.js";
import { startedMessages, stoppedMessages, throttledMessage } from "../service/events.js";
import { desiredCountOf } from "../service/plan.js";
import { deploymentId } from "../service/template.js";
import { serviceGroup } from "../task/new.js";
import { nextHealthyMs } from "../task/view.js";
import { type Pass, startAll, type TaskSetDeps, writeStatuses } from "./actions.js";
import { THROTTLED_AFTER } from "./backoff.js";
import { drainingMachines, lastPlan } from "./last-plans.js";
import { machineFacts } from "./machines.js";
import { planTasks, type SetInput } from "./plan.js";
import { retire } from "./retention.js";
import { tellApart } from "./slots.js";
import { stopAll } from "./stops.js";

/** Starts per pass; the next one plans with what is seen by then. */
const MAX_STARTS = 512;
/** Between two passes over one service: a burst of changes is looked at once, and big services less often. */
const PASS_GAP_MS = 5;
const TASKS_PER_MS = 25;
/** Until another look, where a stop was left undone and no change seems to bring one. */
const LEFT_MS = 50;

/** Keys are those of services. */
export function createTaskSetReconciler(deps: TaskSetDeps): Reconcile {
  const { world, now, journal, scheduler, plans } = deps;
  const statusPace = createPace(now);
  const pace = createPace(now);

  return async (serviceKey, client) => {
    const waitMs = pace.wait(serviceKey);
    if (waitMs > 0) return again(waitMs);
    const service = world.informers.Service.get(parseKey(serviceKey));
    // Its task sets and tasks go with it: collected by owner references.
    if (service === undefined) {
      plans.planned(serviceKey, undefined, []);
      return done();
    }
    const pass = gather(deps, service);
    const tasks = pass.sets.reduce((sum, { alive }) => sum + alive.length, 0);
    pace.did(serviceKey, PASS_GAP_MS + tasks / TASKS_PER_MS);
    const blocked = whyBlocked(pass);
    const plan = planTasks({
      desiredCount: pass.primary?.spec.desiredCount ?? 0,
      ...(pass.primary && { askedCount: desiredCountOf(service) }),
      maximumPercent: pass.maximumPercent,
      minimumHealthyPercent: pass.minimumHealthyPercent,
      graceMs: pass.graceMs,
      sets: pass.sets,
      machines: pass.machines,
      nowMs: pass.nowMs,
      blocked: blocked !== undefined,
      maxStarts: MAX_STARTS,
      stopOrder: (names, most) =>
        scheduler.stopOrder(service.metadata.namespace, pass.cluster, pass.group, names, most),
    });
    const draining = drainingMachines(pass);
    plans.planned(serviceKey, draining.size === 0 ? undefined : lastPlan(pass, plan, blocked), draining);
    const [started, stopped] = await Promise.all([
      startAll(deps, client, pass, plan),
      stopAll(deps, client, pass, plan),
    ]);
    if (plan.attempts >= THROTTLED_AFTER) journal.say(serviceKey, throttledMessage(pass.serviceName));
    journal.say(serviceKey, ...startedMessages(pass.serviceName, started.filter(isPlaced).map(idOf)));
    journal.say(serviceKey, ...stoppedMessages(pass.serviceName, stopped.map(idOf)));
    const cluster = world.cluster(service.metadata.namespace, service.spec.cluster);
    const more = await retire(client, pass.sets, {
      kept: cluster?.spec.stoppedTaskRetention?.perTaskSet,
      starting: plan.starts.length > 0,
    });
    const statusDueMs = await writeStatuses(deps, client, pass, plan, statusPace);
    const healthyMs = nextHealthyMs(
      pass.sets.flatMap(({ alive }) => alive),
      pass.nowMs,
    );
    // One that is not any more what it was to be stopped for is judged again.
    const leftMs = stopped.length < plan.stops.length ? now() + LEFT_MS : undefined;
    const moreMs = more ? pass.nowMs : undefined;
    const dueMs = [plan.recheckAtMs, plan.graceEndsMs, healthyMs, statusDueMs, leftMs, moreMs].filter(
      (ms) => ms !== undefined,
    );
    return dueMs.length === 0 ? done() : again(Math.max(0, Math.min(...dueMs) - now()));
  };
}

/** Why nothing of the wanted deployment may be started; undefined if it may. */
function whyBlocked({ primary, revision }: Pass): string | undefined {
  if (primary === undefined) return "there is no deployment";
  if (revision === undefined) return `revision ${primary.spec.taskDefinition} is not there`;
  if (!isNotRunnable(revision)) return undefined;
  return `revision ${primary.spec.taskDefinition} cannot run: ${getCondition(revision.status?.conditions, "Runnable")?.message ?? ""}`;
}

const idOf = (task: Task): string => ecsId(task.metadata.uid);
const isPlaced = (task: Task): boolean => task.spec.containerInstance !== undefined;

/** A field of it is not acted on, without which the program would be another. */
export const isNotRunnable = (revision: TaskDefinitionRevision): boolean =>
  getCondition(revision.status?.conditions, "Runnable")?.status === "False";

function gather({ world, now }: TaskSetDeps, service: Service): Pass {
  const { metadata, spec } = service;
  const byOwner = new Map<string, Task[]>();
  for (const task of world.tasksOfService(metadata)) {
    const owner = controllerOf(task)?.uid ?? "";
    const tasks = byOwner.get(owner);
    if (tasks === undefined) byOwner.set(owner, [task]);
    else tasks.push(task);
  }
  const taskSets = world.taskSetsOf(metadata).filter((set) => isControlledBy(set, service));
  const primary = taskSets.find((set) => set.spec.role === "PRIMARY" && set.metadata.deletionTimestamp === undefined);
  const sets = taskSets.map((set): SetInput & { set: TaskSet } => ({
    set,
    name: set.metadata.name,
    primary: set === primary,
    ...tellApart(byOwner.get(set.metadata.uid) ?? []),
  }));
  for (const { set } of sets) byOwner.delete(set.metadata.uid);
  // Tasks whose set is gone are on their way out too, and count under the ceiling until they are.
  const orphans = [...byOwner.values()].flat();
  const serviceName = serviceNameOf(service);
  const { maximumPercent = 200, minimumHealthyPercent = 100 } = spec.deploymentConfiguration ?? {};
  const cluster = clusterNameOf(spec.cluster);
  return {
    service,
    serviceName,
    cluster,
    machines: machineFacts(world.machinesApart(clusterKey(metadata.namespace, cluster))),
    group: serviceGroup(serviceName),
    sets: orphans.length === 0 ? sets : [...sets, { name: "", primary: false, ...tellApart(orphans) }],
    primary,
    revision: primary && world.revision(metadata.namespace, primary.spec.taskDefinition),
    deployments: new Map(taskSets.map((set) => [set.metadata.uid, deploymentId(set.metadata.uid)])),
    graceMs: (spec.healthCheckGracePeriodSeconds ?? 0) * 1000,
    minimumHealthyPercent,
    maximumPercent,
    nowMs: now(),
  };
}
