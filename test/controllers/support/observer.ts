// Looks at every written change of tasks, machines and services, in the one order of writes, and remembers what must
// never be seen (DESIGN §5).
import type { ContainerInstance, Service, Task } from "../../../api/types.gen.js";
import { isHealthy, isSetAside, isStopped, isWanted } from "../../../controllers/task/view.js";
import { demandOf } from "../../../scheduling/demand.js";
import { ceilingOf, floorOf } from "../../../state-machines/rolling.js";
import { hasReached } from "../../../state-machines/task.js";
import type { Change, Store } from "../../../store/store.js";

export interface Observer {
  /** One sentence per breach. */
  readonly breaches: string[];
  stop(): Promise<void>;
}

/** On a machine that is busy with other things, too: what is decided is written so soon after what it was decided on. */
const DECIDED_WITHIN_MS = 1_000;

type Watched = Task | ContainerInstance | Service;

export function observe(store: Store): Observer {
  const breaches: string[] = [];
  const tasks = new Map<string, Task>();
  const stopping = new AbortController();
  const services = new Map<string, Service>();
  const definitions = new Map<string, Parameters<typeof demandOf>[0]>();
  const instances = new Map<string, ContainerInstance>();

  const breach = (text: string): void => void breaches.push(text);

  function task(change: Change, next: Task): void {
    const before = tasks.get(change.key);
    if (change.type === "DELETED") {
      tasks.delete(change.key);
      if (!isStopped(next) && next.spec.containerInstance !== undefined && next.status?.lastStatus !== "PROVISIONING")
        breach(`${change.key} went before it was STOPPED (${next.status?.lastStatus})`);
      return;
    }
    if (before && before.metadata.uid === next.metadata.uid) forward(change.key, before, next);
    else if (next.status !== undefined && next.status.version !== 1)
      breach(`${change.key} begins with version ${next.status.version}`);
    stopWithinFloor(before, next);
    tasks.set(change.key, next);
    if (before === undefined) startWithinCeiling(next);
    if (next.spec.containerInstance !== before?.spec.containerInstance || before?.status?.lastStatus === "PROVISIONING")
      fits(next);
  }

  /** 2: forward only, STOPPED is final, versions without gaps, bound once. */
  function forward(key: string, before: Task, next: Task): void {
    const from = before.status?.lastStatus;
    const to = next.status?.lastStatus;
    if (from && to && !hasReached(to, from)) breach(`${key} went back from ${from} to ${to}`);
    const [was, is] = [before.status?.version ?? 0, next.status?.version ?? 0];
    const changed = JSON.stringify(before.status) !== JSON.stringify(next.status);
    if (is !== (changed ? was + 1 : was)) breach(`${key} went from version ${was} to ${is} (changed: ${changed})`);
    if (before.spec.containerInstance !== undefined && before.spec.containerInstance !== next.spec.containerInstance)
      breach(`${key} was bound twice`);
    if (before.spec.desiredStatus === "STOPPED" && next.spec.desiredStatus !== "STOPPED")
      breach(`${key} was to stop and is not any more`);
  }

  const ofService = (task: Task): { service: Service; all: Task[] } | undefined => {
    const name = task.metadata.labels?.["davit.dev/service"];
    const service = name === undefined ? undefined : services.get(name);
    if (!service) return undefined;
    return {
      service,
      all: [...tasks.values()].filter(({ metadata }) => metadata.labels?.["davit.dev/service"] === name),
    };
  };

  /** 4: no stop that Davit decides takes healthy tasks below the floor. */
  function stopWithinFloor(before: Task | undefined, next: Task): void {
    if (!before || !isWanted(before) || next.spec.stopCode !== "ServiceSchedulerInitiated") return;
    const now = Date.now();
    const found = ofService(before);
    if (!found || !isHealthy(before, now) || found.service.metadata.deletionTimestamp) return;
    const name = found.service.metadata.name;
    const floor = Math.min(...floorsLately(name, now));
    const healthy = found.all.filter((each) => isHealthy(each, now)).length;
    // A failure that is written while the decision is on its way is nobody's fault, nor is a user's own stop.
    if (healthy - 1 < floor && now - (lastLoss.get(name) ?? 0) > DECIDED_WITHIN_MS)
      breach(`${next.metadata.name} was stopped with ${healthy} healthy, floor ${floor}`);
  }
  /** By service: when a healthy one last ceased to be healthy without its service's doing. */
  const lastLoss = new Map<string, number>();
  function lost(before: Task | undefined, next: Task, deleted: boolean): void {
    const now = Date.now();
    if (!before || !isHealthy(before, now) || (isHealthy(next, now) && !deleted)) return;
    if (next.spec.stopCode !== "ServiceSchedulerInitiated")
      lastLoss.set(next.metadata.labels?.["davit.dev/service"] ?? "", now);
  }
  /** By service: its floors in their order, each with the time at which another took its place. */
  const floors = new Map<string, { floor: number; untilMs: number }[]>();
  /** Those that may have been in force when something was decided that is written now. */
  const floorsLately = (name: string, now: number): number[] =>
    (floors.get(name) ?? []).filter(({ untilMs }) => now - untilMs <= DECIDED_WITHIN_MS).map(({ floor }) => floor);
  function setFloor({ metadata, spec: { desiredCount = 1, deploymentConfiguration } }: Service): void {
    const known = floors.get(metadata.name) ?? [];
    const last = known.at(-1);
    if (last) last.untilMs = Date.now();
    const floor = floorOf(desiredCount, deploymentConfiguration?.minimumHealthyPercent ?? 100);
    floors.set(metadata.name, [...known, { floor, untilMs: Number.POSITIVE_INFINITY }]);
  }

  /** 4: no start takes a service's tasks above the ceiling. */
  function startWithinCeiling(next: Task): void {
    const found = ofService(next);
    if (!found) return;
    const { desiredCount = 1, deploymentConfiguration } = found.service.spec;
    const ceiling = ceilingOf(desiredCount, deploymentConfiguration?.maximumPercent ?? 200);
    const alive = found.all.filter((each) => !isStopped(each) && !isSetAside(each)).length;
    if (alive > ceiling && !changedLately(found.service))
      breach(`${next.metadata.name} is number ${alive}, ceiling ${ceiling}`);
  }
  const serviceChanged = new Map<string, number>();
  /** A smaller count that is written while a start decided before is on its way: the values in force were others. */
  const changedLately = ({ metadata }: Service): boolean =>
    Date.now() - (serviceChanged.get(metadata.name) ?? 0) < DECIDED_WITHIN_MS;

  /** 2: of a machine, too, each change of its state has the next version. A renewed credential is no such change. */
  function instance(change: Change, before: ContainerInstance | undefined, next: ContainerInstance): void {
    if (change.type === "DELETED" || before?.metadata.uid !== next.metadata.uid) return;
    const state = ({ status: { credentialExpiresAt: _, ...rest } = {} }: ContainerInstance) => JSON.stringify(rest);
    const [was, is] = [before.status?.version ?? 0, next.status?.version ?? 0];
    const changed = state(before) !== state(next);
    if (is !== (changed ? was + 1 : was))
      breach(`${change.key} went from version ${was} to ${is} (changed: ${changed})`);
  }

  /** 5: no machine gets more than it registered. */
  function fits({ spec, status }: Task): void {
    if (spec.containerInstance === undefined || !status?.lastStatus || status.lastStatus === "PROVISIONING") return;
    const registered = instances.get(spec.containerInstance)?.status?.registeredResources;
    if (!registered) return;
    const of = (name: string): number => registered.find((each) => each.name === name)?.integerValue ?? 0;
    const held = { cpu: 0, memory: 0, ports: new Map<number, number>() };
    for (const task of tasks.values()) {
      if (task.spec.containerInstance !== spec.containerInstance || isStopped(task)) continue;
      if (!task.status?.lastStatus || task.status.lastStatus === "PROVISIONING") continue;
      const definition = definitions.get(task.status.taskDefinition ?? "");
      if (!definition) continue;
      const demand = demandOf(definition);
      held.cpu += demand.cpuUnits;
      held.memory += demand.memoryMiB;
      for (const { port } of demand.staticPorts) held.ports.set(port, (held.ports.get(port) ?? 0) + 1);
    }
    if (held.cpu > of("CPU") || held.memory > of("MEMORY"))
      breach(`${spec.containerInstance} holds cpu ${held.cpu} and memory ${held.memory} MiB`);
    for (const [port, holders] of held.ports)
      if (holders > 1) breach(`port ${port} of ${spec.containerInstance} was given ${holders} times`);
  }

  function see(change: Change): void {
    const object = change.object as Watched | { kind: string };
    if (object.kind === "Task") {
      const next = object as Task;
      lost(tasks.get(change.key), next, change.type === "DELETED");
      task(change, next);
    } else if (object.kind === "ContainerInstance") {
      const next = object as ContainerInstance;
      instance(change, instances.get(next.metadata.name), next);
      instances.set(next.metadata.name, next);
    } else if (object.kind === "Service") {
      const next = object as Service;
      const before = services.get(next.metadata.name);
      if (JSON.stringify(before?.spec) !== JSON.stringify(next.spec)) {
        serviceChanged.set(next.metadata.name, Date.now());
        setFloor(next);
      }
      services.set(next.metadata.name, next);
    } else if (object.kind === "TaskDefinitionRevision") {
      const { spec } = change.object as unknown as { spec: Parameters<typeof demandOf>[0] };
      definitions.set(`${spec.family}:${spec.revision}`, spec);
    }
  }

  const watching = (async () => {
    for await (const batch of store.watch("", 0, { signal: stopping.signal }))
      for (const change of batch.changes) see(change);
  })();
  return {
    breaches,
    stop: async () => {
      stopping.abort();
      await watching;
    },
  };
}
