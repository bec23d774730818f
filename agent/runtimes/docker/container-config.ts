// From a container definition to the Engine's create call: the mapping of spec/02 §14.1. Pure.
import type { ContainerDefinition, HealthCheck, PortMapping } from "../../../api/types.gen.js";
import { type ContainerSpec, RuntimeError } from "../runtime.js";
import type { CreateBody, PortBinding } from "./api.js";

/** The definition's ports in host mode, where the Engine itself knows of none: `80/tcp,53/udp`. */
export const HOST_PORTS_LABEL = "davit.dev/host-ports";

const BYTES_PER_MIB = 1_048_576;
const NANOS_PER_SECOND = 1_000_000_000;
const NANOS_PER_MILLI = 1_000_000;

/** Log drivers that stand for a service of the cloud: the container's output goes to the Engine's own files, where
 *  `davit logs` finds it. Docker's awslogs driver needs AWS keys and is never used. */
const KEPT_LOCALLY = new Set(["awslogs", "awsfirelens"]);

/** @throws RuntimeError ResourceInitializationError for a network mode that is not there yet. */
export function containerConfig({ definition, networkMode, labels }: ContainerSpec): CreateBody {
  if (networkMode === "awsvpc")
    throw new RuntimeError("ResourceInitializationError", "networkMode awsvpc is not supported by this agent yet");
  const { image, entryPoint, command, workingDirectory, environment, cpu, memory, memoryReservation } = definition;
  const ports = definition.portMappings ?? [];
  return {
    Image: image,
    ...(entryPoint && { Entrypoint: entryPoint }),
    ...(command && { Cmd: command }),
    ...(workingDirectory !== undefined && { WorkingDir: workingDirectory }),
    ...(environment && { Env: environment.map(({ name, value }) => `${name}=${value}`) }),
    Labels:
      networkMode === "host" && ports.length > 0 ? { ...labels, [HOST_PORTS_LABEL]: ports.map(key).join(",") } : labels,
    ...(networkMode !== "none" &&
      ports.length > 0 && { ExposedPorts: Object.fromEntries(ports.map((port) => [key(port), {}])) }),
    Healthcheck: healthcheck(definition.healthCheck),
    HostConfig: {
      NetworkMode: networkMode,
      CpuShares: Math.max(2, cpu ?? 0),
      ...(memory && { Memory: memory * BYTES_PER_MIB }),
      ...(memoryReservation && { MemoryReservation: memoryReservation * BYTES_PER_MIB }),
      ...(networkMode === "bridge" && ports.length > 0 && { PortBindings: bindings(ports) }),
      ...logConfig(definition.logConfiguration),
      // Davit starts a new task instead.
      RestartPolicy: { Name: "no" },
    },
  };
}

const key = ({ containerPort, protocol = "tcp" }: PortMapping): string => `${containerPort}/${protocol}`;

function bindings(ports: readonly PortMapping[]): Record<string, PortBinding[]> {
  const byPort: Record<string, PortBinding[]> = {};
  for (const port of ports) {
    const list = byPort[key(port)] ?? [];
    list.push({ HostPort: String(port.hostPort ?? 0) });
    byPort[key(port)] = list;
  }
  return byPort;
}

function healthcheck(check: HealthCheck | undefined): CreateBody["Healthcheck"] {
  // A check that only the image has is never reported (spec/02 §5.2), so it need not run.
  if (!check) return { Test: ["NONE"] };
  const { command, interval = 30, timeout = 5, retries = 3, startPeriod = 0 } = check;
  const prefixed = ["CMD", "CMD-SHELL", "NONE"].includes(command[0] ?? "");
  return {
    Test: prefixed ? command : ["CMD", ...command],
    Interval: interval * NANOS_PER_SECOND,
    Timeout: timeout * NANOS_PER_SECOND,
    Retries: retries,
    // Docker reads 0 as "as in the image"; a millisecond is the least it takes.
    StartPeriod: startPeriod === 0 ? NANOS_PER_MILLI : startPeriod * NANOS_PER_SECOND,
  };
}

function logConfig(
  configuration: ContainerDefinition["logConfiguration"],
): Pick<CreateBody["HostConfig"], "LogConfig"> {
  if (!configuration) return {};
  const { logDriver, options = {} } = configuration;
  return {
    LogConfig: KEPT_LOCALLY.has(logDriver) ? { Type: "json-file", Config: {} } : { Type: logDriver, Config: options },
  };
}
