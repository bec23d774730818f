// Writes a unit and hands it to systemd, or takes it away again.
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { codeOf, Failure, UsageError } from "../failure.js";

export interface InstallOptions {
  /** Where the unit is only written, and systemd is not told: for tests and for making images. */
  unitDir?: string;
  unitName?: string;
}

const SYSTEM_UNITS = "/etc/systemd/system";

/** @returns the unit's name without `.service` @throws UsageError */
export function unitName(given: string | undefined, usual: string): string {
  const name = given ?? usual;
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,100}$/.test(name)) return name.replace(/\.service$/, "");
  throw new UsageError(`--unit-name "${name}": letters, digits, "-", "_" and "." make a unit's name.`);
}

/** @param instead what else a person can do
 *  @throws Failure where there is no systemd to install it in, or it is not ours to */
export function checkInstallable({ unitDir }: InstallOptions, instead: string): void {
  if (unitDir !== undefined) return;
  if (!existsSync("/run/systemd/system"))
    throw new Failure(`systemd does not run this machine, so there is nothing to install a service in: ${instead}`);
  if (process.getuid?.() !== 0) throw new Failure("a service can be installed by root only: run this with sudo.");
}

const fileOf = ({ unitDir = SYSTEM_UNITS }: InstallOptions, name: string): string => join(unitDir, `${name}.service`);

/** Writes it and starts it, now and at each boot. @returns its path */
export async function install(options: InstallOptions, name: string, text: string): Promise<string> {
  const file = fileOf(options, name);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(`${file}.tmp`, text, { mode: 0o644 });
  renameSync(`${file}.tmp`, file);
  if (options.unitDir === undefined) {
    await systemctl("daemon-reload");
    await systemctl("enable", `${name}.service`);
    // Also one that runs with what was written before.
    await systemctl("restart", `${name}.service`);
  }
  return file;
}

/** Stops it and takes it away. @returns whether there was one */
export async function uninstall(options: InstallOptions, name: string): Promise<boolean> {
  const file = fileOf(options, name);
  if (!existsSync(file)) return false;
  if (options.unitDir === undefined) await systemctl("disable", "--now", `${name}.service`);
  rmSync(file);
  if (options.unitDir === undefined) await systemctl("daemon-reload");
  return true;
}

async function systemctl(...args: string[]): Promise<void> {
  try {
    await promisify(execFile)("systemctl", args);
  } catch (error) {
    const { stderr } = Object(error) as { stderr?: unknown };
    const said = typeof stderr === "string" && stderr.trim() !== "" ? stderr.trim() : (codeOf(error) ?? String(error));
    throw new Failure(`systemctl ${args.join(" ")} failed: ${said}`);
  }
}
