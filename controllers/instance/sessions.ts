// The agents' sessions: sync, pushes, reports, heartbeats. Made anew from the store after a restart: an agent whose
// session is not known is told so, and opens another. A machine that has fallen silent has none: whatever became of
// its tasks, it learns of that by its next sync, before it does anything else.
import { ecsId } from "../../api/arn.js";
import { keyOf } from "../../api/references.js";
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
import type { Ref } from "../../client/object-client.js";
import { inParallel } from "../parallel.js";
import type { Reports } from "../task/reports.js";
import type { Connectivity } from "./connectivity.js";
import { createPushes } from "./pushes.js";
import { refusalAnswer } from "./refusal-answer.js";
import { type RegisterDeps, refuse, register } from "./register.js";
import { undisturbed } from "./registration.js";
import { createRivals, type Present } from "./rivals.js";
import { type AssignmentFacts, Session } from "./session.js";
import { createSyncQueue } from "./sync-queue.js";

export interface SessionsDeps extends RegisterDeps {
  bus: ControlBus;
  reports: Reports;
  connectivity: Connectivity;
  facts: AssignmentFacts;
  heartbeatMs: number;
  /** A session has opened, or a machine has got rid of something that was no longer its own. `key`: of the instance. */
  onNews(key: string): void;
  /** A machine says goodbye: its session has ended, but for one that leaves, whose agent stays for a while. */
  onGoodbye(instance: Ref, kind: Goodbye["kind"]): void;
}

export interface Sessions {
  /** The open session of this machine. */
  of(instance: Ref): Session | undefined;
  /** What the machine says from now on does not count before it has synced again. */
  end(instance: Ref): void;
  /** Ends its session, and shows it as disconnected at once. */
  turnOut(instance: Ref): Promise<void>;
  /** The agent is to let go of all containers, for good; ends the session. */
  orphan(instance: Ref): void;
  /** A task has changed, or its object is gone (`after` undefined). */
  taskChanged(before: Task | undefined, after: Task | undefined): void;
  /** What is to happen to these tasks when their machines are lost may have changed. */
  policyChanged(tasks: Iterable<Task>): void;
  /** The machine's object is gone: its session ends. */
  instanceGone(instance: ContainerInstance): void;
  /** Tells every machine of the store that its session is over: after a start there is none. */
  invite(): void;
  stop(): void;
}

/** What was told and is not confirmed by a report after so long is told again. */
const REMIND_MS = 5_000;
/** After so many heartbeats a machine that had what was no longer its own is asked what it has now. */
const LEFTOVER_HEARTBEATS = 4;

