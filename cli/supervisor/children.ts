// The three children of `davit up`: what each is started as.
import { join } from "node:path";
import type { ChildSpec } from "./child.js";
import type { DataFolder } from "./data-folder.js";
import type { ChildName } from "./state-file.js";

const DAVIT = new URL("../davit.js", import.meta.url).pathname;

/** Where the credentials of the bus lie. */
export const credentials = (folder: DataFolder) => ({
  control: join(folder.nats, "control.creds"),
  agent: join(folder.nats, "agent.creds"),
  reader: join(folder.nats, "reader.creds"),
});

export interface Plan {
  folder: DataFolder;
  apiPort: number;
  natsUrl: string;
  /** Absent where somebody else runs nats-server. */
  nats?: { command: string; args: readonly string[] };
  controlCredentials: string;
  kubeconfig?: string;
  manifests?: string;
  runtime: "docker" | "simulated";
  instances: number;
}

export type NamedSpec = ChildSpec & { name: ChildName };

export function childSpecs(plan: Plan): NamedSpec[] {
  const { folder, nats } = plan;
  const logFile = (name: ChildName) => join(folder.logs, `${name}.log`);
  const davit = (name: ChildName, args: string[]): NamedSpec => ({
    name,
    command: process.execPath,
    // The young generation of a mostly idle process need not be large.
    args: ["--max-semi-space-size=8", DAVIT, name, "--data-dir", folder.root, ...args],
    logFile: logFile(name),
    graceMs: 10_000,
  });
  const specs: NamedSpec[] = [
    davit("server", [
      ...["--api-port", String(plan.apiPort), "--nats-url", plan.natsUrl, "--nats-creds", plan.controlCredentials],
      ...(plan.kubeconfig ? ["--kubeconfig", plan.kubeconfig] : []),
      ...(plan.manifests ? ["--manifests", plan.manifests] : []),
    ]),
    davit("agent", [
      ...["--nats-url", plan.natsUrl, "--nats-creds", credentials(folder).agent],
      ...["--runtime", plan.runtime, "--instances", String(plan.instances)],
    ]),
  ];
  return nats ? [{ name: "nats", ...nats, logFile: logFile("nats"), graceMs: 5_000 }, ...specs] : specs;
}
