import { readFileSync, rmSync } from "node:fs";
import { writeJson } from "./data-folder.js";
import { identify, type ProcessIdentity } from "./process.js";

export const CHILDREN = ["nats", "server", "agent"] as const;
export type ChildName = (typeof CHILDREN)[number];

export interface RunningChild extends ProcessIdentity {
  /** What it was started as; a child of another command line is not adopted but ended. */
  commandLine: string;
}

/** What runs for a data folder, so that a new supervisor, `davit down` and `davit status` can find it. */
export interface SupervisorState {
  supervisor: ProcessIdentity;
  apiPort: number;
  /** As this machine's own processes reach it. */
  natsUrl: string;
  /** CA of the bus's certificate, for `tls:`; absent: the system's. */
  natsCaFile?: string;
  /** `https://host:port` under which other machines reach the API; absent where only this machine can. */
  advertised?: string;
  /** Extra file that holds a context for this Davit. */
  kubeconfig?: string;
  /** Instance ids of the agents whose containers belong here are under this folder's agent/. */
  children: Partial<Record<ChildName, RunningChild>>;
  /** Set once the API has answered. */
  ready: boolean;
}

/** Undefined if there is no state or it can't be read: then nothing is adopted and nothing ended. */
export function readState(path: string): SupervisorState | undefined {
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, "utf8"));
    return isState(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

const isState = (value: unknown): value is SupervisorState =>
  typeof value === "object" && value !== null && "supervisor" in value && "children" in value && "apiPort" in value;

export const writeState = (path: string, state: SupervisorState): void => writeJson(path, state);
export const removeState = (path: string): void => rmSync(path, { force: true });

/** This process. */
export function self(): ProcessIdentity {
  return identify(process.pid) ?? { pid: process.pid, startTicks: "" };
}
