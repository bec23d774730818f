// From objects and probes to how full everything is. Pure.
import { ecsId } from "../../api/arn.js";
import { clusterNameOf, revisionName, serviceNameOf } from "../../api/names.js";
import type {
  ContainerInstance,
  Resource,
  Service,
  Task,
  TaskDefinitionRevision,
  TaskDefinitionRevisionSpec,
} from "../../api/types.gen.js";
import {
  type Amounts,
  type ClusterMetrics,
  clusterMetrics,
  countsInMetrics,
  type MachineLoad,
  type ServiceMetrics,
  serviceMetrics,
  total,
  type Usage,
} from "../../api/utilization.js";
import { demandOf } from "../../scheduling/demand.js";
import { type Probe, probeKey } from "../api/probes.js";

export interface TopFacts {
  instances: readonly ContainerInstance[];
  tasks: readonly Task[];
  services: readonly Service[];
  revisions: readonly TaskDefinitionRevision[];
  /** By `probeKey`. */
  probes: ReadonlyMap<string, Probe>;
}

interface Row {
  namespace: string;
  name: string;
  cluster: string;
}
/** `used` is left out where no machine told it. */
export interface TaskRow extends Row, ServiceMetrics {
  id: string;
  group: string;
  machine: string;
  reserved: Amounts;
  used?: Usage;
}
export interface ServiceRow extends Row, ServiceMetrics {
  tasks: number;
  reserved: Amounts;
  used?: Usage;
}
export interface InstanceRow extends Row, ClusterMetrics, MachineLoad {
  hostname: string;
  tasks: number;
}
export interface ClusterRow extends Row, ClusterMetrics {
  /** Those that count: ACTIVE or DRAINING. */
  machines: number;
  tasks: number;
  registered: Amounts;
  reserved: Amounts;
}
export interface Report {
  clusters: ClusterRow[];
  instances: InstanceRow[];
  services: ServiceRow[];
  tasks: TaskRow[];
  /** Machines that count and whose use nobody knows. */
  silent: { namespace: string; name: string; hostname: string; why: string }[];
}

/** @param cluster the ECS name; all of them if left out */
export function report(facts: TopFacts, cluster?: string): Report {
  const within = <T extends Row>(rows: T[]): T[] =>
    rows.filter((row) => cluster === undefined || row.cluster === cluster).sort(byName);
  const tasks = within(taskRows(facts));
  const counted = facts.instances.filter(({ status }) => countsInMetrics({ status: status?.status ?? "" }));
  const instances = within(
    counted.map((instance) => instanceRow(instance, tasks, facts.probes.get(probeKey(instance)))),
  );
  const silent = instances
    .filter(({ used }) => used === undefined)
    .map(({ namespace, name, hostname }) => ({
      namespace,
      name,
      hostname,
      why: facts.probes.get(`${namespace}/${name}`)?.silence ?? "was not asked",
    }));
  return {
    clusters: clusterRows(instances),
    instances,
    services: within(facts.services.map((service) => serviceRow(service, tasks))),
    tasks,
    silent,
  };
}

const byName = (a: Row, b: Row): number =>
  a.namespace.localeCompare(b.namespace) || a.cluster.localeCompare(b.cluster) || a.name.localeCompare(b.name);

/** Every task that holds a place on a machine. */
function taskRows({ tasks, revisions, probes }: TopFacts): TaskRow[] {
  const specs = new Map(
    revisions.map(({ metadata, spec }) => [
      `${metadata.namespace}/${revisionName(spec.family ?? "", spec.revision)}`,
      spec,
    ]),
  );
  const used = new Map(
    [...probes.values()].flatMap(({ answer }) =>
      (answer?.usage ?? []).map(({ task, cpuUnits, memoryMiB }) => [task, { cpuUnits, memoryMiB }] as const),
    ),
  );
  const holding = tasks.filter(
    ({ spec, status }) => spec.containerInstance !== undefined && status?.lastStatus !== "STOPPED",
  );
  return holding.map((task) => {
    const { metadata, spec, status } = task;
    const reserved = amountsOf(
      task,
      specs.get(`${metadata.namespace}/${status?.taskDefinition ?? spec.taskDefinition}`),
    );
    const id = ecsId(metadata.uid);
    const usage = used.get(id);
    return {
      namespace: metadata.namespace ?? "",
      name: metadata.name,
      cluster: clusterNameOf(spec.cluster),
      id,
      group: status?.group ?? spec.group ?? "",
      machine: spec.containerInstance ?? "",
      reserved,
      ...(usage && { used: usage }),
      ...serviceMetrics([{ reserved, ...(usage && { used: usage }) }]),
    };
  });
}

