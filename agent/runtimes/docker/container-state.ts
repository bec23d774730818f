// From the Engine's inspect answer to what the engine wants to know. Pure.
import type { NetworkBinding } from "../../../api/types.gen.js";
import { LABELS } from "../labels.js";
import type { RuntimeContainer } from "../runtime.js";
import type { ContainerAnswer } from "./api.js";
import { HOST_PORTS_LABEL } from "./container-config.js";

const STATES: Record<ContainerAnswer["State"]["Status"], RuntimeContainer["lastStatus"]> = {
  created: "CREATED",
  running: "RUNNING",
  // Its processes still hold memory and ports.
  paused: "RUNNING",
  restarting: "RUNNING",
  removing: "STOPPED",
  exited: "STOPPED",
  dead: "STOPPED",
};

const HEALTH = { healthy: "HEALTHY", unhealthy: "UNHEALTHY", starting: "UNKNOWN", none: "UNKNOWN" } as const;

export function containerOf(answer: ContainerAnswer, imageDigest: string | undefined): RuntimeContainer {
  const { Config, State } = answer;
  const labels = Config.Labels ?? {};
  const lastStatus = STATES[State.Status];
  const over = lastStatus === "STOPPED";
  const startedAtMs = timeOf(State.StartedAt);
  const finishedAtMs = over ? timeOf(State.FinishedAt) : undefined;
  return {
    id: answer.Id,
    task: labels[LABELS.task] ?? "",
    name: labels[LABELS.container] ?? "",
    runtimeName: answer.Name.slice(1),
    labels,
    image: Config.Image,
    lastStatus,
    health: over ? "UNKNOWN" : HEALTH[State.Health?.Status ?? "none"],
    networkBindings: lastStatus === "RUNNING" ? networkBindings(answer, labels) : [],
    ...(imageDigest !== undefined && { imageDigest }),
    ...(over && { exitCode: State.ExitCode, oomKilled: State.OOMKilled }),
    ...(State.Error !== "" && { error: State.Error }),
    ...(startedAtMs !== undefined && { startedAtMs }),
    ...(finishedAtMs !== undefined && { finishedAtMs }),
  };
}

function timeOf(text: string): number | undefined {
  const ms = Date.parse(text);
  return ms > 0 ? ms : undefined;
}

function networkBindings(answer: ContainerAnswer, labels: Record<string, string>): NetworkBinding[] {
  const onHost = labels[HOST_PORTS_LABEL];
  if (onHost !== undefined)
    return onHost.split(",").map((port) => {
      const { containerPort, protocol } = portOf(port);
      return { bindIP: "0.0.0.0", containerPort, hostPort: containerPort, protocol };
    });
  return Object.entries(answer.NetworkSettings.Ports ?? {}).flatMap(([port, published]) => {
    const all = (published ?? []).map(({ HostIp = "0.0.0.0", HostPort }) => ({
      bindIP: HostIp,
      ...portOf(port),
      hostPort: Number(HostPort),
    }));
    // The same port on `::` says nothing new, and may even be another number (Docker 20.10).
    const v4 = all.filter(({ bindIP }) => !bindIP.includes(":"));
    return v4.length > 0 ? v4 : all;
  });
}

function portOf(text: string): { containerPort: number; protocol: "tcp" | "udp" } {
  const [port, protocol] = text.split("/");
  return { containerPort: Number(port), protocol: protocol === "udp" ? "udp" : "tcp" };
}
