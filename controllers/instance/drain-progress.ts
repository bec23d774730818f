// How far a drain is: what is left on the machine, and what each part of it waits for. Pure.
import type { NewCondition } from "../../api/conditions.js";
import type { Task } from "../../api/types.gen.js";
import { stopAsked } from "../task/view.js";
import type { LastPlan } from "../taskset/last-plans.js";

export interface DrainFacts {
  /** On the machine and not STOPPED: one that is still on its way down holds what it has, too. */
  tasks: readonly Task[];
  /** The service that a task belongs to; undefined for a standalone one. */
  serviceOf(task: Task): { key: string; name: string } | undefined;
  planOf(service: string): LastPlan | undefined;
  /** Its agent is heard. */
  agentConnected: boolean;
}

export type DrainReason =
  /** It goes on. */
  | "Draining"
  /** At least one service can do nothing more to leave. */
  | "Blocked"
  /** Only tasks of nobody are left: a drain leaves them alone (spec/04 §9.1). */
  | "StandaloneTasks"
  | "Empty";

export interface DrainProgress {
  reason: DrainReason;
  /** For a person. */
  message: string;
  /** What services should hear of themselves, by their keys: only a change of theirs lets the drain go on. (That
   *  there is no room for a task, a service says by itself.) */
  unable: ReadonlyMap<string, { name: string; why: string }>;
}

/** Named in one message. */
const MOST_SERVICES = 20;
const MOST_STANDALONE = 10;
/** A condition holds 32768 characters. */
const LONGEST_MESSAGE = 30_000;

export function drainProgress(facts: DrainFacts): DrainProgress {
  const services = new Map<string, { name: string; tasks: Task[] }>();
  const standalone: Task[] = [];
  for (const task of facts.tasks) {
    const service = facts.serviceOf(task);
    if (service === undefined) standalone.push(task);
    else {
      const known = services.get(service.key) ?? { name: service.name, tasks: [] };
      known.tasks.push(task);
      services.set(service.key, known);
    }
  }
  const unable = new Map<string, { name: string; why: string }>();
  let isBlocked = false;
  const words: string[] = [];
  for (const [key, { name, tasks }] of [...services].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const { text, blocked } = waitsFor(tasks, facts.planOf(key), facts.agentConnected);
    isBlocked ||= blocked !== undefined;
    if (blocked === "service") unable.set(key, { name, why: text });
    words.push(`service ${name} (${tasksText(tasks.length)}): ${text}`);
  }
  if (words.length > MOST_SERVICES)
    words.splice(MOST_SERVICES, words.length, `${words.length - MOST_SERVICES} more services`);
  if (standalone.length > 0) words.push(standaloneText(standalone));
  const reason: DrainReason = isBlocked
    ? "Blocked"
    : services.size > 0
      ? "Draining"
      : standalone.length > 0
        ? "StandaloneTasks"
        : "Empty";
  return {
    reason,
    message: reason === "Empty" ? "No task is left." : `${words.join("; ").slice(0, LONGEST_MESSAGE)}.`,
    unable,
  };
}

/** The condition `Drained` of a machine that drains. */
export const drainedCondition = ({ reason, message }: DrainProgress): NewCondition => ({
  type: "Drained",
  status: reason === "Empty" ? "True" : "False",
  reason,
  message,
});

function waitsFor(
  tasks: readonly Task[],
  plan: LastPlan | undefined,
  agentConnected: boolean,
): { text: string; blocked?: "service" | "room" | undefined } {
  const toMove = tasks.filter((task) => !stopAsked(task)).length;
  const unheard = agentConnected ? "" : ", and the machine's agent is not connected";
  if (toMove === 0) return { text: `stopping${unheard}` };
  if (plan === undefined) return { text: "to be replaced" };
  const { floor, ceiling, unplaced, minimumHealthyPercent, maximumPercent } = plan;
  if (plan.blocked !== undefined)
    return {
      text: `nothing may be started in their place, so what is healthy stays: ${plan.blocked}`,
      blocked: "service",
    };
  if (plan.outcome === "stuck")
    return {
      text:
        `minimumHealthyPercent ${minimumHealthyPercent} and maximumPercent ${maximumPercent} leave no move: ` +
        `floor ${floor}, ceiling ${ceiling}`,
      blocked: "service",
    };
  const replacements = replacementsText(plan);
  if (unplaced !== undefined) {
    const text = `no room for ${unplaced.count === 1 ? "a replacement" : `${unplaced.count} replacements`} (floor ${floor}, ceiling ${ceiling}): ${unplaced.why.replace(/\.$/, "")}`;
    // While others come or go there may be room yet.
    return {
      text: [replacements, text].filter((part) => part !== "").join("; "),
      blocked: replacements === "" && plan.stopping === 0 ? "room" : undefined,
    };
  }
  if (replacements !== "") return { text: replacements };
  if (plan.attempts > 0)
    return { text: `replacements fail to start (${plan.attempts} in a row) and are tried again, ever more slowly` };
  return {
    text:
      plan.stopping > 0
        ? `waits until ${tasksText(plan.stopping)} of it ${plan.stopping === 1 ? "has" : "have"} stopped`
        : "to be replaced",
  };
}

function replacementsText({ starting, waiting, unheard }: LastPlan): string {
  const parts = [
    starting > 0 && `${starting} starting`,
    waiting - unheard > 0 && `${waiting - unheard} not healthy yet`,
    unheard > 0 && `${unheard} on a machine whose agent is not connected`,
  ].filter((part) => part !== false);
  return parts.length === 0 ? "" : `replacements: ${parts.join(", ")}`;
}

const tasksText = (count: number): string => (count === 1 ? "1 task" : `${count} tasks`);

function standaloneText(tasks: readonly Task[]): string {
  const names = tasks.map(({ metadata }) => metadata.name).sort();
  const shown = names.slice(0, MOST_STANDALONE).join(", ") + (names.length > MOST_STANDALONE ? ", …" : "");
  const them = tasks.length === 1 ? "it ends or is stopped" : "they end or are stopped";
  return `${tasks.length === 1 ? "1 standalone task" : `${tasks.length} standalone tasks`}, left alone until ${them}: ${shown}`;
}
