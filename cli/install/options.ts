// The options about service units that `davit up` and `davit join` share.
import type { Command } from "commander";

export interface InstallFlags {
  install?: boolean;
  uninstall?: boolean;
  unitDir?: string;
  unitName?: string;
}

/** Left out of the command that a unit runs. */
export const INSTALL_FLAGS = ["--install", "--uninstall", "--unit-dir", "--unit-name"] as const;

export const addInstallOptions = (command: Command, what: string, usual: string): Command =>
  command
    .option("--install", `install ${what} as a systemd service, which starts now and at each boot, with these options`)
    .option("--uninstall", "stop that service and take it away; data and containers stay")
    .option("--unit-name <NAME>", `the service's name (default: ${usual})`)
    .option("--unit-dir <DIR>", "only write (or remove) the unit's file, here; systemd is not told");
