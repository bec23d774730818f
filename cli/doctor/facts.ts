// What `davit doctor` knows before it judges, and what a judgement looks like.
import type { AccessToken, Cluster, ContainerInstance, Service, Task } from "../../api/types.gen.js";
import type { Probe } from "../api/probes.js";
import type { Diagnosis, Disk } from "./diagnosis.js";

/** Something that is wrong, or (a note) that one should know though nothing is wrong. */
export interface Finding {
  severity: "problem" | "note";
  /** One or two words: `disk`, `silent agent`. */
  check: string;
  /** One sentence. */
  what: string;
  /** What to do about it; a command where there is one. */
  remedy: string;
}

/** Facts to findings. Pure. */
export type Check = (facts: Facts) => Finding[];

/** An answer with the two moments, by this machine's clock, between which it was made. */
export interface Timed<T> {
  value: T;
  sentMs: number;
  receivedMs: number;
}

export interface Facts {
  /** This machine's clock. */
  nowMs: number;
  /** This program's version. */
  version: string;
  /** The API's address. */
  server: string;
  /** Why the API could not be asked; undefined if it answered. */
  unreachable?: string;
  /** Why it did not let this user look. */
  refused?: string;
  /** The server's certificate, whether it is trusted or not. */
  certificate?: { validToMs: number; caValidToMs?: number };
  /** undefined where the server is too old to tell. */
  diagnosis?: Timed<Diagnosis>;
  /** Of all namespaces. */
  instances: readonly ContainerInstance[];
  clusters: readonly Cluster[];
  services: readonly Service[];
  tasks: readonly Task[];
  tokens: readonly AccessToken[];
  /** By `probeKey`. */
  probes: ReadonlyMap<string, Probe>;
  /** Only where this machine has the data folder. */
  local?: LocalFacts;
}

export interface LocalFacts {
  root: string;
  /** Of the supervisor and its children, those that should run and don't. */
  down: string[];
  /** Whether `davit up` runs on the folder. */
  up: boolean;
  /** Files and folders that hold secrets, with their permission bits. */
  modes: readonly { path: string; mode: number; folder: boolean; ownedByMe: boolean }[];
  disk: Disk;
  /** Why Docker can't be used; undefined if it can, or if no agent here needs it. */
  docker?: string;
  /** How many tokens pki/tokens.csv has; they never expire. */
  fileTokens: number;
}

export const problem = (check: string, what: string, remedy: string): Finding => ({
  severity: "problem",
  check,
  what,
  remedy,
});
export const note = (check: string, what: string, remedy: string): Finding => ({
  severity: "note",
  check,
  what,
  remedy,
});

/** The server's clock at a moment of this machine's; this machine's own where the server does not tell. */
export function serverTime({ diagnosis }: Facts, hereMs: number): number {
  return diagnosis === undefined ? hereMs : hereMs + aheadMs(diagnosis.value.nowMs, diagnosis);
}

/** By how much a clock read between the two moments is ahead of this machine's; the truth lies within half the time
 *  between them. */
export const aheadMs = (
  clockMs: number,
  { sentMs, receivedMs }: Pick<Timed<unknown>, "sentMs" | "receivedMs">,
): number => clockMs - (sentMs + receivedMs) / 2;

/** How a person calls a machine: its host name, or the beginning of its id where that is not known. */
export const machineName = ({ metadata, status }: Pick<ContainerInstance, "metadata" | "status">): string =>
  status?.hostname ? `${status.hostname} (${metadata.name.slice(0, 12)})` : metadata.name.slice(0, 12);

/** Those that are part of a cluster, or on their way into one. */
export const isPresent = ({ status }: Pick<ContainerInstance, "status">): boolean =>
  status?.status !== "INACTIVE" && status?.status !== "DEREGISTERING";

/** `-n` where it is needed. */
export const namespaceFlag = ({ namespace }: { namespace?: string }): string =>
  namespace === undefined || namespace === "default" ? "" : ` -n ${namespace}`;

/** `40 s`, `5 min`, `3 h`, `12 days`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 2 * 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} days`;
}
