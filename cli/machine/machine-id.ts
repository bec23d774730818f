// What tells this machine from others, and one boot of it from the next.
import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { Failure, UsageError } from "../failure.js";

const FILES = ["/etc/machine-id", "/var/lib/dbus/machine-id"];

/** `--machine-id`, else $DAVIT_MACHINE_ID, else the system's own.
 *  @throws Failure if there is none */
export function machineId(given: string | undefined, files: readonly string[] = FILES): string {
  const chosen = given ?? (process.env.DAVIT_MACHINE_ID || undefined);
  if (chosen !== undefined) {
    if (/^[A-Za-z0-9_.-]{1,128}$/.test(chosen)) return chosen;
    throw new UsageError(
      `the machine id "${chosen}" won't do: 1 to 128 letters, digits, "-", "_" and "." make one (--machine-id, DAVIT_MACHINE_ID).`,
    );
  }
  // systemd writes "uninitialized" into the file of an image that is to be copied.
  const found = files.map(firstLine).find((text) => /^[0-9a-f]{32}$/.test(text));
  if (found === undefined)
    throw new Failure(
      `this machine has no id of its own in ${files.join(" or ")}: run \`systemd-machine-id-setup\`, or give it one with --machine-id.`,
    );
  return found;
}

function firstLine(path: string): string {
  try {
    return (readFileSync(path, "utf8").split("\n")[0] ?? "").trim();
  } catch {
    return "";
  }
}

/** Another one after each boot, on each machine, and in each network namespace: two agents of one identity with two of
 *  these are two machines. 32 hex digits. */
export function bootId(): string {
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return createHash("sha256")
    .update(`${boot} ${readlinkSync("/proc/self/ns/net")}`)
    .digest("hex")
    .slice(0, 32);
}
