import type { Ledger } from "./book.js";
import { type Demand, portKey } from "./demand.js";
import { ABSENT, arePortsIn, type Misfit, type Row } from "./instance.js";

/** `DISTINCT`: the machine holds a task of the group already. */
export type WhyNot = Misfit | "DISTINCT";

export interface Unplaced {
  /** Machines by the first reason that rules them out, most machines first. */
  readonly reasons: readonly { readonly reason: WhyNot; readonly instances: number; readonly text: string }[];
  /** The machine with fewest reasons against it, and what is against it first: what RunTask's `failures` name. */
  readonly closest?: { readonly instance: string; readonly reason: WhyNot };
  /** One line for a condition: `3 instances: insufficient CPU (needs 512, largest remaining 256); 1: DRAINING`. */
  readonly message: string;
}

/**
 * Why no machine can take the demand; `distinct` is the group whose tasks keep apart. Looks at every machine, but once
 * per change of the book: a thousand tasks that wait for room ask the same question of the same book.
 */
export function explain(ledger: Ledger, demand: Demand, distinct?: string): Unplaced {
  let remembered = answers.get(ledger);
  if (remembered?.version !== ledger.version) {
    remembered = { version: ledger.version, byQuestion: new Map() };
    answers.set(ledger, remembered);
  }
  const question = JSON.stringify([demand.key, distinct]);
  const answer = remembered.byQuestion.get(question) ?? answerFor(ledger, demand, distinct);
  remembered.byQuestion.set(question, answer);
  return answer;
}

const answers = new WeakMap<Ledger, { version: number; byQuestion: Map<string, Unplaced> }>();

function answerFor(ledger: Ledger, demand: Demand, distinct: string | undefined): Unplaced {
  const group = distinct === undefined ? undefined : ledger.groups.get(distinct);
  const byReason = new Map<string, { reason: WhyNot; rows: Row[] }>();
  let closest: { row: Row; reasons: WhyNot[] } | undefined;
  for (const row of ledger.rows.values()) {
    if (row.info.status === ABSENT) continue;
    const reasons: WhyNot[] = [...row.misfits(demand), ...(group?.onRow.has(row) ? (["DISTINCT"] as const) : [])];
    const [first] = reasons;
    if (first === undefined) continue;
    const key = first === "STATUS" ? row.info.status : first;
    const entry = byReason.get(key) ?? { reason: first, rows: [] };
    entry.rows.push(row);
    byReason.set(key, entry);
    if (closest === undefined || isCloser({ row, reasons }, closest)) closest = { row, reasons };
  }
  const reasons = [...byReason.values()]
    .sort((a, b) => b.rows.length - a.rows.length)
    .map(({ reason, rows }) => ({ reason, instances: rows.length, text: textOf(reason, rows, demand) }));
  const reason = closest?.reasons[0];
  return {
    reasons,
    ...(closest && reason ? { closest: { instance: closest.row.name, reason } } : {}),
    message: messageOf(reasons),
  };
}

type Contender = { readonly row: Row; readonly reasons: readonly WhyNot[] };

/** A machine that takes no tasks at all is no close match, however much room it has. */
function isCloser(a: Contender, b: Contender): boolean {
  const closed = ({ reasons }: Contender): number => (reasons[0] === "STATUS" ? 1 : 0);
  return closed(a) - closed(b) < 0 || (closed(a) === closed(b) && a.reasons.length < b.reasons.length);
}

function messageOf(reasons: Unplaced["reasons"]): string {
  if (reasons.length === 0) return "the cluster has no container instances";
  return reasons
    .map(({ instances, text }, at) =>
      at === 0 ? `${instances} ${instances === 1 ? "instance" : "instances"}: ${text}` : `${instances}: ${text}`,
    )
    .join("; ");
}

function textOf(reason: WhyNot, rows: readonly Row[], demand: Demand): string {
  const largest = (of: "cpuUnits" | "memoryMiB"): number => rows.reduce((most, row) => Math.max(most, row[of]), 0);
  switch (reason) {
    case "RESOURCE:CPU":
      return `insufficient CPU (needs ${demand.cpuUnits}, largest remaining ${largest("cpuUnits")})`;
    case "RESOURCE:MEMORY":
      return `insufficient memory (needs ${demand.memoryMiB} MiB, largest remaining ${largest("memoryMiB")} MiB)`;
    case "RESOURCE:PORTS": {
      const taken = demand.staticPorts.filter((port) => rows.some((row) => row.isPortTaken(port)));
      const beyond = demand.staticPorts.filter((port) => rows.every(({ info }) => !arePortsIn(info.portRange, [port])));
      if (beyond.length > 0) return `port ${beyond.map(portKey).join(", ")} beyond the machine's port range`;
      if (taken.length === 0) return "no reserved port left (100 at most)";
      return `port ${taken.map(portKey).join(", ")} in use`;
    }
    case "ATTRIBUTE":
      return `missing an attribute of ${demand.attributes.join(", ")}`;
    case "AGENT":
      return "agent disconnected";
    case "DISTINCT":
      return "already holds a task of the group (distinctInstance)";
    case "STATUS":
      return rows[0]?.info.status ?? "not ACTIVE";
  }
}

/** The service event for it, in ECS's words (spec/09 §7, messages 2 to 4). */
export function unplacedServiceEvent(serviceName: string, { closest }: Unplaced): string {
  const sentence = `(service ${serviceName}) was unable to place a task because no container instance met all of its requirements.`;
  if (closest === undefined) return sentence;
  const instance = `The closest matching container-instance ${closest.instance}`;
  switch (closest.reason) {
    case "RESOURCE:CPU":
      return `${sentence} ${instance} has insufficient CPU units available.`;
    case "RESOURCE:MEMORY":
      return `${sentence} ${instance} has insufficient memory available.`;
    case "RESOURCE:PORTS":
      return `${sentence} ${instance} is already using a port required by your task.`;
    case "ATTRIBUTE":
      return `${sentence} ${instance} is missing an attribute required by your task.`;
    case "AGENT":
      return `${sentence} ${instance} encountered error "AGENT".`;
    case "DISTINCT":
    case "STATUS":
      return sentence;
  }
}
