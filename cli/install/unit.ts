// Service units of systemd as text. Pure.

export interface UnitSpec {
  description: string;
  /** Whether it can do nothing without a Docker Engine. */
  docker: boolean;
  /** Without this file there is nothing to run, and the unit is passed over: a machine that has left. */
  needsFile?: string;
  /** Set for it, beside what ENVIRONMENT_FILE says. */
  environment?: Readonly<Record<string, string>>;
  /** Run before each start; a failure of one that may fail is ignored. */
  before?: readonly { command: readonly string[]; mayFail?: boolean }[];
  start: readonly string[];
  stop?: readonly string[];
  /** How long it may take to end in order. */
  stopSeconds: number;
}

/** The variables of ECS's agent, where ECS has them; may be missing. */
export const ENVIRONMENT_FILE = "/etc/ecs/ecs.config";
/** Longer than the wait for Docker. */
const START_SECONDS = 180;
/** Starting again would not help: EXIT.fatal, and ECS's own for attributes that are none. */
const FINAL_EXIT_CODES = "78 5";

export function unitText(spec: UnitSpec): string {
  const { description, docker, needsFile, environment = {}, before = [], start, stop, stopSeconds } = spec;
  return `# Written by Davit; \`--install\` writes it anew, \`--uninstall\` removes it.
[Unit]
Description=${description.replaceAll("%", "%%")}
Wants=network-online.target
After=network-online.target${docker ? " docker.service\nRequires=docker.service" : ""}
${needsFile === undefined ? "" : `ConditionPathExists=${escaped(needsFile)}\n`}# However often it fails: a machine that nobody looks at has to come back.
StartLimitIntervalSec=0

[Service]
Type=exec
${Object.entries(environment)
  .map(([name, value]) => `Environment=${commandText([`${name}=${value}`])}\n`)
  .join("")}EnvironmentFile=-${ENVIRONMENT_FILE}
${before.map(({ command, mayFail }) => `ExecStartPre=${mayFail ? "-" : ""}${commandText(command)}\n`).join("")}ExecStart=${commandText(start)}
${stop ? `ExecStop=${commandText(stop)}\n` : ""}Restart=always
RestartSec=2
RestartPreventExitStatus=${FINAL_EXIT_CODES}
# The main process is told to end, and ends what it started in order. Containers are Docker's, and run on.
KillMode=mixed
OOMPolicy=continue
TimeoutStartSec=${START_SECONDS}
TimeoutStopSec=${stopSeconds}

[Install]
WantedBy=multi-user.target
`;
}

/** So that systemd takes each argument as it is: no specifier, no variable, no quote of its own. */
export const commandText = (command: readonly string[]): string =>
  command.map((argument) => quoted(escaped(argument.replaceAll("\\", "\\\\")).replaceAll("$", "$$$$"))).join(" ");

const escaped = (text: string): string => text.replaceAll("%", "%%");
const quoted = (text: string): string =>
  /^[A-Za-z0-9_@%+=:,./$-]+$/.test(text) ? text : `"${text.replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
