// Ports in options: lists that are reserved, and the share of a machine's host ports.
import { parseArray } from "./options-json.js";

const isPort = (port: unknown): port is number =>
  typeof port === "number" && Number.isInteger(port) && port > 0 && port < 65_536;

/** Undefined for what is no JSON array of ports. */
export const parsePorts = (text: string): number[] | undefined => parseArray(text, isPort);

export interface PortRange {
  from: number;
  to: number;
}

/** `8000-8999`, both ends included; undefined for what is none. */
export function parsePortRange(text: string): PortRange | undefined {
  const match = /^(\d{1,5})-(\d{1,5})$/.exec(text);
  const [from, to] = [Number(match?.[1]), Number(match?.[2])];
  return isPort(from) && isPort(to) && from <= to ? { from, to } : undefined;
}

export const portRangeText = ({ from, to }: PortRange): string => `${from}-${to}`;
