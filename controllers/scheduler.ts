// The one active scheduler: a ledger per cluster of what every bound task holds, fed by what informers show and by
// its own assumptions, which hold until the informers have caught up. Nothing of it is stored: it is the sum over
// bound tasks, made anew at each start before anything is placed.
import type {
  ContainerInstance,
  PlacementConstraint,
  PlacementStrategy,
  Resource,
  Task,
  TaskDefinitionRevisionSpec,
  TaskOverride,
} from "../api/types.gen.js";
import { type Book, createBook } from "../scheduling/book.js";
import { stopOrder } from "../scheduling/choose-stops.js";
import { type Demand, demandOf, portKey } from "../scheduling/demand.js";
import { arePortsIn } from "../scheduling/instance.js";
import { type Placement, place } from "../scheduling/place.js";
import { instanceInfo, resourceList } from "../scheduling/resources.js";
import { clusterKey } from "./cluster/keys.js";

/** A task that looks for a machine. */
export interface Applicant {
  namespace: string;
  name: string;
  cluster: string;
  group: string;
  kind: "service" | "standalone";
  definition: TaskDefinitionRevisionSpec;
  overrides?: TaskOverride;
  constraints?: readonly PlacementConstraint[];
  strategy?: readonly PlacementStrategy[];
}

export interface Scheduler {
  /** Finds a machine, and holds the room on it for this task until the task is seen to have stopped or is released. */
  assign(applicant: Applicant): Placement;
  /** Holds room on this very machine, as `spec.containerInstance` asks; or says what is missing. */
  assignTo(instance: string, applicant: Applicant): { ok: true } | { ok: false; message: string };
  /** The task was not made or not bound after all. */
  release(task: { namespace: string; name: string }, cluster: string): void;
  sawTask(task: Task): void;
  lostTask(task: Task): void;
  sawInstance(instance: ContainerInstance): void;
  lostInstance(instance: ContainerInstance): void;
  remaining(instance: ContainerInstance): Resource[] | undefined;
  /** Names of tasks of one group in the order in which to stop them: the first `most`. */
  stopOrder(
    namespace: string,
    cluster: string,
    group: string,
    names: readonly string[],
    most?: number,
  ): readonly string[];
  /** Called when room may have appeared in a cluster (`<namespace>/<cluster>`). */
  onRoom(listener: (cluster: string) => void): void;
}

export interface SchedulerOptions {
  /** The definition that a task runs, from the cache; undefined where it is gone. */
  definitionOf(task: Task): TaskDefinitionRevisionSpec | undefined;
}

const nameOf = ({ namespace, name }: { namespace: string; name: string }): string => `${namespace}/${name}`;
/** Groups are a cluster's own: `service:web`. */
export const groupOf = (task: Task): string => task.status?.group ?? task.spec.group ?? "";

