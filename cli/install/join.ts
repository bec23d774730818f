// `davit join --install` and `--uninstall`.
import { Failure } from "../failure.js";
import type { JoinOptions } from "../join.js";
import { machineFolder, readIdentity } from "../machine/folder.js";
import { checkTyped, joinOnly } from "../machine/join.js";
import { readRunning } from "../machine/running.js";
import { print } from "../output/terminal.js";
import { checkInstallable, install, uninstall, unitName } from "./install.js";
import { unitText } from "./unit.js";
import { agentContainer, agentUnit, containerUnit } from "./units.js";
import { untilReady } from "./up.js";

const USUAL = "davit-agent";
const INSTEAD =
  "run `davit join --detach` from whatever starts things at boot, or the agent as a container that Docker keeps " +
  "(docs/machines.md), or name a folder for the unit with --unit-dir.";

/** Joins first, so that whatever is wrong is said here, and the unit holds no token. */
export async function installJoin(url: string | undefined, options: JoinOptions): Promise<void> {
  const name = unitName(options.unitName, USUAL);
  checkTyped(url, options);
  checkInstallable(options, INSTEAD);
  const folder = machineFolder(options.dataDir);
  const { instance, options: machine } = await joinOnly(url, options);
  const { container } = options;
  if (container !== undefined && machine.runtime === "simulated")
    throw new Failure("--container is for an agent that runs containers, not for --runtime simulated.");
  const spec =
    container === undefined
      ? agentUnit(folder.root, folder.identity, (machine.runtime ?? "docker") === "docker")
      : containerUnit(agentContainer(container, name, folder.root), folder);
  const file = await install(options, name, unitText(spec));
  if (options.unitDir !== undefined) return print(`Written: ${file}`);
  await untilReady(() => readRunning(folder)?.ready === true, name);
  print(
    `The agent of instance ${instance} runs as the service ${name} (${file}), now and after each boot. Its log: \`journalctl -u ${name}\`.`,
  );
}

export async function uninstallJoin(options: JoinOptions): Promise<void> {
  const name = unitName(options.unitName, USUAL);
  checkInstallable(options, "there is no service to take away.");
  const was = await uninstall(options, name);
  const joined = readIdentity(machineFolder(options.dataDir));
  print(
    (was ? `The service ${name} is gone; containers run on.` : `There is no service ${name}.`) +
      (joined ? ` The machine still belongs to ${joined.server}: \`davit leave\` takes it out.` : ""),
  );
}
