// A control plane and a bus in memory, as small as the protocol allows, with messages that get lost, doubled or late.
import type {
  Assignment,
  AssignmentPush,
  Goodbye,
  Heartbeat,
  Refusal,
  ReportAnswer,
  ReportBatch,
  Revisions,
  SyncAnswer,
  SyncRequest,
  TaskId,
  TaskReport,
} from "../../../bus/messages.js";
import type { AgentBus } from "../../../bus/transport.js";

export interface Faults {
  /** Parts from 0 to 1 of all messages. */
  loss: number;
  duplication: number;
  /** Messages take a random time up to this, so they overtake each other. */
  delayMs: number;
}

type Handlers = Parameters<AgentBus["serve"]>[0];

interface Stored {
  assignment: Assignment;
  report?: TaskReport;
  /** States in the order in which they were stored. */
  history: TaskReport["state"][];
}

export interface Control {
  faults: Faults;
  readonly tasks: Map<TaskId, Stored>;
  readonly counts: { syncs: number; reports: number; pushes: number; heartbeats: number };
  readonly goodbyes: Goodbye[];
  readonly syncs: SyncRequest[];
  revisions: Revisions;
  epoch: number;
  heartbeatMs: number;
  /** No session is opened, for this reason. */
  refusal: Refusal | undefined;
  /** Called when the agent gets an answer to a sync. */
  onSyncAnswer: (answer: SyncAnswer) => void;
  /** Batches of reports in the order in which they came. */
  readonly batches: ReportBatch[];
  /** A fresh end of the bus for the agent. */
  connect(): AgentBus & { handlers(): Handlers | undefined };
  assign(...assignments: Assignment[]): void;
  stop(task: TaskId, code?: Assignment["stopCode"], reason?: string): void;
  /** As a control plane that lost a task's object. */
  drop(task: TaskId): void;
  /** Sends any push to the agent. */
  push(message: AssignmentPush): void;
  /** The machine is deregistered by `--orphan`: its tasks are STOPPED here, and the agent lets go. */
  orphan(): void;
  supersede(epoch: number): void;
  /** The connection of all ends goes away and comes back. */
  setConnected(connected: boolean): void;
  state(task: TaskId): TaskReport["state"] | undefined;
}

const ORDER = ["PENDING", "RUNNING", "STOPPING", "STOPPED"];
export const goesForward = (history: readonly string[]): boolean =>
  history.every((state, at) => at === 0 || ORDER.indexOf(state) >= ORDER.indexOf(history[at - 1] ?? ""));

