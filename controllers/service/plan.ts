// Which deployments a service has: task sets to make, promote, supersede and remove. State in, plan out; how many
// tasks start and stop within them is decided in `taskset/plan.ts`.
import { parseRevisionReference } from "../../api/names.js";
import type { Service, TaskDefinitionRevision, TaskSet } from "../../api/types.gen.js";
import { ANNOTATION } from "../labels.js";
import type { Counts } from "../task/view.js";
import { nameOfRevision, type Resolution } from "./resolve.js";
import { type Template, taskSetName, templateOf } from "./template.js";

/** What the service controller may do. */
export interface ServiceSteps {
  createTaskSet: { name: string; template: Template; desiredCount: number };
  setTaskSet: { set: TaskSet; role: TaskSet["spec"]["role"]; desiredCount: number };
  deleteTaskSet: { set: TaskSet };
  /** The last step of a deletion. */
  release: Record<never, never>;
}
export type Step<K extends keyof ServiceSteps = keyof ServiceSteps> = {
  [P in K]: { kind: P } & ServiceSteps[P];
}[K];

export interface SetView {
  set: TaskSet;
  counts: Counts;
}

export interface ServiceInput {
  service: Service;
  cluster: string;
  sets: readonly SetView[];
  /** Why nothing may be started: a missing cluster, a field that is not acted on. */
  problem?: Problem;
  resolution: Resolution;
  /** The text behind the followed revision has changed and its revision is still to come. */
  definitionPending: boolean;
  nowMs: number;
}

export interface Problem {
  reason: string;
  message: string;
}

export interface ServicePlan {
  steps: Step[];
  /** The task set that is wanted, whether it is there already or not. */
  primary?: string;
  problem?: Problem;
  recheckAtMs?: number;
}

/** A followed revision is deployed when so long nothing newer came: the apply that made it is over (decision A2). */
export const QUIET_MS = 1_000;

/** Absent means 1 (decision A32). */
export const desiredCountOf = (service: Service): number =>
  service.metadata.deletionTimestamp === undefined ? (service.spec.desiredCount ?? 1) : 0;

export function planService(input: ServiceInput): ServicePlan {
  if (input.service.metadata.deletionTimestamp !== undefined) return planDeletion(input);
  const { service, sets, nowMs } = input;
  const current = sets.find(({ set }) => set.spec.role === "PRIMARY")?.set;
  // A definition whose revision is still to come is no mistake.
  const unresolved = input.resolution.ok || input.definitionPending ? undefined : withoutOk(input.resolution);
  const problem = input.problem ?? unresolved;
  const keep = (recheckAtMs?: number): ServicePlan => ({
    steps: current === undefined ? [] : arrange(input, current.metadata.name),
    ...(current && { primary: current.metadata.name }),
    ...(problem && { problem }),
    ...(recheckAtMs !== undefined && { recheckAtMs }),
  });
  // What runs keeps running, and can be scaled, when what is wanted cannot be had.
  if (problem !== undefined || !input.resolution.ok) return keep();

  const { revision } = input.resolution;
  const follows = parseRevisionReference(service.spec.taskDefinition ?? "")?.revision === undefined;
  if (follows && input.definitionPending) return keep();
  const template = templateOf(service, input.cluster, nameOfRevision(revision));
  const name = taskSetName(service, template);
  if (follows && current !== undefined && current.metadata.name !== name && !sameBatch(service, revision)) {
    const quietAtMs = registeredAtMs(revision) + QUIET_MS;
    if (quietAtMs > nowMs) return keep(quietAtMs);
  }
  const exists = sets.some(({ set }) => set.metadata.name === name && set.metadata.deletionTimestamp === undefined);
  if (exists) return { steps: arrange(input, name), primary: name };
  // An equal one on its way out must be gone before another can take its name.
  if (sets.some(({ set }) => set.metadata.name === name)) return keep();
  const create: Step = { kind: "createTaskSet", name, template, desiredCount: desiredCountOf(service) };
  // The new one first: with no primary set nothing would be kept up meanwhile.
  return { steps: [create, ...arrange(input, name)], primary: name };
}

const withoutOk = ({ reason, message }: Problem): Problem => ({ reason, message });

const registeredAtMs = ({ status, metadata }: TaskDefinitionRevision): number =>
  Date.parse(status?.registeredAt ?? metadata.creationTimestamp);

/** Both were written by one apply, which the service's own writing has ended. */
function sameBatch(service: Service, revision: TaskDefinitionRevision): boolean {
  const batch = service.metadata.annotations?.[ANNOTATION.batch];
  return batch !== undefined && batch === revision.metadata.annotations?.[ANNOTATION.batch];
}

/** Every set in its role: one PRIMARY with the service's count, the others on their way out, the empty ones gone. */
function arrange({ service, sets }: ServiceInput, primary: string): Step[] {
  const steps: Step[] = [];
  for (const { set, counts } of sets) {
    if (set.metadata.deletionTimestamp !== undefined) continue;
    const wanted = set.metadata.name === primary;
    const role = wanted ? "PRIMARY" : "ACTIVE";
    const desiredCount = wanted ? desiredCountOf(service) : 0;
    if (set.spec.role !== role || set.spec.desiredCount !== desiredCount) {
      steps.push({ kind: "setTaskSet", set, role, desiredCount });
    } else if (!wanted && isEmpty(counts)) {
      steps.push({ kind: "deleteTaskSet", set });
    }
  }
  return steps;
}

function planDeletion({ sets }: ServiceInput): ServicePlan {
  if (sets.length === 0) return { steps: [{ kind: "release" }] };
  const steps: Step[] = [];
  for (const { set, counts } of sets) {
    if (set.metadata.deletionTimestamp !== undefined) continue;
    const { role } = set.spec;
    if (set.spec.desiredCount !== 0) steps.push({ kind: "setTaskSet", set, role, desiredCount: 0 });
    else if (isEmpty(counts)) steps.push({ kind: "deleteTaskSet", set });
  }
  return { steps };
}

/** Also of lost machines' tasks: they would go with it, while their containers may live. */
const isEmpty = ({ alive, setAside }: Counts): boolean => alive === 0 && setAside === 0;