export function createSessions(deps: SessionsDeps): Sessions {
  const { bus, world, objects, now, connectivity, log, heartbeatMs } = deps;
  const sessions = new Map<InstanceId, Session>();
  const syncs = createSyncQueue();
  const rivals = createRivals(now, heartbeatMs);
  /** Machines of which this process has had a session. */
  const heardHere = new Set<InstanceId>();
  let stopped = false;

  const pushes = createPushes(bus, now, (session) => sessions.get(session.instance) === session);
  const of = ({ namespace, name }: Ref): Session | undefined => {
    const session = sessions.get(name);
    return session?.namespace === namespace ? session : undefined;
  };
  const sessionOf = ({ metadata: { namespace }, spec: { containerInstance } }: Task): Session | undefined =>
    containerInstance === undefined ? undefined : of({ namespace, name: containerInstance });
  const epochOf = (name: InstanceId): number | undefined =>
    world.informers.ContainerInstance.byIndex("name", name)[0]?.status?.epoch;
  const newest = (task: Task): Task => objects.newest("Task", task.metadata) ?? task;

  function end(instance: Ref): Session | undefined {
    const session = of(instance);
    if (session) sessions.delete(session.instance);
    return session;
  }

  async function turnOut(instance: Ref): Promise<void> {
    end(instance);
    const connected = objects.newest("ContainerInstance", instance)?.status?.agentConnected;
    if (connected) await connectivity.gone(instance);
  }

  const sync = (request: SyncRequest): Promise<SyncAnswer> => syncs.run(request.instance, () => open(request));

  async function open(request: SyncRequest): Promise<SyncAnswer> {
    const ref = { namespace: request.namespace, name: request.instance };
    const stranger = rivals.meet(request, sessions.get(request.instance) ?? storedPresent(ref));
    if (stranger) {
      if (stranger.reason !== "Busy") await refuse(deps, ref, stranger);
      return refusalAnswer(stranger, heartbeatMs);
    }
    const outcome = await register(deps, request);
    if ("refused" in outcome) {
      log.warn({ instance: request.instance, reason: outcome.refused.reason }, outcome.refused.message);
      await turnOut(ref);
      return refusalAnswer(outcome.refused, heartbeatMs);
    }
    const { instance } = outcome;
    const epoch = instance.status?.epoch ?? 0;
    // From here on the former session's messages are old.
    sessions.delete(request.instance);
    connectivity.heard(keyOf(ref));
    // What the agent has is folded in like reports. What it has lost it will report itself: it is told what ran.
    await inParallel(request.tasks, async (report) => {
      await deps.reports.fold(request.instance, report);
    });
    const session = new Session(request, epoch, deps.facts, now());
    const answer = session.open(world.tasksOn(ref).map(newest), request.tasks, now());
    sessions.set(request.instance, session);
    heardHere.add(request.instance);
    heard(session);
    deps.onNews(session.key);
    log.info({ instance: request.instance, epoch, assignments: answer.assignments.length }, "agent synced");
    const arn = instance.status?.containerInstanceArn;
    return {
      type: "davit.v1.SyncAnswer",
      epoch,
      seq: 0,
      ...answer,
      heartbeatMs,
      ...(arn !== undefined && { containerInstanceArn: arn }),
    };
  }

  /** A control plane that has just begun has heard nobody yet: whoever was connected before has the first right. */
  function storedPresent(ref: Ref): Present | undefined {
    if (heardHere.has(ref.name)) return undefined;
    const status = objects.newest("ContainerInstance", ref)?.status;
    return status?.agentConnected ? { bootId: status.bootId, hostname: status.hostname, heardMs: 0 } : undefined;
  }

  async function report(batch: ReportBatch): Promise<ReportAnswer> {
    const session = sessions.get(batch.instance);
    if (session === undefined || session.epoch !== batch.epoch) {
      return { type: "davit.v1.ReportAnswer", ok: false, superseded: true };
    }
    heard(session);
    const unknown: string[] = [];
    await inParallel(batch.reports, async (each) => {
      if (session.isOld(each.task, each.seq)) return;
      const known = await deps.reports.fold(batch.instance, each);
      if (!known) unknown.push(each.task);
      else session.reported(each.task, each.seq, each.state);
      if (each.state === "STOPPED" && session.hasLeftover(each.task)) {
        session.leftoverGone(each.task);
        deps.onNews(session.key);
      }
    });
    return { type: "davit.v1.ReportAnswer", ok: true, ...(unknown.length > 0 && { unknown }) };
  }

  function heard(session: Session): void {
    session.heardMs = now();
    connectivity.heard(session.key);
  }

  function heartbeat({ instance, epoch }: Heartbeat): void {
    const session = sessions.get(instance);
    if (session === undefined || session.epoch !== epoch) {
      // A sync that is under way answers for itself.
      if (!syncs.has(instance)) bus.supersede(instance, session?.epoch ?? epochOf(instance) ?? epoch);
      return;
    }
    heard(session);
    if (session.remind(taskOf, now() - REMIND_MS)) pushes.schedule(session);
    // An agent does not report what it removes because it was not named: it is asked what it has by now.
    if (session.leftoverCount > 0 && now() - session.openedMs > LEFTOVER_HEARTBEATS * heartbeatMs)
      bus.supersede(instance, epoch);
    if (rivals.size() > 0) for (const settled of rivals.settled()) void calm(settled);
  }
  const taskOf = (id: string): Task | undefined => {
    const task = world.informers.Task.getByUid(uidOf(id));
    return task && newest(task);
  };

  /** A stranger with this identity was there, and is no more. */
  async function calm(instance: InstanceId): Promise<void> {
    const session = sessions.get(instance);
    if (session === undefined) return;
    const ref = { namespace: session.namespace, name: instance };
    await objects
      .changeStatus("ContainerInstance", ref, (current) => undisturbed(current, now()))
      .catch((error) => log.warn({ instance, error: String(error) }, "not written that a stranger has gone"));
  }

  function goodbye({ instance, epoch, kind }: Goodbye): void {
    const session = sessions.get(instance);
    if (session === undefined || session.epoch !== epoch) return;
    const ref = { namespace: session.namespace, name: instance };
    log.info({ instance, kind }, "agent says goodbye");
    if (kind !== "leave") sessions.delete(instance);
    deps.onGoodbye(ref, kind);
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
    of,
    end: (instance) => void end(instance),
    turnOut,
    orphan(instance) {
      const session = end(instance);
      if (session) bus.push(session.instance, session.orphan());
    },
    taskChanged(before, after) {
      const task = after ?? before;
      const session = task && sessionOf(task);
      if (session === undefined || task === undefined) return;
      const news = after === undefined ? session.gone(ecsId(task.metadata.uid)) : session.saw(after);
      if (news) pushes.schedule(session);
    },
    policyChanged(tasks) {
      for (const task of tasks) {
        const session = sessionOf(task);
        if (session?.policyChanged(newest(task))) pushes.schedule(session);
      }
    },
    instanceGone({ metadata, status }) {
      const session = end(metadata);
      heardHere.delete(metadata.name);
      if (session) bus.supersede(metadata.name, status?.epoch ?? session.epoch);
    },
    invite() {
      for (const { metadata, status } of world.informers.ContainerInstance.list()) {
        if (status?.epoch !== undefined && !sessions.has(metadata.name)) bus.supersede(metadata.name, status.epoch);
      }
    },
    stop() {
      stopped = true;
      pushes.stop();
      sessions.clear();
    },
  };
}

const uidOf = (id: string): string => id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
