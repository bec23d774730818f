// The parts of the Engine API's documents that are read or written here: https://docs.docker.com/engine/api/v1.41/

export interface VersionAnswer {
  ApiVersion: string;
  Version: string;
}

export interface InfoAnswer {
  NCPU: number;
  /** Bytes. */
  MemTotal: number;
  ServerVersion: string;
  KernelVersion?: string;
  DockerRootDir?: string;
}

export interface ImageAnswer {
  Id: string;
  RepoDigests?: string[] | null;
}

export interface PortBinding {
  HostIp?: string;
  HostPort: string;
}

export interface CreateBody {
  Image: string;
  Entrypoint?: string[];
  Cmd?: string[];
  WorkingDir?: string;
  Env?: string[];
  Labels: Record<string, string>;
  ExposedPorts?: Record<string, object>;
  Healthcheck: { Test: string[]; Interval?: number; Timeout?: number; Retries?: number; StartPeriod?: number };
  HostConfig: {
    NetworkMode: string;
    CpuShares: number;
    /** Bytes. */
    Memory?: number;
    MemoryReservation?: number;
    PortBindings?: Record<string, PortBinding[]>;
    LogConfig?: { Type: string; Config: Record<string, string> };
    RestartPolicy: { Name: "no" };
  };
}

export interface ContainerSummary {
  Id: string;
  /** Each with a slash in front; links would add further ones. */
  Names: string[] | null;
  Labels: Record<string, string> | null;
}

export interface ContainerAnswer {
  Id: string;
  /** With a slash in front. */
  Name: string;
  /** The image's id. */
  Image: string;
  Config: { Image: string; Labels: Record<string, string> | null; Tty: boolean };
  State: {
    Status: "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead";
    ExitCode: number;
    OOMKilled: boolean;
    Error: string;
    /** RFC 3339; the year 1 for never. */
    StartedAt: string;
    FinishedAt: string;
    Health?: { Status: "none" | "starting" | "healthy" | "unhealthy" };
  };
  NetworkSettings: { Ports?: Record<string, PortBinding[] | null> | null };
}

export interface EventMessage {
  Action: string;
  Actor: { ID: string };
}

/** One reading of a container's counters; without `cpu_stats.cpu_usage` if it does not run. */
export interface StatsAnswer {
  /** RFC 3339. */
  read: string;
  cpu_stats?: { cpu_usage?: { total_usage?: number } };
  memory_stats?: {
    /** Bytes, with file cache. */
    usage?: number;
    /** The kernel's own names; they differ between cgroup v1 (`cache`) and v2 (`file`). */
    stats?: Record<string, number>;
  };
}
