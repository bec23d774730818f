// `davit up --install` and `--uninstall`.
import { join } from "node:path";
import type { Command } from "commander";
import { acquireLock, LockHeld } from "../../store/lock.js";
import { Failure } from "../failure.js";
import { print, progress } from "../output/terminal.js";
import { dataFolder, openDataFolder } from "../supervisor/data-folder.js";
import { readState } from "../supervisor/state-file.js";
import type { UpOptions } from "../up.js";
import { checkInstallable, install, uninstall, unitName } from "./install.js";
import { INSTALL_FLAGS } from "./options.js";
import { typedOptions } from "./typed.js";
import { unitText } from "./unit.js";
import { upUnit } from "./units.js";

const USUAL = "davit";
const PATHS = ["--kubeconfig", "--manifests", "--nats-creds", "--nats-signing-key", "--nats-ca"];
const READY_WITHIN_MS = 90_000;
const INSTEAD =
  "run `davit up --detach` from whatever starts things at boot, or name a folder for the unit with --unit-dir.";

export async function installUp(command: Command, options: UpOptions): Promise<void> {
  const name = unitName(options.unitName, USUAL);
  checkInstallable(options, INSTEAD);
  const folder = dataFolder(options.dataDir);
  openDataFolder(folder);
  if (options.unitDir === undefined) await checkNotUp(folder.root);
  const typed = typedOptions(command, [...INSTALL_FLAGS, "--detach", "--data-dir"], PATHS);
  const spec = upUnit(["--data-dir", folder.root, ...typed], options.runtime === "docker");
  const file = await install(options, name, unitText(spec));
  if (options.unitDir !== undefined) return print(`Written: ${file}`);
  await untilReady(() => readState(folder.state)?.ready === true, name);
  print(
    `Davit is up, as the service ${name} (${file}), now and after each boot. ` +
      `Its log: \`journalctl -u ${name}\`, and ${join(folder.root, "logs")}.`,
  );
}

export async function uninstallUp(options: UpOptions): Promise<void> {
  const name = unitName(options.unitName, USUAL);
  checkInstallable(options, "there is no service to take away.");
  const was = await uninstall(options, name);
  print(was ? `The service ${name} is gone; its data and its containers stay.` : `There is no service ${name}.`);
}

/** @throws Failure if a Davit that somebody started by hand has the folder */
async function checkNotUp(root: string): Promise<void> {
  try {
    await (await acquireLock(root, "up")).release();
  } catch (error) {
    if (!(error instanceof LockHeld)) throw error;
    throw new Failure(`Davit is up on ${root} already: end it with \`davit down\`, then install the service.`);
  }
}

/** @throws Failure saying where to look */
export async function untilReady(isReady: () => boolean, name: string): Promise<void> {
  const waiting = progress();
  waiting.show(`Starting ${name}.service …`);
  for (const deadline = performance.now() + READY_WITHIN_MS; !isReady(); ) {
    if (performance.now() > deadline) {
      waiting.done();
      throw new Failure(`${name}.service is installed, but not ready yet: look with \`systemctl status ${name}\`.`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  waiting.done();
}
