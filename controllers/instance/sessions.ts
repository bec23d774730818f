// The agents' sessions: sync, pushes, reports, heartbeats. Made anew from the store after a restart: an agent whose
// session is not known is told so, and opens another.
import { ecsId } from "../../api/arn.js";
import { clusterNameOf, DEFAULT_CLUSTER } from "../../api/names.js";
import type { ContainerInstance, Task } from "../../api/types.gen.js";
import type {
  Goodbye,
  Heartbeat,
  InstanceId,
  ReportAnswer,
  ReportBatch,
  SyncAnswer,
  SyncRequest,
} from "../../bus/messages.js";
import type { ControlBus } from "../../bus/transport.js";
import { ApiError } from "../../client/object-client.js";
import type { Deps } from "../deps.js";
import { MANAGER } from "../labels.js";
import { inParallel } from "../parallel.js";
import type { Reports } from "../task/reports.js";
import type { Connectivity } from "./connectivity.js";
import { Session } from "./session.js";
import { registered } from "./status.js";

export interface SessionsDeps extends Deps {
  bus: ControlBus;
  reports: Reports;
  connectivity: Connectivity;
  heartbeatMs: number;
}

export interface Sessions {
  /** A task has changed, or its object is gone (`after` undefined). */
  taskChanged(before: Task | undefined, after: Task | undefined): void;
  /** The machine's object is gone: its session ends, and the agent registers anew. */
  instanceGone(instance: ContainerInstance): void;
  /** Tells every machine of the store that its session is over: after a start there is none. */
  invite(): void;
  stop(): void;
}

/** What was told and is not confirmed by a report after so long is told again. */
const REMIND_MS = 5_000;

export function createSessions(deps: SessionsDeps): Sessions {
  const { bus, world, objects, now, connectivity, log } = deps;
  const sessions = new Map<InstanceId, Session>();
  const dirty = new Set<Session>();
  const syncing = new Map<InstanceId, Promise<unknown>>();
  let flush: NodeJS.Immediate | undefined;
  let stopped = false;

  const schedule = (session: Session): void => {
    dirty.add(session);
    // One batch per machine for all that one commit has changed.
    flush ??= setImmediate(() => {
      flush = undefined;
      for (const each of dirty) {
        const push = each.push(now());
        if (push) bus.push(each.instance, push);
      }
      dirty.clear();
    });
  };
  const sessionOf = (task: Task): Session | undefined => {
    const { containerInstance } = task.spec;
    const session = containerInstance === undefined ? undefined : sessions.get(containerInstance);
    return session?.namespace === task.metadata.namespace ? session : undefined;
  };
  const epochOf = (name: InstanceId): number | undefined =>
    world.informers.ContainerInstance.byIndex("name", name)[0]?.status?.epoch;
  const newest = (task: Task): Task => objects.newest("Task", task.metadata) ?? task;

  async function sync(request: SyncRequest): Promise<SyncAnswer> {
    // One after the other for each machine: each raises the epoch.
    const before = syncing.get(request.instance) ?? Promise.resolve();
    const mine = before.then(
      () => open(request),
      () => open(request),
    );
    syncing.set(request.instance, mine);
    try {
      return await mine;
    } finally {
      if (syncing.get(request.instance) === mine) syncing.delete(request.instance);
    }
  }

  async function open(request: SyncRequest): Promise<SyncAnswer> {
    const instance = await register(deps, request);
    const { namespace } = instance.metadata;
    const epoch = instance.status?.epoch ?? 0;
    // From here on the former session's messages are old.
    sessions.delete(request.instance);
    // What the agent has is folded in like reports. What it has lost it will report itself: it is told what ran.
    await inParallel(request.tasks, async (report) => {
      await deps.reports.fold(request.instance, report);
    });
    const session = new Session(request.instance, namespace, epoch, world.definitionOf, now());
    const answer = session.open(world.tasksOn(instance.metadata).map(newest), now());
    sessions.set(request.instance, session);
    connectivity.heard(instance.metadata);
    connectivity.changed(instance);
    log.info({ instance: request.instance, epoch, assignments: answer.assignments.length }, "agent synced");
    const arn = instance.status?.containerInstanceArn;
    return {
      type: "davit.v1.SyncAnswer",
      epoch,
      seq: 0,
      ...answer,
      heartbeatMs: deps.heartbeatMs,
      ...(arn !== undefined && { containerInstanceArn: arn }),
    };
  }

  async function report(batch: ReportBatch): Promise<ReportAnswer> {
    const session = sessions.get(batch.instance);
    if (session === undefined || session.epoch !== batch.epoch) {
      return { type: "davit.v1.ReportAnswer", ok: false, superseded: true };
    }
    session.heardMs = now();
    connectivity.heard({ namespace: session.namespace, name: batch.instance });
    const unknown: string[] = [];
    await inParallel(batch.reports, async (each) => {
      if (session.isOld(each.task, each.seq)) return;
      const known = await deps.reports.fold(batch.instance, each);
      if (!known) unknown.push(each.task);
      else session.reported(each.task, each.seq, each.state);
    });
    return { type: "davit.v1.ReportAnswer", ok: true, ...(unknown.length > 0 && { unknown }) };
  }

  function heartbeat({ instance, epoch }: Heartbeat): void {
    const session = sessions.get(instance);
    if (session === undefined || session.epoch !== epoch) {
      // A sync that is under way answers for itself.
      if (!syncing.has(instance)) bus.supersede(instance, session?.epoch ?? epochOf(instance) ?? epoch);
      return;
    }
    session.heardMs = now();
    connectivity.heard({ namespace: session.namespace, name: instance });
    const { namespace } = session;
    const byId = (id: string) => {
      const task = world.informers.Task.getByUid(uidOf(id));
      return task && newest(task);
    };
    if (session.remind(byId, now() - REMIND_MS)) schedule(session);
    connectivity.changed(world.informers.ContainerInstance.get({ namespace, name: instance }));
  }

  function goodbye({ instance, epoch }: Goodbye): void {
    const session = sessions.get(instance);
    if (session === undefined || session.epoch !== epoch) return;
    sessions.delete(instance);
    connectivity.gone({ namespace: session.namespace, name: instance });
  }

  // After a stop nothing is answered: whoever comes next will be asked again.
  const whileOpen =
    <A, B>(serve: (message: A) => Promise<B>) =>
    (message: A): Promise<B> =>
      stopped ? Promise.reject(new Error("the controllers have stopped")) : serve(message);
  bus.serve({
    sync: whileOpen(sync),
    report: whileOpen(report),
    heartbeat: (message) => void (stopped || heartbeat(message)),
    goodbye: (message) => void (stopped || goodbye(message)),
  });

  return {
    taskChanged(before, after) {
      const task = after ?? before;
      const session = task && sessionOf(task);
      if (session === undefined || task === undefined) return;
      const news = after === undefined ? session.gone(ecsId(task.metadata.uid)) : session.saw(after);
      if (news) schedule(session);
    },
    instanceGone({ metadata, status }) {
      const session = sessions.get(metadata.name);
      if (session === undefined || session.namespace !== metadata.namespace) return;
      sessions.delete(metadata.name);
      bus.supersede(metadata.name, status?.epoch ?? session.epoch);
    },
    invite() {
      for (const { metadata, status } of world.informers.ContainerInstance.list()) {
        if (status?.epoch !== undefined && !sessions.has(metadata.name)) bus.supersede(metadata.name, status.epoch);
      }
    },
    stop() {
      stopped = true;
      if (flush) clearImmediate(flush);
      sessions.clear();
    },
  };
}

