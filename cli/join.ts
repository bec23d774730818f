import { type Command, Option } from "commander";
import { collect, count, mib, port } from "./arguments.js";
import { UsageError } from "./failure.js";
import { addInstallOptions, type InstallFlags } from "./install/options.js";
import type { TypedOptions } from "./machine/options.js";

export interface JoinOptions extends TypedOptions, InstallFlags {
  token?: string;
  cluster?: string;
  machineId?: string;
  dataDir?: string;
  detach?: boolean;
  /** An image with `davit` as its entry point: the agent of the service runs in it. */
  container?: string;
}

export function define(command: Command): void {
  command
    .description(
      "Makes this machine one of a Davit's: joins with the line that `davit token create` printed there, and runs the " +
        "agent. Nothing has to be opened on this machine: it only calls out. Without address and token it goes on " +
        "with what is in the data folder, as after a reboot.",
    )
    .argument("[url]", "https://HOST:PORT of that Davit's API")
    .option("--token <T>", "good for one machine, and for a short time")
    .option(
      "--data-dir <D>",
      "where this machine's identity lies (default: $DAVIT_DATA_DIR, else /var/lib/davit-agent for root, ~/.davit-agent for others)",
    )
    .option("--zone <Z>", "attribute ecs.availability-zone, over which tasks are spread")
    .option("--attribute <NAME=VALUE>", "an attribute for placement; may be given several times", collect)
    .option("--cluster <C>", "refuse a token for any other cluster (default: $ECS_CLUSTER, else the token decides)")
    .option("--ephemeral", "when the agent is told to end, the machine leaves for good")
    .option(
      "--machine-id <ID>",
      "what tells this machine from others (default: $DAVIT_MACHINE_ID, else /etc/machine-id); each agent needs its own",
    )
    .option("--hostname <NAME>", "how the machine is called (default: its host name)")
    .option("--cpu <UNITS>", "share of the machine's CPU: 1024 units are one core", count)
    .option("--memory <MIB>", "share of the machine's memory", mib)
    .option("--ports <FROM-TO>", "share of the machine's host ports, such as 8000-8999")
    .option("--introspection-port <N>", "port of the agent's introspection; 0 = none", port)
    .addOption(
      new Option("--runtime <RUNTIME>", "docker, or simulated: containers that only pretend (default: docker)").choices(
        ["docker", "simulated"],
      ),
    )
    .option("--detach", "return when the agent is connected, and go on in the background")
    .option("--container <IMAGE>", "with --install: run the agent in a container of this image of Davit");
  addInstallOptions(command, "the agent", "davit-agent")
    .addHelpText(
      "after",
      `
Options are kept in the data folder; given again, they replace what is there.
The variables of ECS's agent are read, too: ECS_RESERVED_MEMORY, ECS_RESERVED_PORTS, ECS_INSTANCE_ATTRIBUTES and others.

Examples:
  $ davit join https://10.0.0.5:7443 --token davit.…      join, and stay in the foreground
  $ davit join https://10.0.0.5:7443 --token davit.… --zone rack-2 --attribute disk=ssd
  $ davit join                                            go on, after a reboot
  $ davit leave                                           leave for good`,
    )
    .action(async (url: string | undefined, options: JoinOptions) => {
      check(options);
      // Everybody on this machine sees its processes' command lines.
      if (options.token !== undefined) process.title = "davit join";
      if (options.install) return (await import("./install/join.js")).installJoin(url, options);
      if (options.uninstall) return (await import("./install/join.js")).uninstallJoin(options);
      if (options.detach) return (await import("./machine/detached.js")).joinDetached(url, options);
      return (await import("./machine/join.js")).join(url, options);
    });
}

function check({ install, uninstall, container }: JoinOptions): void {
  if (install && uninstall) throw new UsageError("--install and --uninstall exclude each other.");
  if (container !== undefined && !install)
    throw new UsageError("--container goes with --install: it says what the service runs the agent in.");
}
