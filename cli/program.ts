import { Command, CommanderError } from "commander";
import { EXIT, Failure, UsageError } from "./failure.js";
import { endQuietlyOnClosedPipe, visible } from "./output/terminal.js";
import { ownVersion } from "./own-version.js";

/** Adds arguments, options, help and action to its command. */
export type Define = (command: Command) => void;

interface Row {
  summary: string;
  group: string;
  load: () => Promise<{ define: Define }>;
  hidden?: boolean;
}

/** One row per subcommand; its file is loaded only when it is the one asked for, so that each starts fast. */
export const COMMANDS: Readonly<Record<string, Row>> = {
  up: { group: "Run Davit:", summary: "start Davit on this machine", load: () => import("./up.js") },
  down: {
    group: "Run Davit:",
    summary: "stop Davit on this machine; containers keep running",
    load: () => import("./down.js"),
  },
  join: {
    group: "Run Davit:",
    summary: "make this machine one of another's Davit",
    load: () => import("./join.js"),
  },
  leave: {
    group: "Run Davit:",
    summary: "take this machine out of its Davit",
    load: () => import("./leave.js"),
  },
  status: {
    group: "Run Davit:",
    summary: "machines, services not steady and why, last changes",
    load: () => import("./status.js"),
  },
  doctor: {
    group: "Run Davit:",
    summary: "what is wrong, and what to do about it",
    load: () => import("./doctor.js"),
  },
  backup: {
    group: "Run Davit:",
    summary: "write everything that Davit knows into one file",
    load: () => import("./backup.js"),
  },
  restore: {
    group: "Run Davit:",
    summary: "make a data folder of a backup",
    load: () => import("./restore.js"),
  },

  apply: { group: "Declare:", summary: "apply manifests or ECS JSON", load: () => import("./apply.js") },
  get: { group: "Declare:", summary: "list objects, or show one", load: () => import("./get.js") },
  describe: { group: "Declare:", summary: "show one object in full, for people", load: () => import("./describe.js") },
  delete: { group: "Declare:", summary: "delete objects", load: () => import("./delete.js") },
  skeleton: {
    group: "Declare:",
    summary: "print a commented manifest to start from",
    load: () => import("./skeleton.js"),
  },
  gitops: {
    group: "Declare:",
    summary: "the folder given to `davit up --manifests`",
    load: () => import("./gitops.js"),
  },

  run: { group: "Operate:", summary: "run tasks of a task definition", load: () => import("./run.js") },
  stop: { group: "Operate:", summary: "stop a task", load: () => import("./stop.js") },
  drain: { group: "Operate:", summary: "move tasks off a machine", load: () => import("./drain.js") },
  deregister: {
    group: "Operate:",
    summary: "take a machine out of its cluster for good",
    load: () => import("./deregister.js"),
  },
  uncordon: { group: "Operate:", summary: "take a drain back", load: () => import("./uncordon.js") },
  logs: { group: "Operate:", summary: "print the logs of a task or service", load: () => import("./logs.js") },
  events: { group: "Operate:", summary: "print state changes", load: () => import("./events.js") },
  top: { group: "Operate:", summary: "how full clusters and machines are", load: () => import("./top.js") },
  rollout: { group: "Operate:", summary: "follow a deployment", load: () => import("./rollout.js") },

  token: {
    group: "Machines:",
    summary: "tokens: for a machine to join with, or for a person to use the API",
    load: () => import("./token.js"),
  },
  instance: {
    group: "Machines:",
    summary: "take a machine's credential back, or the machine out of its cluster",
    load: () => import("./instance.js"),
  },

  kubectl: { group: "Connect:", summary: "kubectl, pointed at this Davit", load: () => import("./kubectl.js") },
  kubeconfig: { group: "Connect:", summary: "print the kubeconfig", load: () => import("./kubeconfig.js") },
  bus: { group: "Connect:", summary: "how to subscribe to the bus", load: () => import("./bus.js") },
  version: { group: "Connect:", summary: "print versions", load: () => import("./version.js") },
  completion: { group: "Connect:", summary: "print shell completion", load: () => import("./completion.js") },

  "wait-docker": {
    group: "Internal:",
    summary: "wait until Docker answers (for service units)",
    load: () => import("./wait-docker.js"),
    hidden: true,
  },
  server: {
    group: "Internal:",
    summary: "API server and controllers (started by up)",
    load: () => import("./server.js"),
    hidden: true,
  },
  agent: {
    group: "Internal:",
    summary: "agent of this machine (started by up)",
    load: () => import("./agent.js"),
    hidden: true,
  },
};

const EPILOGUE = `
Examples:
  $ davit up                                  start Davit here; Ctrl-C stops it, containers keep running
  $ davit apply -f manifests/quickstart/      declare a web service and a batch task
  $ davit get services                        what runs
  $ davit logs service/web -f                 what it says
  $ davit up --manifests ./deploy             keep what a Git checkout declares

\`davit COMMAND --help\` explains each command, with examples.`;

/** The whole command tree, with only the named command's file loaded (all of them for "*"). */
export async function buildProgram(wanted: string | undefined): Promise<Command> {
  const program = new Command("davit")
    .description("Davit keeps containers running on your own machines: declare them in YAML, and it keeps them so.")
    .version(ownVersion(), "-V, --version", "print this program's version")
    .helpCommand("help [command]", "explain a command")
    .addHelpText("after", EPILOGUE)
    .enablePositionalOptions()
    .exitOverride()
    .showHelpAfterError("(`davit --help` lists the commands; `davit COMMAND --help` explains one)");
  for (const [name, { summary, group, load, hidden }] of Object.entries(COMMANDS)) {
    const command = program
      .command(name, { hidden: hidden ?? false })
      .summary(summary)
      .helpGroup(group);
    command
      .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`)
      .exitOverride()
      .copyInheritedSettings(program);
    if (wanted === name || wanted === "*") (await load()).define(command);
  }
  return program;
}

/** Which subcommand's file is needed to parse this command line. */
function wantedCommand(args: readonly string[]): string | undefined {
  const [first, second] = args.filter((arg) => !arg.startsWith("-"));
  return first === "help" ? second : first;
}

/** Runs one command line. @returns the exit code */
export async function main(args: readonly string[]): Promise<number> {
  endQuietlyOnClosedPipe();
  try {
    const program = await buildProgram(wantedCommand(args));
    await program.parseAsync(args, { from: "user" });
    return Number(process.exitCode ?? EXIT.ok);
  } catch (error) {
    return report(error);
  }
}

function report(error: unknown): number {
  // Commander has printed its own message; `--help` and `--version` come here with exit code 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof Failure) {
    process.stderr.write(`davit: ${visible(error.message)}\n`);
    if (error instanceof UsageError) process.stderr.write("(`davit COMMAND --help` explains the command)\n");
    return error.exitCode;
  }
  if (error instanceof Error && error.name === "ApiError") {
    process.stderr.write(`davit: ${visible(error.message)}\n`);
    return EXIT.failed;
  }
  throw error;
}