function amountsOf({ spec }: Task, definition: TaskDefinitionRevisionSpec | undefined): Amounts {
  if (!definition) return { cpuUnits: 0, memoryMiB: 0, gpus: 0 };
  const { cpuUnits, memoryMiB } = demandOf(definition, spec.overrides);
  const wanted = definition.containerDefinitions.flatMap(({ resourceRequirements = [] }) => resourceRequirements);
  const gpus = wanted.filter(({ type }) => type === "GPU").reduce((sum, { value }) => sum + Number(value), 0);
  return { cpuUnits, memoryMiB, gpus };
}

function instanceRow(instance: ContainerInstance, tasks: readonly TaskRow[], probe: Probe | undefined): InstanceRow {
  const { metadata, spec, status = {} } = instance;
  const mine = tasks.filter(({ namespace, machine }) => namespace === metadata.namespace && machine === metadata.name);
  const load: MachineLoad = {
    status: status.status ?? "",
    registered: registeredOf(status.registeredResources),
    reserved: total(mine.map(({ reserved }) => reserved)),
    ...(probe?.answer && { used: usageOf(probe.answer.usage) }),
  };
  return {
    namespace: metadata.namespace ?? "",
    name: metadata.name,
    cluster: clusterNameOf(spec.cluster),
    hostname: status.hostname ?? "",
    tasks: mine.length,
    ...load,
    ...clusterMetrics([load]),
  };
}

function usageOf(usages: readonly Partial<Amounts>[]): Usage {
  const { cpuUnits, memoryMiB } = total(usages);
  return { cpuUnits, memoryMiB };
}

function registeredOf(resources: readonly Resource[] = []): Amounts {
  const amount = (name: string): number => {
    const { integerValue, stringSetValue } = resources.find((resource) => resource.name === name) ?? {};
    return integerValue ?? stringSetValue?.length ?? 0;
  };
  return { cpuUnits: amount("CPU"), memoryMiB: amount("MEMORY"), gpus: amount("GPU") };
}

function serviceRow(service: Service, tasks: readonly TaskRow[]): ServiceRow {
  const { metadata, spec } = service;
  const cluster = clusterNameOf(spec.cluster);
  const name = serviceNameOf(service);
  const mine = tasks.filter(
    (task) => task.namespace === metadata.namespace && task.cluster === cluster && task.group === `service:${name}`,
  );
  const known = mine.flatMap(({ used }) => (used ? [used] : []));
  return {
    namespace: metadata.namespace ?? "",
    name,
    cluster,
    tasks: mine.length,
    reserved: total(mine.map(({ reserved }) => reserved)),
    ...(known.length > 0 && { used: usageOf(known) }),
    ...serviceMetrics(mine),
  };
}

function clusterRows(instances: readonly InstanceRow[]): ClusterRow[] {
  const groups = new Map<string, InstanceRow[]>();
  for (const instance of instances) {
    const key = `${instance.namespace}/${instance.cluster}`;
    groups.set(key, [...(groups.get(key) ?? []), instance]);
  }
  return [...groups.values()].flatMap((machines) => {
    const [first] = machines;
    if (!first) return [];
    return {
      namespace: first.namespace,
      name: first.cluster,
      cluster: first.cluster,
      machines: machines.length,
      tasks: machines.reduce((sum, { tasks }) => sum + tasks, 0),
      registered: total(machines.map(({ registered }) => registered)),
      reserved: total(machines.map(({ reserved }) => reserved)),
      ...clusterMetrics(machines),
    };
  });
}
