// One agent's session: what it has been told, and what is still to be said. Knows no bus and no clock.
import { ecsId } from "../../api/arn.js";
import type { Task, TaskDefinitionRevisionSpec } from "../../api/types.gen.js";
import type { Assignment, AssignmentPush, InstanceId, Revisions, TaskId } from "../../bus/messages.js";
import { assignmentOf, isAssigned, wantedOf } from "../task/assignment.js";
import { isStopped } from "../task/view.js";

interface Told {
  desired: "RUNNING" | "STOPPED";
  atMs: number;
  /** The agent has reported the task since: it knows of it. */
  confirmed: boolean;
  /** Of the last report that was stored; a report at or below it is old. */
  seq: number;
}

export type DefinitionOf = (task: Task) => TaskDefinitionRevisionSpec | undefined;

export class Session {
  /** Of the last push. */
  seq = 0;
  heardMs: number;
  private readonly told = new Map<TaskId, Told>();
  private readonly revisions = new Set<string>();
  private readonly changed = new Map<TaskId, Task>();
  private readonly forget = new Set<TaskId>();

  constructor(
    readonly instance: InstanceId,
    readonly namespace: string,
    readonly epoch: number,
    private readonly definitionOf: DefinitionOf,
    nowMs: number,
  ) {
    this.heardMs = nowMs;
  }

  /** The complete list, for the answer to a sync. */
  open(tasks: Iterable<Task>, nowMs: number): { assignments: Assignment[]; revisions: Revisions } {
    for (const task of tasks) if (isAssigned(task)) this.changed.set(ecsId(task.metadata.uid), task);
    return this.take(nowMs);
  }

  /** A task bound to this machine has changed. @returns whether there is something to say */
  saw(task: Task): boolean {
    const id = ecsId(task.metadata.uid);
    if (isStopped(task)) return this.gone(id);
    if (!isAssigned(task) || this.told.get(id)?.desired === wantedOf(task)) return false;
    this.changed.set(id, task);
    return true;
  }

  /** The task is STOPPED, or its object is gone. */
  gone(id: TaskId): boolean {
    this.changed.delete(id);
    if (!this.told.delete(id)) return false;
    this.forget.add(id);
    return true;
  }

  /** Everything that is to be said now as one push; undefined if that is nothing. */
  push(nowMs: number): AssignmentPush | undefined {
    if (this.changed.size === 0 && this.forget.size === 0) return undefined;
    const forget = [...this.forget];
    this.forget.clear();
    this.seq += 1;
    return { type: "davit.v1.AssignmentPush", epoch: this.epoch, seq: this.seq, ...this.take(nowMs), forget };
  }

  /** What the agent has been told and not answered for so long is told again: a lost push that no other one follows
   *  would not be seen. */
  remind(find: (id: TaskId) => Task | undefined, olderThanMs: number): boolean {
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
    told.confirmed = told.desired === "RUNNING" || state === "STOPPING" || state === "STOPPED";
  }

  private take(nowMs: number): { assignments: Assignment[]; revisions: Revisions } {
    const assignments: Assignment[] = [];
    const revisions: Revisions = {};
    for (const [id, task] of this.changed) {
      const assignment = assignmentOf(task);
      const name = `${assignment.namespace}/${assignment.revision}`;
      if (!this.revisions.has(name)) {
        const definition = this.definitionOf(task);
        // Without its definition a task cannot be run; it is told when that is there.
        if (definition === undefined) continue;
        revisions[name] = definition;
        this.revisions.add(name);
      }
      const seq = this.told.get(id)?.seq ?? 0;
      this.told.set(id, { desired: assignment.desiredStatus, atMs: nowMs, confirmed: false, seq });
      assignments.push(assignment);
    }
    this.changed.clear();
    return { assignments, revisions };
  }
}
