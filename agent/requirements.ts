// What a machine must have at least (spec/04 §3).

/** In the form of uname and of the Engine; text behind the numbers does not count. */
interface MachineVersions {
  kernelVersion?: string;
  /** The Engine's. */
  version?: string;
}

const LEAST = [
  { what: "Linux kernel", of: ({ kernelVersion }: MachineVersions) => kernelVersion, least: "3.10" },
  { what: "Docker", of: ({ version }: MachineVersions) => version, least: "1.9.0" },
];

/** One sentence for each requirement that is not met; what is not known counts as met. Pure. */
export function unmetRequirements(versions: MachineVersions): string[] {
  return LEAST.flatMap(({ what, of, least }) => {
    const found = of(versions);
    return found !== undefined && isBelow(found, least)
      ? [`${what} ${found} is too old: at least ${least} is needed. Update it, then start the agent again`]
      : [];
  });
}

function isBelow(version: string, least: string): boolean {
  const has = numbers(version);
  if (has.length === 0) return false;
  for (const [at, wanted] of numbers(least).entries()) {
    const part = has[at] ?? 0;
    if (part !== wanted) return part < wanted;
  }
  return false;
}

/** `1.9.0-rc1` → 1, 9, 0. */
const numbers = (version: string): number[] => /^\d+(\.\d+)*/.exec(version)?.[0].split(".").map(Number) ?? [];
