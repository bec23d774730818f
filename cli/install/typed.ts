import { resolve } from "node:path";
import type { Command } from "commander";

/** The options that were typed, as they would be typed again, anywhere: paths made whole.
 *  @param without long names of options to leave out, `paths` of those whose value is a path */
export function typedOptions(command: Command, without: readonly string[], paths: readonly string[]): string[] {
  return command.options.flatMap((option) => {
    const { long } = option;
    const name = option.attributeName();
    if (long == null || without.includes(long) || command.getOptionValueSource(name) !== "cli") return [];
    const value: unknown = command.getOptionValue(name);
    if (value === true) return [long];
    if (value === false) return [];
    const values = Array.isArray(value) ? value : [value];
    return values.flatMap((each) => [long, paths.includes(long) ? resolve(String(each)) : String(each)]);
  });
}
