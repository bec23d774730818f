// Ports in options: lists that are reserved, and the share of a machine's host ports.
import type { PortRange } from "../api/port-range.js";
import { parseArray } from "./options-json.js";

const isPort = (port: unknown): port is number =>
  typeof port === "number" && Number.isInteger(port) && port > 0 && port < 65_536;

/** Undefined for what is no JSON array of ports. */
export const parsePorts = (text: string): number[] | undefined => parseArray(text, isPort);

export const portRangeText = ({ from, to }: PortRange): string => `${from}-${to}`;
