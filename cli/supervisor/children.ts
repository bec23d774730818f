// The three children of `davit up`: what each is started as.
import { join } from "node:path";
import type { Binding } from "./binding.js";
import type { BusAddress, Nats } from "./bus-access.js";
import type { DataFolder } from "./data-folder.js";
import type { ChildName } from "./state-file.js";
import type { NamedSpec } from "./supervisor.js";

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
  binding: Binding;
  bus: BusAddress;
  controlCredentials: string;
  kubeconfig?: string;
  manifests?: string;
  runtime: "docker" | "simulated";
  instances: number;
}

const logFile = (folder: DataFolder, name: ChildName): string => join(folder.logs, `${name}.log`);

export const natsSpec = (folder: DataFolder, { command, args, fingerprint }: Nats): NamedSpec => ({
  name: "nats",
  command,
  args,
  // It says nothing to the server, but tells a running one that has another configuration.
  env: { DAVIT_NATS_CONFIGURATION: fingerprint },
  logFile: logFile(folder, "nats"),
  graceMs: 5_000,
});

export const serverSpec = (plan: Plan): NamedSpec =>
  davitSpec(plan.folder, "server", [
    ...["--api-port", String(plan.apiPort), "--bind", plan.binding.host, "--local", plan.binding.local],
    ...(plan.binding.advertised ? ["--advertise", plan.binding.advertised] : []),
    ...plan.binding.names.flatMap((name) => ["--tls-san", name]),
    ...busArgs(plan),
    ...["--nats-creds", plan.controlCredentials, "--bus-url", plan.bus.advertisedUrl],
    ...(plan.bus.keys ? ["--nats-keys", plan.bus.keys] : []),
    ...(plan.bus.signingKeyFile ? ["--nats-signing-key", plan.bus.signingKeyFile] : []),
    ...(plan.kubeconfig ? ["--kubeconfig", plan.kubeconfig] : []),
    ...(plan.manifests ? ["--manifests", plan.manifests] : []),
  ]);

export const agentSpec = (plan: Plan): NamedSpec =>
  davitSpec(plan.folder, "agent", [
    ...busArgs(plan),
    ...["--nats-creds", credentials(plan.folder).agent],
    ...["--runtime", plan.runtime, "--instances", String(plan.instances)],
  ]);

const busArgs = ({ bus: { url, caFile } }: Plan): string[] => [
  ...["--nats-url", url],
  ...(caFile ? ["--nats-ca", caFile] : []),
];

const davitSpec = (folder: DataFolder, name: ChildName, args: string[]): NamedSpec => ({
  name,
  command: process.execPath,
  // The young generation of a mostly idle process need not be large.
  args: ["--max-semi-space-size=8", DAVIT, name, "--data-dir", folder.root, ...args],
  env: settings(),
  logFile: logFile(folder, name),
  graceMs: 10_000,
});

/** What in the environment changes how a child behaves. */
const settings = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value !== undefined && /^(ECS_|DOCKER_|DAVIT_(SIMULATED|LOG_LEVEL|CREDENTIAL_TTL_SECONDS)$)/.test(name)
        ? [[name, value]]
        : [],
    ),
  );
