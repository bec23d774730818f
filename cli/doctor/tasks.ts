// Tasks that wait too long, tasks that nobody is sure of, and containers that belong to nobody.
import { getCondition } from "../../api/conditions.js";
import type { ContainerInstance, Task } from "../../api/types.gen.js";
import { isUnconfirmed } from "../../controllers/task/lost.js";
import { isPending, stopAsked } from "../../controllers/task/view.js";
import { probeKey } from "../api/probes.js";
import {
  type Check,
  duration,
  type Facts,
  type Finding,
  machineName,
  namespaceFlag,
  note,
  problem,
  serverTime,
} from "./facts.js";

const LONG_PENDING_MS = 60_000;
/** Of the same kind: who has a thousand does not want to read each. */
const SHOWN = 10;

export const taskChecks: readonly Check[] = [
  (facts) =>
    shortened(
      facts.tasks.filter((task) => isPending(task) && !stopAsked(task) && waitsMs(task, facts) > LONG_PENDING_MS),
      (task) =>
        problem(
          "pending task",
          `Task ${task.metadata.name} has been ${task.status?.lastStatus ?? "new"} for ${duration(waitsMs(task, facts))}: ${whyPending(task)}`,
          `\`davit describe task ${task.metadata.name}${namespaceFlag(task.metadata)}\` says more; \`davit top instances\` shows where there is room.`,
        ),
      (more) => problem("pending task", `${more} more tasks wait.`, "`davit get tasks -A` lists them."),
    ),

  (facts) =>
    shortened(
      facts.tasks.filter(isUnconfirmed),
      (task) => {
        const instance = instanceOf(task, facts);
        const name = instance ? machineName(instance) : (task.spec.containerInstance ?? "its machine").slice(0, 12);
        const id = `${(task.spec.containerInstance ?? "").slice(0, 12)}${namespaceFlag(task.metadata)}`;
        return problem(
          "unconfirmed stop",
          `Task ${task.metadata.name} counts as stopped, but ${name} has not confirmed it: its containers may still run there.`,
          `Bring the machine back, which removes them; or see that it is off for good, and then \`davit deregister ${id} --force\`.`,
        );
      },
      (more) =>
        problem(
          "unconfirmed stop",
          `${more} more stopped tasks are not confirmed.`,
          "`davit get tasks -A --stopped` lists them.",
        ),
    ),

  ({ instances, probes }) =>
    instances.flatMap((instance) => {
      const orphans = probes.get(probeKey(instance))?.answer?.orphans ?? [];
      return [...orphanFindings(instance, orphans, false), ...orphanFindings(instance, orphans, true)];
    }),
];

type Orphans = readonly { name: string; deliberate: boolean }[];

function orphanFindings(instance: ContainerInstance, all: Orphans, deliberate: boolean): Finding[] {
  const orphans = all.filter((orphan) => orphan.deliberate === deliberate);
  if (orphans.length === 0) return [];
  const count = `${orphans.length} container${orphans.length === 1 ? "" : "s"}`;
  const names = orphans.map(({ name }) => name);
  const remedy = `There: \`docker rm -f ${names.join(" ")}\``;
  return deliberate
    ? [
        note(
          "orphan",
          `${machineName(instance)} has ${count} let go by \`davit deregister --orphan\`.`,
          `${remedy} when they are not wanted any more.`,
        ),
      ]
    : [
        problem(
          "orphan",
          `${machineName(instance)} has ${count} of Davit's that belong to no task of it: ${names.join(", ")}.`,
          `${remedy}.`,
        ),
      ];
}

const waitsMs = (task: Task, facts: Facts): number =>
  serverTime(facts, facts.nowMs) - Date.parse(task.status?.createdAt ?? task.metadata.creationTimestamp);

function whyPending({ status }: Task): string {
  const placed = getCondition(status?.conditions, "Placed");
  if (placed?.status === "False" && placed.message !== "") return placed.message;
  const said = status?.containers?.find(({ reason }) => reason !== undefined)?.reason;
  const ready = getCondition(status?.conditions, "Ready");
  return said ?? (ready?.status === "False" && ready.message !== "" ? ready.message : "no reason is known.");
}

const instanceOf = (task: Task, { instances }: Facts): ContainerInstance | undefined =>
  instances.find(
    ({ metadata }) => metadata.name === task.spec.containerInstance && metadata.namespace === task.metadata.namespace,
  );

function shortened<T>(all: readonly T[], one: (item: T) => Finding, rest: (more: number) => Finding): Finding[] {
  const shown = all.slice(0, SHOWN).map(one);
  return all.length > SHOWN ? [...shown, rest(all.length - SHOWN)] : shown;
}
