// Every label, annotation, finalizer and name that controllers put on objects, so that each is spelled once.

import { objectName } from "../api/names.js";

/** The field manager of all that controllers write. */
export const MANAGER = "davit-controllers";

export const LABEL = {
  cluster: "davit.dev/cluster",
  service: "davit.dev/service",
  taskSet: "davit.dev/task-set",
  family: "davit.dev/family",
  /** Which of a task set's places a task fills: a replacement takes the place of the task that it replaces. */
  slot: "davit.dev/slot",
  /** On tasks made by `davit run`: retention may remove them. */
  run: "davit.dev/run",
} as const;

/** A name as a label's value, which has 63 characters at most. */
export const labelValue = (name: string): string => (name.length <= 63 ? name : objectName(name));

export const ANNOTATION = {
  /** How many tasks in a row failed to start in this slot before this one. */
  attempt: "davit.dev/attempt",
  /** Name of the task of a lost machine in whose place this one was started. */
  standsInFor: "davit.dev/stands-in-for",
  /** Set by `davit rollout restart`: part of what makes a deployment distinct. */
  restartedAt: "davit.dev/restartedAt",
  /** One apply of many objects carries one id: the deployment waits for all of them (decision A2). */
  batch: "davit.dev/batch",
  /** On a TaskDefinition that was imported: the number that its revision had where it came from. */
  importedRevision: "davit.dev/revision",
  /** On a TaskDefinitionFamily: content hash of the text for which `lastRevision` was given out. */
  reservedFor: "davit.dev/reserved-for",
} as const;

export const FINALIZER = {
  cluster: "davit.dev/empty-cluster",
  taskDefinition: "davit.dev/deregister",
  service: "davit.dev/drain-service",
  taskSet: "davit.dev/drain-task-set",
  task: "davit.dev/stop-task",
  instance: "davit.dev/deregister-instance",
} as const;
