import { type Command, Option } from "commander";
import type { ApiObject } from "../../api/meta.js";
import type { Resource } from "../api/resources.js";
import { UsageError } from "../failure.js";
import { print } from "./terminal.js";

/** How a command that acts on objects tells which. */
export type ObjectFormat = "json" | "yaml" | "name";

export function withOutputOption(command: Command): Command {
  return command.addOption(
    new Option("-o, --output <FORMAT>", "json, yaml, name, or wide").choices(["json", "yaml", "name", "wide"]),
  );
}

export function withObjectOutput(command: Command): Command {
  return command.addOption(new Option("-o, --output <FORMAT>", "json, yaml or name").choices(["json", "yaml", "name"]));
}

/** Objects that a command has acted on: as they are, by name, or `task.davit.dev/x started`. */
export async function printObjects(
  { qualified }: Resource,
  objects: readonly ApiObject[],
  format: ObjectFormat | undefined,
  done: string,
): Promise<void> {
  if (format === "json" || format === "yaml") print(await serialize(listOf(objects), format));
  else for (const { metadata } of objects) print(`${qualified}/${metadata.name}${format === "name" ? "" : ` ${done}`}`);
}

/** For commands whose table is not one of objects. */
export const withDataOption = (command: Command): Command =>
  command.addOption(new Option("-o, --output <FORMAT>", "json or yaml").choices(["json", "yaml"]));

/** As kubectl prints several objects. */
export const listOf = (items: readonly ApiObject[]) => ({
  apiVersion: "v1",
  kind: "List",
  metadata: { resourceVersion: "" },
  items,
});

/** An object or a list as JSON or YAML. */
export async function serialize(value: unknown, format: "json" | "yaml"): Promise<string> {
  if (format === "json") return JSON.stringify(value, null, 4);
  const { dump } = await import("js-yaml");
  return dump(value, { noRefs: true, lineWidth: -1 }).trimEnd();
}

export function oneOf<const T extends string>(value: string, allowed: readonly T[], option: string): T {
  const found = allowed.find((one) => one === value);
  if (found === undefined)
    throw new UsageError(`${option} is ${JSON.stringify(value)}, but must be one of ${allowed.join(", ")}.`);
  return found;
}
