// The agent as a container: the one place that knows how it is started.
import { dirname } from "node:path";

export interface ContainerAgent {
  image: string;
  /** Of the container. */
  name: string;
  /** Where the machine's identity lies: the same path outside and inside. */
  dataDir: string;
  /** Docker's client. */
  docker: string;
  /** Of the Docker Engine. */
  socket: string;
  /** Variables of ECS's agent, one `NAME=value` a line. */
  environmentFile?: string;
}

export interface ContainerRun {
  /** Who starts it again when it ends: systemd, with the client as its child, or Docker itself. */
  keeper: "systemd" | "docker";
  /** Of `davit` in the container. */
  args: readonly string[];
}

/** It has the machine's network, as it registers the machine's address and ports; the Docker Engine's folder and not
 *  just the socket, which is another file after Docker has restarted; and the machine's id, by which it is known. */
export const containerLine = (
  { image, name, dataDir, docker, socket, environmentFile }: ContainerAgent,
  { keeper, args }: ContainerRun,
): string[] => [
  ...[docker, "run", ...(keeper === "systemd" ? ["--rm"] : ["-d", "--restart", "always"]), "--name", name],
  ...["--network", "host", "--security-opt", "label=disable"],
  ...["-v", `${dirname(socket)}:/var/run`, "-v", `${dataDir}:${dataDir}`],
  ...["--mount", "type=bind,src=/etc/machine-id,dst=/etc/machine-id,readonly"],
  ...(environmentFile === undefined ? [] : ["--env-file", environmentFile]),
  image,
  ...args,
];