const uidOf = (id: string): string => id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");

/** Makes or renews the machine's object, with the next epoch. @throws where its cluster is missing (decision A1) */
async function register(
  { world, client, objects, arnsOf, now }: SessionsDeps,
  request: SyncRequest,
): Promise<ContainerInstance> {
  const { namespace, instance: name } = request;
  const cluster = clusterNameOf(request.cluster);
  if (world.cluster(namespace, cluster) === undefined) {
    if (cluster !== DEFAULT_CLUSTER) throw new Error(`Cluster not found: ${cluster}`);
    await ensureDefaultCluster(client, namespace);
  }
  const arns = arnsOf(namespace);
  const ref = { namespace, name };
  for (;;) {
    const known = await objects.changeStatus("ContainerInstance", ref, (current) =>
      registered(current, request, arns, now()),
    );
    if (known) return known;
    try {
      const spec = { cluster, status: "ACTIVE" as const };
      const made = await client.create(
        "ContainerInstance",
        { apiVersion: "davit.dev/v1", kind: "ContainerInstance", metadata: ref, spec },
        { fieldManager: MANAGER },
      );
      objects.wrote("ContainerInstance", made);
    } catch (error) {
      if (!(error instanceof ApiError && error.reason === "AlreadyExists")) throw error;
    }
  }
}

async function ensureDefaultCluster(client: SessionsDeps["client"], namespace: string): Promise<void> {
  try {
    const metadata = { namespace, name: DEFAULT_CLUSTER };
    await client.create("Cluster", { apiVersion: "davit.dev/v1", kind: "Cluster", metadata, spec: {} });
  } catch (error) {
    if (!(error instanceof ApiError && error.reason === "AlreadyExists")) throw error;
  }
}