export function createControl(random: () => number = () => 0.5): Control {
  const tasks = new Map<TaskId, Stored>();
  const ends = new Set<{ handlers: Handlers | undefined; listeners: Set<(connected: boolean) => void> }>();
  const counts = { syncs: 0, reports: 0, pushes: 0, heartbeats: 0 };
  let connected = true;
  let seq = 0;
  let changed = new Set<TaskId>();
  let forgotten = new Set<TaskId>();
  let scheduled = false;

  /** How often a message arrives, and when. */
  function travel(deliver: () => void): void {
    const { loss, duplication, delayMs } = control.faults;
    const times = random() < loss ? 0 : random() < duplication ? 2 : 1;
    for (let time = 0; time < times; time++) {
      if (delayMs === 0) queueMicrotask(deliver);
      else setTimeout(deliver, random() * delayMs);
    }
  }

  function flush(): void {
    if (scheduled) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      if (control.epoch === 0) return;
      seq += 1;
      const assignments = [...changed].flatMap((task) => tasks.get(task)?.assignment ?? []);
      control.push({
        type: "davit.v1.AssignmentPush",
        epoch: control.epoch,
        seq,
        assignments,
        revisions: revisionsOf(assignments),
        forget: [...forgotten],
      });
      changed = new Set();
      forgotten = new Set();
    });
  }

  const revisionsOf = (assignments: Assignment[]): Revisions =>
    Object.fromEntries(
      Object.entries(control.revisions).filter(([key]) =>
        assignments.some(({ namespace, revision }) => key === `${namespace}/${revision}`),
      ),
    );

  function fold(report: TaskReport): boolean {
    const stored = tasks.get(report.task);
    if (!stored) return false;
    const at = stored.report;
    if (at && (at.state === "STOPPED" || at.seq >= report.seq)) return true;
    stored.report = report;
    if (stored.history.at(-1) !== report.state) stored.history.push(report.state);
    if (report.state === "STOPPED") {
      forgotten.add(report.task);
      flush();
    }
    return true;
  }

  function sync(request: SyncRequest): SyncAnswer {
    counts.syncs += 1;
    control.syncs.push(request);
    if (control.refusal) {
      const { refusal: refused, heartbeatMs } = control;
      return { type: "davit.v1.SyncAnswer", epoch: 0, seq: 0, assignments: [], revisions: {}, heartbeatMs, refused };
    }
    control.epoch = Math.max(control.epoch, request.epoch ?? 0) + 1;
    seq = 0;
    changed = new Set();
    forgotten = new Set();
    for (const { report } of tasks.values()) if (report) report.seq = 0;
    // An inventory made before the agent knows its assignments may not see that a task has run: states only go forward.
    for (const report of request.tasks)
      if (report.state !== "PENDING" || tasks.get(report.task)?.report === undefined) fold(report);
    const live = [...tasks.values()].filter(({ report }) => report?.state !== "STOPPED");
    const assignments = live.map(({ assignment, report }) => ({
      ...assignment,
      lastStatus: report?.state ?? "PENDING",
    }));
    return {
      type: "davit.v1.SyncAnswer",
      epoch: control.epoch,
      seq,
      assignments,
      revisions: revisionsOf(assignments),
      heartbeatMs: control.heartbeatMs,
      containerInstanceArn: `arn:aws:ecs:local:000000000000:container-instance/default/${request.instance}`,
    };
  }

  function report(batch: ReportBatch): ReportAnswer {
    counts.reports += batch.reports.length;
    control.batches.push(batch);
    if (batch.epoch !== control.epoch) return { type: "davit.v1.ReportAnswer", ok: false, superseded: true };
    const unknown = batch.reports.filter((one) => !fold(one)).map(({ task }) => task);
    return { type: "davit.v1.ReportAnswer", ok: true, ...(unknown.length > 0 && { unknown }) };
  }

  /** A request: both ways can fail, and the answer can come after the caller has given up. */
  function ask<A>(serve: () => A, timeoutMs: number): Promise<A> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
      if (!connected) return;
      travel(() => {
        if (!connected) return;
        const answer = structuredClone(serve());
        travel(() => {
          clearTimeout(timer);
          resolve(answer);
        });
      });
    });
  }

  const control: Control = {
    faults: { loss: 0, duplication: 0, delayMs: 0 },
    tasks,
    counts,
    goodbyes: [],
    syncs: [],
    revisions: {},
    epoch: 0,
    heartbeatMs: 50,
    refusal: undefined,
    onSyncAnswer: () => {},
    batches: [],
    connect() {
      const end: { handlers: Handlers | undefined; listeners: Set<(connected: boolean) => void> } = {
        handlers: undefined,
        listeners: new Set(),
      };
      ends.add(end);
      return {
        handlers: () => end.handlers,
        connected: () => connected && ends.has(end),
        onConnection(listener) {
          end.listeners.add(listener);
          return () => end.listeners.delete(listener);
        },
        async close() {
          ends.delete(end);
        },
        async sync(request, timeoutMs) {
          const answer = await ask(() => sync(structuredClone(request)), timeoutMs);
          if (ends.has(end)) control.onSyncAnswer(answer);
          return answer;
        },
        report: (batch, timeoutMs) => ask(() => report(structuredClone(batch)), timeoutMs),
        heartbeat: (_message: Heartbeat) => {
          if (connected) counts.heartbeats += 1;
        },
        goodbye: (message) => void control.goodbyes.push(message),
        serve(handlers) {
          end.handlers = handlers;
        },
      };
    },
    assign(...assignments) {
      for (const assignment of assignments) {
        tasks.set(assignment.task, { assignment, history: [] });
        changed.add(assignment.task);
      }
      flush();
    },
    stop(task, stopCode = "UserInitiated", stopReason = "Task stopped by user") {
      const stored = tasks.get(task);
      if (!stored) return;
      stored.assignment = { ...stored.assignment, desiredStatus: "STOPPED", stopCode, stopReason };
      changed.add(task);
      flush();
    },
    drop: (task) => void tasks.delete(task),
    push(message) {
      counts.pushes += 1;
      if (!connected) return;
      const copy = structuredClone(message);
      for (const end of ends) travel(() => connected && ends.has(end) && end.handlers?.push(copy));
    },
    orphan() {
      const forget = [...tasks.keys()];
      tasks.clear();
      seq += 1;
      control.push({
        type: "davit.v1.AssignmentPush",
        epoch: control.epoch,
        seq,
        assignments: [],
        revisions: {},
        forget,
        orphan: true,
      });
    },
    supersede(epoch) {
      for (const end of ends) end.handlers?.superseded(epoch);
    },
    setConnected(next) {
      connected = next;
      for (const { listeners } of ends) for (const listener of listeners) listener(next);
    },
    state: (task) => tasks.get(task)?.report?.state,
  };
  return control;
}
