/** Kubernetes' own for generated names: no vowels, nothing easily misread. */
const LETTERS = "bcdfghjklmnpqrstvwxz2456789";
const SUFFIX = 5;
const MAX_BASE = 40;

/** `<service>-<slot>-<suffix>`: says what the task is for, and is never used twice. */
export function taskName(service: string, slot: number, random: () => number): string {
  let name = `${service.slice(0, MAX_BASE).replace(/[^a-z0-9]+$/, "")}-${slot}-`;
  for (let i = 0; i < SUFFIX; i++) name += LETTERS[Math.floor(random() * LETTERS.length)];
  return name;
}
