/** The share of a machine's host ports that tasks may ask for; both ends belong to it. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** `8000-8999`; undefined for what is no range of ports. */
export function parsePortRange(text: string): PortRange | undefined {
  const [, from, to] = /^([0-9]{1,5})-([0-9]{1,5})$/.exec(text) ?? [];
  const range = { from: Number(from), to: Number(to) };
  return from !== undefined && range.from >= 1 && range.from <= range.to && range.to <= 65_535 ? range : undefined;
}
