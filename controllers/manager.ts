// Starts all controllers in their order, and stops them. A restart needs no replay: what is not in the store is made
// anew from it before anything is decided.
import { type Arns, createArns } from "../api/arn.js";
import type { Log } from "../api/log.js";
import type { ApiObject } from "../api/meta.js";
import { clusterNameOfObject, objectName, parseRevisionReference } from "../api/names.js";
import { controllerOf, keyOf, parseKey } from "../api/references.js";
import type { Cluster, ContainerInstance, Kind, Task } from "../api/types.gen.js";
import type { ControlBus } from "../bus/transport.js";
import { type Controller, keyOfObject, runController, type Source, source } from "../client/controller.js";
import type { Informer } from "../client/informer.js";
import type { ObjectClient } from "../client/object-client.js";
import { createBindingReconciler } from "./binding/reconciler.js";
import { clusterKey, clusterObjectKey } from "./cluster/keys.js";
import { createClusterReconciler } from "./cluster/reconciler.js";
import { createTaskTally } from "./cluster/tally.js";
import type { Deps, Reconcile } from "./deps.js";
import { createConnectivity } from "./instance/connectivity.js";
import { isLeaving, isSilent } from "./instance/drain.js";
import { createDrainReconciler, isGoing } from "./instance/drain-reconciler.js";
import { createGoodbye } from "./instance/goodbye.js";
import { createInstanceReconciler } from "./instance/reconciler.js";
import { createSessions, type Sessions } from "./instance/sessions.js";
import { instanceSources, lostMachines, onPolicyChange } from "./instance/sources.js";
import { createLostSide, stopWhenLostAfterMs } from "./lost/lost.js";
import { type Meter, queueMetrics } from "./metrics.js";
import { createObjects } from "./objects.js";
import { createScheduler } from "./scheduler.js";
import { createJournal } from "./service/journal.js";
import { createServiceReconciler } from "./service/reconciler.js";
import { createTaskReconciler, needsLook } from "./task/reconciler.js";
import { createReports } from "./task/reports.js";
import { createRetentionReconciler, isRemovable } from "./task/retention.js";
import { isSetAside, isWaiting } from "./task/view.js";
import { createDefinitionReconciler, createRevisionReconciler } from "./taskdefinition/reconciler.js";
import { createLastPlans } from "./taskset/last-plans.js";
import { createTaskSetReconciler } from "./taskset/reconciler.js";
import { createWorld, type World } from "./world.js";

export interface ControllersOptions {
  client: ObjectClient;
  bus: ControlBus;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** At least 0, below 1. */
  random: () => number;
  /** RFC 4122. */
  newUid: () => string;
  log: Log;
  /** ARNs of a namespace's account. @default those of account 000000000000 */
  arnsOf?: (namespace: string) => Arns;
  /** @default nothing is counted */
  metrics?: Meter;
  /** An agent that is silent for so long counts as disconnected. @default 15 s */
  graceMs?: number;
  /** How often agents are asked to be heard. @default 5 s */
  heartbeatMs?: number;
  /** A task that its agent stops by itself (`lostInstances` with STOP) counts as stopped so long after that should
   *  be done. @default 15 s */
  selfStopMarginMs?: number;
  /** How long the object of a machine that has left stays. @default 1 h */
  keepInactiveMs?: number;
  /** The control plane's own, such as `1.4.2`: agents whose version does not go with it are refused.
   *  @default any agent will do */
  version?: string;
}

export interface Controllers {
  /** All informers have synced, and everything is at work. */
  readonly ready: Promise<void>;
  /** Begins nothing any more; resolves when what was under way has ended. Client and bus stay open. */
  stop(): Promise<void>;
}

export function startControllers(options: ControllersOptions): Controllers {
  const { client, bus, now, random, newUid, log } = options;
  const stopping = new AbortController();
  const world = createWorld({ client, signal: stopping.signal, log, random });
  const objects = createObjects({ client, shown: { get: (kind, ref) => world.informers[kind].get(ref) } });
  const arns = createArns();
  const deps: Deps = { client, world, objects, now, random, newUid, log, arnsOf: options.arnsOf ?? (() => arns) };
  const running: { stop(): Promise<void> | void }[] = [];

  const begin = (): void => {
    if (stopping.signal.aborted) return;
    running.push(...startAll(deps, options, bus));
  };
  const synced = Promise.all(Object.values(world.informers).map((informer) => informer.synced));
  return {
    ready: synced.then(begin),
    async stop() {
      for (const each of running.reverse()) await each.stop();
      stopping.abort();
    },
  };
}