export function createScheduler({ definitionOf }: SchedulerOptions): Scheduler {
  const books = new Map<string, Book>();
  const listeners: ((cluster: string) => void)[] = [];
  const demands = new WeakMap<TaskDefinitionRevisionSpec, Demand>();

  const bookOf = (key: string): Book => {
    const known = books.get(key);
    if (known !== undefined) return known;
    const book = createBook();
    books.set(key, book);
    return book;
  };
  const roomIn = (cluster: string): void => {
    for (const listener of listeners) listener(cluster);
  };
  /** Computed once per revision: a thousand tasks share one. */
  const demandFor = (definition: TaskDefinitionRevisionSpec, overrides?: TaskOverride): Demand => {
    if (overrides !== undefined) return demandOf(definition, overrides);
    const known = demands.get(definition) ?? demandOf(definition);
    demands.set(definition, known);
    return known;
  };
  const release = (name: string, cluster: string): void => {
    if (bookOf(cluster).release(name)) roomIn(cluster);
  };

  return {
    assign(applicant) {
      const { namespace, cluster, definition, overrides, group, kind, constraints, strategy } = applicant;
      const book = bookOf(clusterKey(namespace, cluster));
      const demand = demandFor(definition, overrides);
      const seed = nameOf(applicant);
      const placement = place(book, {
        demand,
        group,
        kind,
        seed,
        ...(constraints && { constraints }),
        ...(strategy && { strategy }),
      });
      if ("instance" in placement) book.reserve(seed, placement.instance, demand, group);
      return placement;
    },
    assignTo(instance, applicant) {
      const { namespace, cluster, definition, overrides, group } = applicant;
      const book = bookOf(clusterKey(namespace, cluster));
      const demand = demandFor(definition, overrides);
      const name = nameOf(applicant);
      if (book.instanceOf(name) === instance) return { ok: true };
      const missing = whatIsMissing(book, instance, demand);
      if (missing !== undefined) return { ok: false, message: missing };
      book.reserve(name, instance, demand, group);
      return { ok: true };
    },
    release: (task, cluster) => release(nameOf(task), clusterKey(task.namespace, cluster)),
    sawTask(task) {
      const state = task.status?.lastStatus;
      const cluster = clusterKey(task.metadata.namespace, task.spec.cluster);
      if (state === "STOPPED") return release(nameOf(task.metadata), cluster);
      const instance = task.spec.containerInstance;
      // Bound, but not let in yet: whether it fits is still to be decided, or an assumption holds it.
      if (instance === undefined || state === undefined || state === "PROVISIONING") return;
      const definition = definitionOf(task);
      if (definition === undefined) return;
      bookOf(cluster).reserve(
        nameOf(task.metadata),
        instance,
        demandFor(definition, task.spec.overrides),
        groupOf(task),
      );
    },
    lostTask: (task) => release(nameOf(task.metadata), clusterKey(task.metadata.namespace, task.spec.cluster)),
    sawInstance(instance) {
      const cluster = clusterKey(instance.metadata.namespace, instance.spec.cluster);
      const book = bookOf(cluster);
      const info = instanceInfo(instance);
      const before = book.instance(info.name);
      // Its counts and remaining resources are written often; they come from this ledger, and are no news to it.
      if (before !== undefined && JSON.stringify(before) === JSON.stringify(info)) return;
      book.setInstance(info);
      roomIn(cluster);
    },
    lostInstance: ({ metadata, spec }) =>
      bookOf(clusterKey(metadata.namespace, spec.cluster)).removeInstance(metadata.name),
    remaining({ metadata, spec }) {
      const left = bookOf(clusterKey(metadata.namespace, spec.cluster)).remaining(metadata.name);
      return left && resourceList(left);
    },
    stopOrder: (namespace, cluster, group, names, most) =>
      stopOrder(
        bookOf(clusterKey(namespace, cluster)),
        group,
        names.map((name) => ({ name, uid: `${namespace}/${name}` })),
        most,
      ),
    onRoom: (listener) => listeners.push(listener),
  };
}

function whatIsMissing(book: Book, name: string, demand: Demand): string | undefined {
  const info = book.instance(name);
  const left = book.remaining(name);
  if (info === undefined || left === undefined) return "MISSING: no such container instance in this cluster";
  if (info.status !== "ACTIVE") return info.status;
  if (!info.agentConnected) return "AGENT: the agent is disconnected";
  const attributes = new Set(info.attributes.map((attribute) => attribute.name));
  if (!demand.attributes.every((attribute) => attributes.has(attribute))) return "ATTRIBUTE";
  if (left.cpuUnits < demand.cpuUnits) return "RESOURCE:CPU";
  if (left.memoryMiB < demand.memoryMiB) return "RESOURCE:MEMORY";
  if (!arePortsIn(info.portRange, demand.staticPorts)) return "RESOURCE:PORTS";
  const taken = new Set(left.reservedPorts.map(portKey));
  return demand.staticPorts.some((port) => taken.has(portKey(port))) ? "RESOURCE:PORTS" : undefined;
}
