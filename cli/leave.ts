import type { Command } from "commander";
import { seconds } from "./arguments.js";

export interface LeaveOptions {
  dataDir?: string;
  timeout: number;
}

export function define(command: Command): void {
  command
    .description(
      "Takes this machine out of its Davit for good: its tasks are stopped (services start others elsewhere), and its " +
        "identity is removed. To come back it joins anew.",
    )
    .option("--data-dir <D>", "the machine's data folder, as given to `davit join`")
    .option("--timeout <SECONDS>", "how long it may take", seconds, 600)
    .addHelpText(
      "after",
      "\nExamples:\n  $ davit drain HOST --wait     first, elsewhere: moves its tasks without a gap\n  $ davit leave",
    )
    .action(async (options: LeaveOptions) => {
      const { leave } = await import("./machine/leave.js");
      await leave(options);
    });
}
