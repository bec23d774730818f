// A machine's own attributes: ECS_INSTANCE_ATTRIBUTES, and what every machine says about itself.
import { arch } from "node:os";
import type { Attribute } from "../api/types.gen.js";
import { parseStringMap } from "./options-json.js";

/** The agent must end with this code: starting it again with the same text would not help. */
export class InvalidAttributes extends Error {
  readonly exitCode = 5;
}

/** As ECS has them (spec/06 §4): characters, and 128 of them at most. */
const NAME = /^[A-Za-z0-9\-_/\\.]{1,128}$/;
const VALUE = /^(?! )[A-Za-z0-9\-_.@/\\: ]{1,128}(?<! )$/;

export interface InstanceAttributes {
  valid: Attribute[];
  /** One sentence for each that is left out. */
  problems: string[];
}

/** Undefined without a text. @throws InvalidAttributes for what is no JSON object of strings */
export function parseInstanceAttributes(text: string | undefined): InstanceAttributes | undefined {
  if (text === undefined || text === "") return undefined;
  const entries = parseStringMap(text);
  if (!entries)
    throw new InvalidAttributes(
      `ECS_INSTANCE_ATTRIBUTES: "${text}" cannot be read; it must be a JSON object of strings such as {"rack":"r12"}`,
    );
  const valid: Attribute[] = [];
  const problems: string[] = [];
  for (const [name, value] of entries) {
    const problem = wrong(name, value);
    if (problem === undefined) valid.push({ name, value });
    else problems.push(`ECS_INSTANCE_ATTRIBUTES: attribute ${short(name)} is left out: ${problem}`);
  }
  return { valid, problems };
}

function wrong(name: string, value: string): string | undefined {
  if (!NAME.test(name))
    return "its name must be 1 to 128 letters, digits, hyphens, underscores, slashes, backslashes and periods";
  if (!VALUE.test(value))
    return `its value ${short(value)} must be 1 to 128 letters, digits, spaces (not at the ends) and - _ . @ / \\ :`;
  return undefined;
}

const SHOWN = 40;
const short = (text: string): string => JSON.stringify(text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text);

/** What every machine says about itself: spec/04 §6. */
export const builtInAttributes = (): Attribute[] => [
  { name: "ecs.os-type", value: "linux" },
  { name: "ecs.os-family", value: "LINUX" },
  { name: "ecs.cpu-architecture", value: arch() === "arm64" ? "arm64" : "x86_64" },
];
