// Sizes as people write them, to the numbers that are compared and stored.

const CPU_UNITS_PER_CORE = 1024;
const MIB_PER_GB = 1024;

/** Task-level `cpu` in CPU units: `1024`, `"1024"`, `"1 vCPU"`, `".5 vcpu"`. (spec/02 §11)
 *  @returns undefined if it is neither */
export const parseCpuUnits = (text: string | number): number | undefined => parse(text, "vcpu", CPU_UNITS_PER_CORE);

/** Task-level `memory` in MiB: `1024`, `"1024"`, `"1GB"`, `"0.5 GB"`. @returns undefined if it is neither */
export const parseMemoryMiB = (text: string | number): number | undefined => parse(text, "gb", MIB_PER_GB);

function parse(text: string | number, unit: string, factor: number): number | undefined {
  if (typeof text === "number") return Number.isSafeInteger(text) && text >= 0 ? text : undefined;
  if (/^[0-9]+$/.test(text)) return Number(text);
  const [, amount] = new RegExp(`^([0-9]*\\.?[0-9]+) *${unit}$`, "i").exec(text) ?? [];
  return amount === undefined ? undefined : Math.floor(Number(amount) * factor);
}
