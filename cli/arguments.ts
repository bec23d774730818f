// Readers of option values; what they refuse is a usage error that names the option.
import { InvalidArgumentError } from "commander";
import { parseTag } from "../api/tags.js";
import type { Tag } from "../api/types.gen.js";

/** A TCP port; 0 means any free one. */
export const port = (typed: string): number => whole(typed, 0, 65_535, "a port, 0 to 65535");
export const count = (typed: string): number => whole(typed, 1, 100_000, "a whole number from 1");
/** An amount of memory. */
export const mib = (typed: string): number => whole(typed, 4, 100_000_000, "a number of MiB from 4");

/** For an option that may be repeated. */
export const collect = (typed: string, before: string[] = []): string[] => [...before, typed];

export function seconds(typed: string): number {
  const value = Number(typed.replace(/s$/, ""));
  if (typed.trim() === "" || !Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError("It must be a number of seconds.");
  return value;
}

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `90s`, `15m`, `1h`, `30d`, `1h30m`: milliseconds. */
export function durationMs(typed: string): number {
  const parts = [...typed.matchAll(/(\d+)([smhd])/g)];
  const total = parts.reduce(
    (sum, [, number, unit]) => sum + Number(number) * UNIT_MS[unit as keyof typeof UNIT_MS],
    0,
  );
  if (parts.map(([part]) => part).join("") !== typed || total <= 0 || total > 10 * 365 * UNIT_MS.d)
    throw new InvalidArgumentError("It must be a time such as 90s, 15m, 1h or 30d, at most ten years.");
  return total;
}

/** As the other commands' `--timeout`, a bare number of seconds; or a time with its unit. Milliseconds. */
export const timeoutMs = (typed: string): number => durationMs(/^\d+$/.test(typed) ? `${typed}s` : typed);

/** A time of RFC 3339, or `+30m` from now; called with the present to get ms. */
export function momentMs(typed: string): (nowMs: number) => number {
  if (typed.startsWith("+")) {
    const fromNowMs = durationMs(typed.slice(1));
    return (nowMs) => nowMs + fromNowMs;
  }
  const at = Date.parse(typed);
  if (!/^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)$/.test(typed) || Number.isNaN(at))
    throw new InvalidArgumentError("It must be a time with its zone, such as 2026-03-01T22:00:00Z, or +30m.");
  return () => at;
}

function whole(typed: string, from: number, to: number, what: string): number {
  const value = Number(typed);
  if (!/^\d+$/.test(typed) || value < from || value > to) throw new InvalidArgumentError(`It must be ${what}.`);
  return value;
}

/** Collects `--tag KEY=VALUE`s; one of a key that was given before takes its place. */
export function tags(typed: string, before: readonly Tag[]): Tag[] {
  const tag = parseTag(typed);
  if (tag.key === "") throw new InvalidArgumentError("It must be KEY or KEY=VALUE.");
  return [...before.filter(({ key }) => key !== tag.key), tag];
}