/** With every informer synced: first what is kept in memory, then the queues, then the agents. */
function startAll(deps: Deps, options: ControllersOptions, bus: ControlBus): { stop(): Promise<void> | void }[] {
  const { world, objects, client, random, now, log } = deps;
  const { informers } = world;
  const scheduler = createScheduler({ definitionOf: world.definitionOf });
  // Instances before tasks, and both before anything is placed.
  informers.ContainerInstance.on({
    added: scheduler.sawInstance,
    updated: scheduler.sawInstance,
    deleted: scheduler.lostInstance,
  });
  informers.Task.on({ added: scheduler.sawTask, updated: scheduler.sawTask, deleted: scheduler.lostTask });
  for (const kind of Object.keys(informers) as Kind[]) remember(deps, kind);

  const controllers = new Map<string, Controller>();
  const wake = (name: string, key: string): void => controllers.get(name)?.add(key);
  const journal = createJournal((service) => wake("service", service));
  const tally = createTaskTally((cluster) => wake("cluster", cluster));
  informers.Task.on({
    added: (task) => tally.changed(undefined, task),
    updated: (task, before) => tally.changed(before, task),
    deleted: (task) => tally.changed(task, undefined),
  });
  scheduler.onRoom((cluster) => {
    if (world.waitingTasks(cluster).length > 0) wake("binding", cluster);
  });

  const run = (name: string, reconcile: Reconcile, sources: readonly Source[]): void => {
    const metrics = options.metrics && queueMetrics(options.metrics, name);
    const controller = { name, client, sources, reconcile, log, random, now, ...(metrics && { metrics }) };
    controllers.set(name, runController(controller));
  };
  const plans = createLastPlans((machine) => wake("drain", machine));
  const withJournal = { ...deps, scheduler, journal, plans };
  run("task-definition", createDefinitionReconciler(deps), definitionSources(world));
  run("revision", createRevisionReconciler(deps), [source(informers.TaskDefinitionRevision, keyOfEach)]);
  run("cluster", createClusterReconciler(deps, tally), clusterSources(world));
  run("service", createServiceReconciler(withJournal), serviceSources(world));
  run("task-set", createTaskSetReconciler(withJournal), taskSetSources(world));
  run("binding", createBindingReconciler(withJournal), bindingSources(world));
  run("task", createTaskReconciler(deps), [
    source(informers.Task, (task) => (needsLook(task) ? [keyOfObject(task)] : [])),
  ]);
  run("retention", createRetentionReconciler(deps), [
    source(informers.Task, (task) =>
      isRemovable(task) ? [clusterKey(task.metadata.namespace, task.spec.cluster)] : [],
    ),
    // It may keep fewer than before.
    specSource(informers.Cluster, (cluster) => [clusterKey(cluster.metadata.namespace, clusterNameOfObject(cluster))]),
  ]);

  run("drain", createDrainReconciler(withJournal), drainSources(world));

  const {
    graceMs = 15_000,
    heartbeatMs = 5_000,
    keepInactiveMs = 3_600_000,
    selfStopMarginMs = 15_000,
    version,
  } = options;
  const connectivity = createConnectivity(deps, {
    bus,
    graceMs,
    selfStopMarginMs,
    onSilent: (instance) => sessions.end(instance),
    onHearing(cluster) {
      const { namespace, name } = parseKey(cluster);
      for (const key of lostMachines(world, namespace, name)) wake("instance", key);
    },
  });
  const sessions: Sessions = createSessions({
    ...deps,
    bus,
    connectivity,
    heartbeatMs,
    version,
    reports: createReports(deps),
    facts: { definitionOf: world.definitionOf, stopWhenLostAfterMs: (task) => stopWhenLostAfterMs(world, task) },
    onNews: (key) => wake("instance", key),
    onGoodbye: createGoodbye(deps, connectivity),
  });
  const lost = createLostSide({ ...deps, hearing: connectivity.hearing });
  const ofInstances = { ...deps, scheduler, lost, sessions, keepInactiveMs };
  run("instance", createInstanceReconciler(ofInstances), instanceSources(world));
  const off = [
    onPolicyChange(world, sessions.policyChanged),
    informers.Task.on({
      updated: (task, before) => sessions.taskChanged(before, task),
      deleted: (task) => sessions.taskChanged(task, undefined),
    }),
    informers.Task.on({ added: (task) => sessions.taskChanged(undefined, task) }),
    informers.ContainerInstance.on({ deleted: sessions.instanceGone }),
  ];
  sessions.invite();
  log.info({ controllers: controllers.size }, "controllers started");
  return [...controllers.values(), connectivity, sessions, { stop: () => void off.map((each) => each()) }];

  function remember(_: Deps, kind: Kind): void {
    const informer: { on: (typeof informers)["Task"]["on"] } = informers[kind] as (typeof informers)["Task"];
    informer.on({
      updated: (object) => objects.saw(kind, object),
      deleted: (object) => objects.saw(kind, object),
    });
  }
}

/** A source that leaves out changes of nothing but metadata and status: a cluster's counters change all the time. */
function specSource<T extends ApiObject>(informer: Informer<T>, keysOf: (object: T) => readonly string[]): Source {
  return {
    informer,
    connect(add) {
      const addAll = (object: T) => keysOf(object).forEach(add);
      return informer.on({
        added: addAll,
        updated: (object, before) => {
          if (object.metadata.generation !== before.metadata.generation) addAll(object);
        },
        deleted: addAll,
      });
    },
  };
}

const keyOfEach = (object: Parameters<typeof keyOfObject>[0]): readonly string[] => [keyOfObject(object)];

