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

export interface ContainerAnswer {
  Id: string;
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
