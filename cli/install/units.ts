// The units of `davit up --install` and `davit join --install`: what each is to run.
import { existsSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import type { MachineFolder } from "../machine/folder.js";
import { dockerSocket } from "../supervisor/checks.js";
import { type ContainerAgent, containerLine } from "./container.js";
import { ENVIRONMENT_FILE, type UnitSpec } from "./unit.js";

const DAVIT = new URL("../davit.js", import.meta.url).pathname;
/** How long a unit waits for Docker to answer before systemd tries anew. */
const DOCKER_SECONDS = 120;
/** Three children, one after the other. */
const UP_STOP_SECONDS = 45;
/** An ephemeral machine waits for its tasks to be down. */
const JOIN_STOP_SECONDS = 90;

const davit = (...args: string[]): string[] => [process.execPath, DAVIT, ...args];
const waitForDocker = () => ({ command: davit("wait-docker", "--timeout", String(DOCKER_SECONDS)) });

/** What in the environment says where the Docker Engine is, and how much is logged. */
const environment = (): Record<string, string> =>
  Object.fromEntries(
    ["DOCKER_HOST", "DAVIT_LOG_LEVEL"].flatMap((name) => {
      const value = process.env[name];
      return value === undefined || value === "" ? [] : [[name, value]];
    }),
  );

/** @param args of `davit up`, without those about installing; paths are whole */
export const upUnit = (args: readonly string[], docker: boolean): UnitSpec => ({
  description: "Davit: keeps containers running on your own machines",
  docker,
  environment: environment(),
  ...(docker && { before: [waitForDocker()] }),
  start: davit("up", ...args),
  stopSeconds: UP_STOP_SECONDS,
});

/** The agent of a machine that has joined, whose identity is in `dataDir`. */
export const agentUnit = (dataDir: string, identityFile: string, docker: boolean): UnitSpec => ({
  description: "Davit's agent: runs tasks on this machine",
  docker,
  needsFile: identityFile,
  environment: environment(),
  ...(docker && { before: [waitForDocker()] }),
  start: davit("join", "--data-dir", dataDir),
  stopSeconds: JOIN_STOP_SECONDS,
});

type MachineFiles = Pick<MachineFolder, "identity" | "stopping">;

/** The same, in a container: Davit itself need not be on the machine. */
export function containerUnit(agent: ContainerAgent, { identity, stopping }: MachineFiles): UnitSpec {
  const { docker, name } = agent;
  return {
    description: `Davit's agent in the container ${name}: runs tasks on this machine`,
    docker: true,
    needsFile: identity,
    before: [
      {
        command: [
          ...["/bin/sh", "-c"],
          `i=0; until ${docker} version >/dev/null 2>&1; do i=$((i+1)); [ $i -lt ${DOCKER_SECONDS} ] || exit 1; sleep 1; done`,
        ],
      },
      // What a machine that lost its power left behind: its name would be taken.
      { command: [docker, "rm", "-f", name], mayFail: true },
    ],
    start: containerLine(agent, { keeper: "systemd", args: ["join", "--data-dir", agent.dataDir] }),
    stop: [
      ...["/bin/sh", "-c", '[ "$(systemctl is-system-running)" != stopping ] || : > "$0"; exec "$@"', stopping],
      ...[docker, "stop", "-t", String(JOIN_STOP_SECONDS - 10), name],
    ],
    stopSeconds: JOIN_STOP_SECONDS,
  };
}

/** @param image with `davit` as its entry point */
export const agentContainer = (image: string, name: string, dataDir: string): ContainerAgent => ({
  ...{ image, name, dataDir },
  docker: onPath("docker"),
  socket: dockerSocket(),
  ...(existsSync(ENVIRONMENT_FILE) && { environmentFile: ENVIRONMENT_FILE }),
});

/** Where a program lies: a unit names it whole. */
const onPath = (program: string): string =>
  [...(process.env.PATH ?? "").split(delimiter), "/usr/bin", "/usr/local/bin"]
    .map((folder) => join(folder, program))
    .find((file) => isAbsolute(file) && existsSync(file)) ?? `/usr/bin/${program}`;
