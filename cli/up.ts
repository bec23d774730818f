import { type Command, Option } from "commander";
import { collect, count, port } from "./arguments.js";
import { UsageError } from "./failure.js";
import { addInstallOptions, type InstallFlags } from "./install/options.js";

export interface UpOptions extends InstallFlags {
  dataDir?: string;
  apiPort: number;
  natsPort: number;
  bind: string;
  advertise?: string;
  tlsSan?: string[];
  natsUrl?: string;
  natsCa?: string;
  natsCreds?: string;
  natsSigningKey?: string;
  kubeconfig?: string;
  manifests?: string;
  runtime: "docker" | "simulated";
  instances: number;
  detach?: boolean;
}

export function define(command: Command): void {
  command
    .description(
      "Starts Davit on this machine: nats-server, the server (API, controllers) and an agent, each started again when it " +
        "ends. Ctrl-C stops them; containers keep running, and the next `davit up` takes them over.",
    )
    .option(
      "--data-dir <D>",
      "where all of it lies (default: $DAVIT_DATA_DIR, else /var/lib/davit for root, ~/.davit for others)",
    )
    .option("--api-port <N>", "port of the API; 0 = any free one", port, 7443)
    .option("--nats-port <N>", "port of nats-server; 0 = any free one", port, 7422)
    .option(
      "--bind <ADDR>",
      "address on which both listen: one of this machine's, or 0.0.0.0 for all, so that other machines may join",
      "127.0.0.1",
    )
    .option("--advertise <ADDR>", "address or name under which other machines reach this one (default: that of --bind)")
    .option(
      "--tls-san <NAME>",
      "a further name or address of this machine in its certificate; may be repeated",
      collect,
    )
    .option("--nats-url <URL>", "use this nats-server and start none (with --nats-creds and --nats-signing-key)")
    .option("--nats-ca <F>", "CA of that server's certificate, for tls:// (default: the system's)")
    .option("--nats-creds <F>", "credentials of a user that may do everything in Davit's account there")
    .option("--nats-signing-key <F>", "seed of a signing key of that account: makes the agents' credentials")
    .option("--kubeconfig <F>", "also put the context `davit` into this kubeconfig; its other entries stay as they are")
    .option("--manifests <DIR>", "apply this folder, follow it, and delete what leaves it (of what it applied itself)")
    .addOption(
      new Option("--runtime <RUNTIME>", "docker, or simulated: containers that only pretend")
        .choices(["docker", "simulated"])
        .default("docker"),
    )
    .option("--instances <N>", "how many simulated machines", count, 1)
    .option("--detach", "return when the API is ready, and go on in the background (`davit down` ends it)");
  addInstallOptions(command, "Davit", "davit")
    .addHelpText(
      "after",
      `
Ports chosen by 0 stay the same when Davit takes over what a killed \`davit up\` left, as long as they are free.

Examples:
  $ davit up                                      stay in the foreground
  $ davit up --detach && davit status
  $ davit up --manifests ./deploy                 keep what the folder declares
  $ davit up --bind 0.0.0.0                       other machines may join: \`davit token create\` prints how
  $ davit up --data-dir /tmp/d --api-port 0 --nats-port 0 --runtime simulated --instances 100`,
    )
    .action(async (options: UpOptions) => {
      check(options);
      if (options.install) return (await import("./install/up.js")).installUp(command, options);
      if (options.uninstall) return (await import("./install/up.js")).uninstallUp(options);
      const { up, upDetached } = await import("./supervisor/up.js");
      await (options.detach ? upDetached(options) : up(options));
    });
}

function check({
  runtime,
  instances,
  natsUrl,
  natsCreds,
  natsSigningKey,
  natsCa,
  install,
  uninstall,
}: UpOptions): void {
  if (install && uninstall) throw new UsageError("--install and --uninstall exclude each other.");
  if (instances !== 1 && runtime !== "simulated")
    throw new UsageError(`--instances ${instances} is for --runtime simulated: one machine has one Docker agent.`);
  if (natsUrl === undefined && (natsCreds ?? natsSigningKey ?? natsCa) !== undefined)
    throw new UsageError(
      "--nats-creds, --nats-signing-key and --nats-ca go with --nats-url: without it Davit starts a nats-server of its own.",
    );
}
