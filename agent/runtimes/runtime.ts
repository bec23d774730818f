// What the engine asks of a container runtime. The engine decides, a runtime only does and tells.
import type { ContainerDefinition, ContainerState, HealthStatus, NetworkBinding } from "../../api/types.gen.js";

/** One container as the runtime sees it now. */
export interface RuntimeContainer {
  /** The runtime's own id (Docker: 64 hex digits). */
  id: string;
  /** From the labels: which task and container this is, and the hash of what it was made from. */
  task: string;
  name: string;
  /** What the runtime calls it; unique on the machine. */
  runtimeName: string;
  labels: Record<string, string>;
  image: string;
  imageDigest?: string;
  lastStatus: Extract<ContainerState, "CREATED" | "RUNNING" | "STOPPED">;
  health: HealthStatus;
  exitCode?: number;
  oomKilled?: boolean;
  error?: string;
  networkBindings: NetworkBinding[];
  startedAtMs?: number;
  finishedAtMs?: number;
}

/** What to create: the container definition with overrides applied, and what belongs to the task. */
export interface ContainerSpec {
  task: string;
  definition: ContainerDefinition;
  networkMode: "bridge" | "host" | "awsvpc" | "none";
  labels: Record<string, string>;
  /** A name a person recognises, unique on the machine. */
  runtimeName: string;
}

export interface Capacity {
  cpuUnits: number;
  memoryMiB: number;
  version: string;
  /** Of the machine's Linux, such as `6.1.0-18-amd64`. */
  kernelVersion?: string;
  /** Attributes such as `com.amazonaws.ecs.capability.logging-driver.json-file`, `ecs.os-type`. */
  attributes: { name: string; value?: string }[];
}

/** Errors carry ECS's own names: `CannotPullContainerError`, `CannotCreateContainerError`, `CannotStartContainerError`,
 *  `DockerTimeoutError`, `ResourceInitializationError`. */
export class RuntimeError extends Error {
  constructor(
    override readonly name: string,
    message: string,
  ) {
    super(message);
  }
}

/** What one container uses: CPU units (1024 a core) over about a second, MiB without file cache (spec/07 §9.1). */
export interface Usage {
  cpuUnits: number;
  memoryMiB: number;
}

/** The file system that holds the runtime's data. */
export interface Disk {
  path: string;
  totalBytes: number;
  freeBytes: number;
}

export interface Runtime {
  /** @throws when the runtime does not answer. */
  capacity(): Promise<Capacity>;
  /** Every container that carries this agent's labels, running or not; without those that were orphaned. */
  list(): Promise<RuntimeContainer[]>;
  /** This agent's containers that it let go of for good, known by their name alone (`ORPHAN_PREFIX`). */
  orphans(): Promise<Pick<RuntimeContainer, "id" | "runtimeName" | "task">[]>;
  inspect(id: string): Promise<RuntimeContainer | undefined>;
  hasImage(image: string): Promise<boolean>;
  /** @throws RuntimeError CannotPullContainerError. */
  pull(image: string, signal: AbortSignal): Promise<void>;
  create(spec: ContainerSpec): Promise<string>;
  start(id: string): Promise<void>;
  /** SIGTERM, then SIGKILL after graceMs. Resolves when the container is down; idempotent. */
  stop(id: string, graceMs: number): Promise<void>;
  /** Idempotent. */
  remove(id: string): Promise<void>;
  /** Idempotent; also while it runs. */
  rename(id: string, runtimeName: string): Promise<void>;
  /** Of those among them that run. May take a second or two. */
  usage(ids: readonly string[]): Promise<Map<string, Usage>>;
  /** Undefined where the agent cannot see it. */
  disk(): Promise<Disk | undefined>;
  /** Wakes with the id of a container whose state or health may have changed; "resync" when changes may have been missed. */
  changes(signal: AbortSignal): AsyncIterable<{ id: string } | "resync">;
  logs(
    id: string,
    options: { follow: boolean; tail?: number; sinceMs?: number; signal: AbortSignal },
  ): AsyncIterable<{ stream: "stdout" | "stderr"; atMs: number; text: string }>;
  close(): Promise<void>;
}