const definitionSources = ({ informers }: World): readonly Source[] => [
  source(informers.TaskDefinition, keyOfEach),
  source(informers.TaskDefinitionFamily),
  source(informers.TaskDefinitionRevision, ({ metadata, spec }) => [
    keyOf({ namespace: metadata.namespace, name: objectName(spec.family) }),
  ]),
];

const clusterSources = ({ informers }: World): readonly Source[] => [
  source(informers.Cluster, keyOfEach),
  source(informers.ContainerInstance, ({ metadata, spec }) => [clusterObjectKey(metadata.namespace, spec.cluster)]),
  source(informers.Service, ({ metadata, spec }) => [clusterObjectKey(metadata.namespace, spec.cluster)]),
];

/** The service that a task or task set belongs to. */
const serviceOfTask = (world: World, task: Task): readonly string[] => {
  if (controllerOf(task)?.kind !== "TaskSet") return [];
  const set = world.taskSetOf(task);
  return set ? [`${set.metadata.namespace}/${set.spec.service}`] : [];
};
const onlyTelling = (world: World): Source => ({
  informer: world.informers.Task,
  connect(add) {
    const tell = (task: Task): void => serviceOfTask(world, task).forEach(add);
    return world.informers.Task.on({
      added: tell,
      // Most writes of a task mean nothing to its service.
      updated: (task, before) => {
        if (telling(task) !== telling(before)) tell(task);
      },
      deleted: tell,
    });
  },
});

/** Services with tasks on a machine that begins or ends to drain, to leave or to be silent. */
const machinesTurning = (world: World): Source => ({
  informer: world.informers.ContainerInstance,
  connect(add) {
    const tell = ({ metadata }: ContainerInstance): void => {
      for (const task of world.tasksOn(metadata)) serviceOfTask(world, task).forEach(add);
    };
    return world.informers.ContainerInstance.on({
      // Machines' counts and resources are written often.
      updated(instance, before) {
        if (isLeaving(instance) !== isLeaving(before) || isSilent(instance) !== isSilent(before)) tell(instance);
      },
      deleted: tell,
    });
  },
});

/** What of a task its service looks at. */
const telling = (task: Task): string => {
  const { status = {}, spec, metadata } = task;
  return `${status.lastStatus}/${isSetAside(task)}/${status.healthyAt}/${status.healthStatus}/${spec.desiredStatus}/${metadata.deletionTimestamp}/${spec.containerInstance}`;
};

const serviceSources = (world: World): readonly Source[] => [
  source(world.informers.Service, keyOfEach),
  source(world.informers.TaskSet, ({ metadata, spec }) => [`${metadata.namespace}/${spec.service}`]),
  onlyTelling(world),
  source(world.informers.TaskDefinitionRevision, ({ metadata, spec }) =>
    world.servicesOfFamily(metadata.namespace, spec.family).map(keyOfObject),
  ),
  source(world.informers.TaskDefinition, (definition) =>
    world
      .servicesOfFamily(definition.metadata.namespace, definition.spec.family ?? definition.metadata.name)
      .map(keyOfObject),
  ),
  specSource(world.informers.Cluster, servicesIn(world)),
];

/** What a cluster says may concern all its services. */
const servicesIn = (world: World) => (cluster: Cluster) =>
  world.servicesOfCluster(cluster.metadata.namespace, clusterNameOfObject(cluster)).map(keyOfObject);

const taskSetSources = (world: World): readonly Source[] => [
  source(world.informers.Service, keyOfEach),
  source(world.informers.TaskSet, ({ metadata, spec }) => [`${metadata.namespace}/${spec.service}`]),
  onlyTelling(world),
  source(world.informers.TaskDefinitionRevision, ({ metadata, spec }) =>
    world.servicesOfFamily(metadata.namespace, spec.family).map(keyOfObject),
  ),
  machinesTurning(world),
  specSource(world.informers.Cluster, servicesIn(world)),
];

/** Machines, and those that drain whenever one of their tasks changes. */
const drainSources = (world: World): readonly Source[] => [
  source(world.informers.ContainerInstance, keyOfEach),
  source(world.informers.Task, (task) => {
    const instance = world.instanceOf(task);
    return instance !== undefined && isGoing(instance) ? [keyOfObject(instance)] : [];
  }),
];

/** Clusters of which tasks wait, wherever what they wait for may have appeared. */
const bindingSources = (world: World): readonly Source[] => [
  source(world.informers.Task, (task) =>
    isWaiting(task) ? [clusterKey(task.metadata.namespace, task.spec.cluster)] : [],
  ),
  source(world.informers.TaskDefinitionRevision, ({ metadata, spec }) => [
    ...new Set(
      world.informers.Task.list(metadata.namespace)
        .filter(isWaiting)
        .filter((task) => parseRevisionReference(task.spec.taskDefinition)?.family === spec.family)
        .map((task) => clusterKey(task.metadata.namespace, task.spec.cluster)),
    ),
  ]),
  specSource(world.informers.Cluster, (cluster) => [
    clusterKey(cluster.metadata.namespace, clusterNameOfObject(cluster)),
  ]),
];
