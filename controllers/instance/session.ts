// One agent's session: what it has been told, and what is still to be said. Knows no bus and no clock.
import { ecsId } from "../../api/arn.js";
import { keyOf } from "../../api/references.js";
import type { Task, TaskDefinitionRevisionSpec } from "../../api/types.gen.js";
import type {
  Assignment,
  AssignmentPush,
  InstanceId,
  Revisions,
  SyncRequest,
  TaskId,
  TaskReport,
} from "../../bus/messages.js";
import { assignmentOf, isAssigned, wantedOf } from "../task/assignment.js";
import { isStopped } from "../task/view.js";

interface Told {
  desired: "RUNNING" | "STOPPED";
  stopWhenLostAfterMs: number | undefined;
  atMs: number;
  /** The agent has reported the task since: it knows of it. */
  confirmed: boolean;
  /** Of the last report that was stored; a report at or below it is old. */
  seq: number;
}

/** What a task's assignment is made of besides the task. */
export interface AssignmentFacts {
  definitionOf(task: Task): TaskDefinitionRevisionSpec | undefined;
  stopWhenLostAfterMs(task: Task): number | undefined;
}

export class Session {
  readonly instance: InstanceId;
  readonly namespace: string;
  /** `<namespace>/<instance>` */
  readonly key: string;
  readonly hostname: string;
  readonly bootId: string | undefined;
  /** Of the last push. */
  seq = 0;
  heardMs: number;
  private readonly told = new Map<TaskId, Told>();
  /** How many of those are not confirmed. */
  private unconfirmed = 0;
  private readonly revisions = new Set<string>();
  private readonly changed = new Map<TaskId, Task>();
  private readonly forget = new Set<TaskId>();
  /** What the agent had when the session opened and is not its own any more. */
  private readonly leftovers = new Set<TaskId>();

  constructor(
    { instance, namespace, hostname, bootId }: SyncRequest,
    readonly epoch: number,
    private readonly facts: AssignmentFacts,
    readonly openedMs: number,
  ) {
    this.instance = instance;
    this.namespace = namespace;
    this.key = keyOf({ namespace, name: instance });
    this.hostname = hostname;
    this.bootId = bootId;
    this.heardMs = openedMs;
  }

  /** The complete list, for the answer to a sync. `inventory`: what the agent has. */
  open(
    tasks: Iterable<Task>,
    inventory: readonly Pick<TaskReport, "task" | "state">[],
    nowMs: number,
  ): { assignments: Assignment[]; revisions: Revisions } {
    for (const task of tasks) if (isAssigned(task)) this.changed.set(ecsId(task.metadata.uid), task);
    for (const { task, state } of inventory)
      if (state !== "STOPPED" && !this.changed.has(task)) this.leftovers.add(task);
    const answer = this.take(nowMs);
    for (const { task, state } of inventory) this.reported(task, 0, state);
    return answer;
  }

  /** A task bound to this machine has changed. @returns whether there is something to say */
  saw(task: Task): boolean {
    const id = ecsId(task.metadata.uid);
    if (isStopped(task)) return this.gone(id);
    if (!isAssigned(task) || this.told.get(id)?.desired === wantedOf(task)) return false;
    this.changed.set(id, task);
    return true;
  }

  /** What happens to the task when the machine is lost may be decided otherwise by now. */
  policyChanged(task: Task): boolean {
    const id = ecsId(task.metadata.uid);
    const told = this.told.get(id);
    if (told === undefined || told.stopWhenLostAfterMs === this.facts.stopWhenLostAfterMs(task)) return false;
    this.changed.set(id, task);
    return true;
  }

  /** The task is STOPPED, or its object is gone. */
  gone(id: TaskId): boolean {
    this.changed.delete(id);
    const told = this.told.get(id);
    if (told === undefined) return false;
    this.told.delete(id);
    if (!told.confirmed) this.unconfirmed--;
    this.forget.add(id);
    return true;
  }

  /** Everything that is to be said now as one push; undefined if that is nothing. */
  push(nowMs: number): AssignmentPush | undefined {
    if (this.changed.size === 0 && this.forget.size === 0) return undefined;
    const forget = [...this.forget];
    this.forget.clear();
    return { ...this.next(), ...this.take(nowMs), forget };
  }

  /** A push that says only that the agent is to let go of everything. */
  orphan(): AssignmentPush {
    return { ...this.next(), assignments: [], revisions: {}, forget: [], orphan: true };
  }

  /** What the agent has been told and not answered for so long is told again: a lost push that no other one follows
   *  would not be seen. */
  remind(find: (id: TaskId) => Task | undefined, olderThanMs: number): boolean {
    if (this.unconfirmed === 0) return this.changed.size > 0;
    for (const [id, { confirmed, atMs }] of this.told) {
      if (confirmed || atMs > olderThanMs) continue;
      const task = find(id);
      if (task !== undefined && isAssigned(task)) this.changed.set(id, task);
    }
    return this.changed.size > 0;
  }

  isOld(id: TaskId, seq: number): boolean {
    return seq <= (this.told.get(id)?.seq ?? 0);
  }

  /** A report of the task is stored. */
  reported(id: TaskId, seq: number, state: string): void {
    const told = this.told.get(id);
    if (told === undefined) return;
    told.seq = Math.max(told.seq, seq);
    this.confirm(told, told.desired === "RUNNING" || state === "STOPPING" || state === "STOPPED");
  }

  /** Whether the agent had this task when the session opened, though it is not its own any more. */
  hasLeftover(id: TaskId): boolean {
    return this.leftovers.has(id);
  }
  get leftoverCount(): number {
    return this.leftovers.size;
  }

  /** It has reported such a task STOPPED. */
  leftoverGone(id: TaskId): void {
    this.leftovers.delete(id);
  }

  private confirm(told: Told, confirmed: boolean): void {
    if (told.confirmed !== confirmed) this.unconfirmed += confirmed ? -1 : 1;
    told.confirmed = confirmed;
  }

  private next(): Pick<AssignmentPush, "type" | "epoch" | "seq"> {
    this.seq += 1;
    return { type: "davit.v1.AssignmentPush", epoch: this.epoch, seq: this.seq };
  }

  private take(nowMs: number): { assignments: Assignment[]; revisions: Revisions } {
    const assignments: Assignment[] = [];
    const revisions: Revisions = {};
    for (const [id, task] of this.changed) {
      const stopWhenLostAfterMs = this.facts.stopWhenLostAfterMs(task);
      const assignment = assignmentOf(task, stopWhenLostAfterMs);
      const name = `${assignment.namespace}/${assignment.revision}`;
      if (!this.revisions.has(name)) {
        const definition = this.facts.definitionOf(task);
        // Without its definition a task cannot be run; it is told when that is there.
        if (definition === undefined) continue;
        revisions[name] = definition;
        this.revisions.add(name);
      }
      const before = this.told.get(id);
      const desired = assignment.desiredStatus;
      // Of what it knows already, and only the terms of which have changed, an agent need not report again.
      const confirmed = before?.confirmed === true && before.desired === desired;
      this.unconfirmed += (confirmed ? 0 : 1) - (before === undefined || before.confirmed ? 0 : 1);
      this.told.set(id, { desired, stopWhenLostAfterMs, atMs: nowMs, confirmed, seq: before?.seq ?? 0 });
      assignments.push(assignment);
    }
    this.changed.clear();
    return { assignments, revisions };
  }
}
