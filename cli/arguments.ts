// Readers of option values; what they refuse is a usage error that names the option.
import { InvalidArgumentError } from "commander";

/** A TCP port; 0 means any free one. */
export const port = (typed: string): number => whole(typed, 0, 65_535, "a port, 0 to 65535");
export const count = (typed: string): number => whole(typed, 1, 100_000, "a whole number from 1");
/** An amount of memory. */
export const mib = (typed: string): number => whole(typed, 4, 100_000_000, "a number of MiB from 4");

export function seconds(typed: string): number {
  const value = Number(typed.replace(/s$/, ""));
  if (typed.trim() === "" || !Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError("It must be a number of seconds.");
  return value;
}

function whole(typed: string, from: number, to: number, what: string): number {
  const value = Number(typed);
  if (!/^\d+$/.test(typed) || value < from || value > to) throw new InvalidArgumentError(`It must be ${what}.`);
  return value;
}
